/** A field of a message: its number, what it holds, and whether it may come several times. */
interface Field<Kind extends string = string, Repeated extends boolean = boolean> {
  readonly number: number;
  readonly kind: Kind;
  readonly repeated: Repeated;
}

function one<Kind extends string>(number: number, kind: Kind): Field<Kind, false> {
  return { number, kind, repeated: false };
}

function many<Kind extends string>(number: number, kind: Kind): Field<Kind, true> {
  return { number, kind, repeated: true };
}

/**
 * The messages of ONNX that Pith reads and writes, with field numbers. A kind is `int` (int32, int64
 * and enums), `float`, `string`, `bytes`, `packed` (numbers left as they are in the file), `message`
 * (left as bytes: only its presence matters), or the name of another message.
 *
 * Not listed, so skipped by the reader: doc strings, types of values between nodes (`value_info`),
 * metadata of nodes and values, and device configurations; none changes a result.
 *
 * @see onnx/onnx.proto of the PyPI package onnx 1.23.2 (Apache-2.0), IR version 14.
 */
export const messages = {
  Model: {
    irVersion: one(1, 'int'),
    producerName: one(2, 'string'),
    producerVersion: one(3, 'string'),
    opsets: many(8, 'OperatorSet'),
    metadata: many(14, 'Entry'),
    training: many(20, 'message'),
    functions: many(25, 'message'),
    graph: one(7, 'Graph'),
  },
  OperatorSet: { domain: one(1, 'string'), version: one(2, 'int') },
  Entry: { key: one(1, 'string'), value: one(2, 'string') },
  Graph: {
    nodes: many(1, 'Node'),
    name: one(2, 'string'),
    inputs: many(11, 'ValueInfo'),
    outputs: many(12, 'ValueInfo'),
    sparse: many(15, 'message'),
    initializers: many(5, 'Tensor'),
  },
  Node: {
    inputs: many(1, 'string'),
    outputs: many(2, 'string'),
    name: one(3, 'string'),
    opType: one(4, 'string'),
    attributes: many(5, 'Attribute'),
    domain: one(7, 'string'),
    overload: one(8, 'string'),
  },
  Attribute: {
    name: one(1, 'string'),
    float: one(2, 'float'),
    int: one(3, 'int'),
    string: one(4, 'string'),
    tensor: one(5, 'Tensor'),
    graph: one(6, 'Graph'),
    floats: many(7, 'float'),
    ints: many(8, 'int'),
    strings: many(9, 'string'),
    type: one(20, 'int'),
    reference: one(21, 'string'),
  },
  Tensor: {
    dims: many(1, 'int'),
    dataType: one(2, 'int'),
    segment: one(3, 'message'),
    floatData: many(4, 'packed'),
    int32Data: many(5, 'packed'),
    stringData: many(6, 'message'),
    int64Data: many(7, 'packed'),
    name: one(8, 'string'),
    doubleData: many(10, 'packed'),
    uint64Data: many(11, 'packed'),
    externalData: many(13, 'Entry'),
    dataLocation: one(14, 'int'),
    rawData: one(9, 'bytes'),
  },
  ValueInfo: { name: one(1, 'string'), type: one(2, 'Type') },
  Type: {
    tensor: one(1, 'TensorType'),
    sequence: one(4, 'message'),
    map: one(5, 'message'),
    opaque: one(7, 'message'),
    sparse: one(8, 'message'),
    optional: one(9, 'message'),
  },
  TensorType: { elementType: one(1, 'int'), shape: one(2, 'Shape') },
  Shape: { dimensions: many(1, 'Dimension') },
  Dimension: { size: one(1, 'int'), symbol: one(2, 'string') },
} as const;

/** Name of a message. */
export type MessageName = keyof typeof messages;

/** What a field of a kind that is no message holds. */
interface Scalars {
  readonly int: bigint;
  readonly float: number;
  readonly string: string;
  readonly bytes: Uint8Array;
  readonly packed: Uint8Array;
  readonly message: Uint8Array;
}

type Held<Kind> = Kind extends keyof Scalars
  ? Scalars[Kind]
  : Kind extends MessageName
    ? Message<Kind>
    : never;

/** A message as an object; what the file does not say is absent. */
export type Message<Name extends MessageName> = {
  readonly [Key in keyof (typeof messages)[Name]]?: (typeof messages)[Name][Key] extends Field<
    infer Kind,
    infer Repeated
  >
    ? Repeated extends true
      ? readonly Held<Kind>[]
      : Held<Kind>
    : never;
};

/** The fields of a message. */
export function fieldsOf(name: MessageName): Readonly<Record<string, Field>> {
  return messages[name];
}

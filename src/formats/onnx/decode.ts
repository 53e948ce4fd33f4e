import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import { PithError } from '../../util/errors.ts';
import { corrupt } from './errors.ts';
import { limits } from './limits.ts';
import { fieldsOf, messages, type Message, type MessageName } from './schema.ts';

interface KnownField {
  readonly key: string;
  readonly kind: string;
  readonly repeated: boolean;
}

/** The fields of each message by their number. */
const fieldsByNumber: ReadonlyMap<string, ReadonlyMap<number, KnownField>> = new Map(
  Object.keys(messages).map((name) => {
    const known = Object.entries(fieldsOf(name as MessageName)).map(([key, field]) => [
      field.number,
      { key, ...field },
    ]);
    return [name, new Map(known as [number, KnownField][])];
  }),
);

/** Of kinds that do not come as a length and bytes. */
const wireTypes: ReadonlyMap<string, WireType> = new Map([
  ['int', WireType.Varint],
  ['float', WireType.Bit32],
]);

/** Decodes the messages of one file, and counts what they cost. */
export class Decoder {
  readonly #name: string;
  #fields = 0;

  /** @param name - The file, for messages. */
  constructor(name: string) {
    this.#name = name;
  }

  /**
   * The message in `bytes`, of which the result holds views; unknown fields are skipped.
   *
   * @throws {@link PithError} `corrupt` when bytes are missing, a field has the wrong wire type or
   * comes twice, or messages are nested deeper than 100; `unsupported` beyond 2^21 fields.
   */
  decode<Name extends MessageName>(name: Name, bytes: Uint8Array): Message<Name> {
    try {
      return this.#message(name, bytes, 0);
    } catch (error) {
      if (error instanceof PithError) throw error;
      throw corrupt(this.#name, `its ${name} is no protobuf (${(error as Error).message})`, error);
    }
  }

  #message(name: MessageName, bytes: Uint8Array, depth: number): object {
    if (depth > limits.depth) {
      throw corrupt(this.#name, `messages are nested deeper than ${limits.depth}`);
    }
    const known = fieldsByNumber.get(name)!;
    const message: Record<string, unknown> = {};
    const reader = new BinaryReader(bytes);
    while (reader.pos < reader.len) {
      const [number, wireType] = reader.tag();
      const field = known.get(number);
      if (field === undefined) {
        this.#count(1);
        reader.skip(wireType, number);
      } else if (field.repeated) {
        const list = (message[field.key] ??= []) as unknown[];
        for (const item of this.#items(reader, field, wireType, depth)) list.push(item);
      } else {
        const repeats = message[field.key] !== undefined;
        if (repeats) throw corrupt(this.#name, `a ${name} has two values for "${field.key}"`);
        message[field.key] = this.#item(reader, field, wireType, depth);
      }
    }
    return message;
  }

  /** One element of a list, or all of a packed one. */
  *#items(reader: BinaryReader, field: KnownField, wireType: WireType, depth: number): Generator {
    if (!wireTypes.has(field.kind) || wireType !== WireType.LengthDelimited) {
      yield this.#item(reader, field, wireType, depth);
      return;
    }
    const packed = new BinaryReader(reader.bytes());
    while (packed.pos < packed.len) {
      yield this.#item(packed, field, wireTypes.get(field.kind)!, depth);
    }
  }

  #item(reader: BinaryReader, { key, kind }: KnownField, wireType: WireType, depth: number) {
    this.#count(1);
    if (kind === 'packed' && wireType !== WireType.LengthDelimited) return reader.skip(wireType);
    const expected = wireTypes.get(kind) ?? WireType.LengthDelimited;
    if (wireType !== expected) {
      throw corrupt(this.#name, `"${key}" has wire type ${wireType} instead of ${expected}`);
    }
    switch (kind) {
      case 'int':
        return BigInt(reader.int64());
      case 'float':
        return reader.float();
      case 'string':
        return reader.string(true);
      case 'bytes':
      case 'packed':
      case 'message':
        return reader.bytes();
      default:
        return this.#message(kind as MessageName, reader.bytes(), depth + 1);
    }
  }

  #count(fields: number): void {
    this.#fields += fields;
    if (this.#fields <= limits.fields) return;
    throw new PithError(
      'unsupported',
      `${this.#name} has more than ${limits.fields} fields.`,
      'No model of this size is known: the file is damaged or hostile.',
    );
  }
}

import type { ByteSource } from '../../util/byte-source.ts';

/**
 * ONNX models as plain values: what `readOnnx` returns and `writeOnnx` takes.
 *
 * @see https://github.com/onnx/onnx/blob/main/onnx/onnx.proto (IR version 10, Apache-2.0)
 */
export interface OnnxModel {
  readonly irVersion: number;
  /** Version of each operator set by domain; `''` is ONNX's own. */
  readonly opsets: Readonly<Record<string, number>>;
  readonly producerName: string;
  readonly producerVersion: string;
  /** Free text that travels with the file. */
  readonly metadata: Readonly<Record<string, string>>;
  readonly graph: OnnxGraph;
}

/** Nodes in topological order, with the values that enter and leave. */
export interface OnnxGraph {
  readonly name: string;
  readonly nodes: readonly OnnxNode[];
  readonly inputs: readonly OnnxValueInfo[];
  readonly outputs: readonly OnnxValueInfo[];
  readonly initializers: readonly OnnxTensor[];
}

/** One operator call; an absent optional input or output is `''`. */
export interface OnnxNode {
  readonly opType: string;
  /** Absent for ONNX's own operators. */
  readonly domain?: string;
  readonly name?: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes?: Readonly<Record<string, OnnxAttribute>>;
}

/** A named setting of a node. */
export type OnnxAttribute =
  | { readonly type: 'float'; readonly value: number }
  | { readonly type: 'int'; readonly value: number }
  | { readonly type: 'string'; readonly value: string }
  | { readonly type: 'tensor'; readonly value: OnnxTensor }
  | { readonly type: 'graph'; readonly value: OnnxGraph }
  | { readonly type: 'floats'; readonly value: readonly number[] }
  | { readonly type: 'ints'; readonly value: readonly number[] }
  | { readonly type: 'strings'; readonly value: readonly string[] };

/** Name, element type and dimensions of a value. */
export interface OnnxValueInfo {
  readonly name: string;
  /** Absent where nothing is said, as in the outputs of an `If`'s graphs. */
  readonly elementType?: OnnxElementType;
  /** Sizes or symbols, `''` where a size is unknown; absent when not even their number is known. */
  readonly shape?: readonly (number | string)[];
}

/** A constant: row-major, little-endian; sub-byte types hold two elements a byte, low half first. */
export interface OnnxTensor {
  readonly name: string;
  readonly elementType: OnnxElementType;
  readonly shape: readonly number[];
  /** The bytes themselves, or where they lie: nothing large is read before it is written out. */
  readonly data: Uint8Array | ByteSource;
}

/** ONNX `TensorProto.DataType` by name. */
export const onnxElementTypes = {
  FLOAT: { id: 1, bits: 32 },
  UINT8: { id: 2, bits: 8 },
  INT8: { id: 3, bits: 8 },
  UINT16: { id: 4, bits: 16 },
  INT16: { id: 5, bits: 16 },
  INT32: { id: 6, bits: 32 },
  INT64: { id: 7, bits: 64 },
  BOOL: { id: 9, bits: 8 },
  FLOAT16: { id: 10, bits: 16 },
  DOUBLE: { id: 11, bits: 64 },
  UINT32: { id: 12, bits: 32 },
  UINT64: { id: 13, bits: 64 },
  BFLOAT16: { id: 16, bits: 16 },
  UINT4: { id: 21, bits: 4 },
  INT4: { id: 22, bits: 4 },
} as const;

/** An element type of a constant or value. */
export type OnnxElementType = keyof typeof onnxElementTypes;

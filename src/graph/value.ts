/** Element types of a graph: 32-bit floats, 64-bit integers (ids, positions), and truth values. */
export type ElementType = 'f32' | 'i64' | 'bool';

/** Row-major sizes, all known when the graph is built; `[]` is a scalar. */
export type Shape = readonly number[];

/** The result of a node or an input: a typed name, no data. */
export interface Value {
  /** Unique within its graph, in order of creation. */
  readonly id: number;
  readonly type: ElementType;
  readonly shape: Shape;
}

/** Elements of a value, row-major: `Float32Array` for f32, `BigInt64Array` for i64, `Uint8Array` (0 or 1) for bool. */
export type TensorData = Float32Array | BigInt64Array | Uint8Array;

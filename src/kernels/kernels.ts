import type { FeedbackMath } from './feedback/feedback-math.ts';
import type { EncodableType } from './encodable-types.ts';
import type { TensorType } from '../tensor/dtypes.ts';

export { encodableTypes, isEncodable, type EncodableType } from './encodable-types.ts';

/** Sums over the weights of one encode call; the relative RMS error is sqrt(error / norm). */
export interface EncodeError {
  /** Σ (x − x̂)², x̂ being what a decoder will read back. */
  squaredError: number;
  /** Σ x². */
  squaredNorm: number;
  /** With feedback: the error by what the weights' coupling makes of it, see `encodeMatrix`. */
  coupledError?: number;
}

/**
 * Turns bytes of any tensor type into f32 values.
 * `bytes` holds whole units; `values` has room for all their weights.
 */
export type Decoder = (bytes: Uint8Array, values: Float32Array) => void;

/**
 * Quantizes rows of `columns` weights; blocks never cross a row.
 *
 * `values` is `[rows, columns]` and finite (callers check), `importance` has one weight ≥ 0 a column
 * (the imatrix: mean squared activation) and is shared by all rows, `out` has room for all blocks.
 */
export type Encoder = (
  values: Float32Array,
  columns: number,
  out: Uint8Array,
  importance?: Float32Array,
) => EncodeError;

/** One slab of rows to convert from one storage type to another. */
export interface TranscodeJob {
  readonly from: TensorType;
  readonly to: EncodableType;
  readonly columns: number;
  readonly bytes: Uint8Array;
  readonly out: Uint8Array;
  readonly importance?: Float32Array;
}

/** The kernels behind one interface: the scalar reference and its wasm SIMD twin. */
export interface Kernels {
  readonly name: 'scalar' | 'wasm';
  /** What encoding with error feedback takes. */
  readonly feedback: FeedbackMath;
  decode(type: TensorType, bytes: Uint8Array, values: Float32Array): void;
  encode(type: EncodableType, ...args: Parameters<Encoder>): EncodeError;
  /** decode, then encode, without leaving the kernels' memory; throws `not-finite` on NaN or ∞. */
  transcode(job: TranscodeJob): EncodeError;
  /** Index of the first NaN or infinite weight of `bytes`, or -1. */
  firstNonFinite(type: TensorType, bytes: Uint8Array): number;
}

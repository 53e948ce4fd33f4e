import { readRowsAt } from '../../evaluate/onnx/read-floats.ts';
import { hasGrid, type Coupling } from '../../kernels/feedback/coupling.ts';
import type { FeedbackMath } from '../../kernels/feedback/feedback-math.ts';
import type { EncodableType, Kernels } from '../../kernels/kernels.ts';
import { roundTrip } from '../../kernels/round-trip.ts';
import type { Slab, Transcoder } from '../../kernels/transcoder.ts';
import { columnsOf, type Tensor } from '../../tensor/tensor.ts';
import type { Evidence } from '../evidence/evidence.ts';
import type { Hessian } from '../evidence/hessian.ts';
import { chooseRows, type RowChoiceOptions } from './row-choice.ts';

/** A matrix as it would be stored, and what it is judged by. */
export interface HeldOutOptions extends RowChoiceOptions {
  readonly transcoder: Transcoder;
  /** Multiply the errors: the SIMD ones take a twentieth of the time. */
  readonly kernels: Kernels;
  /** Of text that `evidence` has nothing of, with Hessians. */
  readonly heldOut: Evidence;
  readonly type: EncodableType;
  /** What plain encoding weighs columns by. */
  readonly importance: Float32Array;
}

/** What errors cost on held-out text, nats a token. */
export interface HeldOutCosts {
  readonly feedback: number;
  readonly plain: number;
}

/**
 * Measures on held-out activations and gradients what a matrix' errors cost with feedback, and with plain encoding:
 * ½ tr(G Δ H Δᵀ) over some of its rows.
 *
 * @returns Undefined for a matrix that is not coupled.
 * @throws PithError as `chooseRows`; what reading throws.
 */
export async function heldOutCosts(
  tensor: Tensor,
  options: HeldOutOptions,
): Promise<HeldOutCosts | undefined> {
  const { couplings, transcoder, kernels, heldOut, type: to, importance } = options;
  const columnFactors = await couplings.columnFactors(tensor.name);
  const hessian = await heldOut.hessians?.hessianOf(tensor.name);
  if (!columnFactors || !hessian || !hasGrid(to)) return undefined;
  const choice = await chooseRows(tensor.name, options);
  const { rows, rowFactors, scale } = choice;
  const values = await readRowsAt(tensor, rows, transcoder);
  const weights = await choice.weightsIn(heldOut);
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  const slab = { from: 'F32', to, columns: columnsOf(tensor.shape), bytes } as const;
  const coupling: Coupling = { columnFactors, rowFactors };
  const costOf = async (how: Partial<Slab>) =>
    (scale / 2) *
    coupledSquares(difference(values, await roundTrip(transcoder, { ...slab, ...how })), {
      hessian,
      weights,
      math: kernels.feedback,
    });
  const [feedback, plain] = await Promise.all([costOf({ coupling }), costOf({ importance })]);
  return { feedback, plain };
}

function difference(values: Float32Array, others: Float32Array): Float32Array {
  return values.map((value, at) => value - others[at]!);
}

interface Judges {
  readonly hessian: Hessian;
  /** `[rows, rows]`. */
  readonly weights: Float32Array;
  readonly math: FeedbackMath;
}

/** tr(W Δ H Δᵀ), H the mean over its tokens. */
function coupledSquares(delta: Float32Array, { hessian, weights, math }: Judges): number {
  const { columns, tokens } = hessian;
  const rows = delta.length / columns;
  const products = minusTimesHessian(delta, hessian, math);
  let sum = 0;
  for (let a = 0; a < rows; a++)
    for (let b = 0; b < rows; b++) {
      const weight = weights[a * rows + b]!;
      if (weight === 0) continue;
      let dot = 0;
      for (let column = 0; column < columns; column++)
        dot += products[a * columns + column]! * delta[b * columns + column]!;
      sum -= weight * dot;
    }
  return sum / tokens;
}

/** −Δ H, block by block. */
function minusTimesHessian(
  delta: Float32Array,
  { columns, blockSize, sums }: Hessian,
  { subtractProducts }: FeedbackMath,
): Float32Array {
  const products = new Float32Array(delta.length);
  for (let start = 0; start < columns; start += blockSize) {
    const width = Math.min(blockSize, columns - start);
    subtractProducts({
      rows: delta.length / columns,
      columns: width,
      depth: width,
      target: { values: products, at: start, stride: columns },
      left: { values: delta, at: start, stride: columns },
      right: { values: sums, at: start * blockSize, stride: blockSize },
    });
  }
  return products;
}

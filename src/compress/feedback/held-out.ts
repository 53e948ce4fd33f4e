import { readRowsAt } from '../../evaluate/onnx/read-floats.ts';
import { hasGrid, type Coupling } from '../../kernels/feedback/coupling.ts';
import type { EncodableType } from '../../kernels/kernels.ts';
import { roundTrip } from '../../kernels/round-trip.ts';
import type { Slab, Transcoder } from '../../kernels/transcoder.ts';
import { columnsOf, type Tensor } from '../../tensor/tensor.ts';
import type { Evidence } from '../evidence/evidence.ts';
import type { Hessian } from '../evidence/hessian.ts';
import { chooseRows, type RowChoiceOptions } from './row-choice.ts';

/** A matrix as it would be stored, and what it is judged by. */
export interface HeldOutOptions extends RowChoiceOptions {
  readonly transcoder: Transcoder;
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
  const { couplings, transcoder, heldOut, type: to, importance } = options;
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
}

/** tr(W Δ H Δᵀ), H the mean over its tokens. */
function coupledSquares(delta: Float32Array, { hessian, weights }: Judges): number {
  const { columns } = hessian;
  const rows = delta.length / columns;
  const products = new Float32Array(delta.length);
  for (let row = 0; row < rows; row++)
    addProduct(delta.subarray(row * columns, (row + 1) * columns), hessian, products, row);
  let sum = 0;
  for (let a = 0; a < rows; a++)
    for (let b = 0; b < rows; b++) {
      const weight = weights[a * rows + b]!;
      if (weight === 0) continue;
      let dot = 0;
      for (let column = 0; column < columns; column++)
        dot += products[a * columns + column]! * delta[b * columns + column]!;
      sum += weight * dot;
    }
  return sum / hessian.tokens;
}

/** Writes Δ H of one row. */
function addProduct(
  delta: Float32Array,
  { blockSize, sums }: Hessian,
  products: Float32Array,
  row: number,
): void {
  const to = row * delta.length;
  for (const [column, error] of delta.entries()) {
    if (error === 0) continue;
    const start = column - (column % blockSize);
    const end = Math.min(start + blockSize, delta.length);
    const from = column * blockSize - start;
    for (let at = start; at < end; at++) products[to + at]! += error * sums[from + at]!;
  }
}

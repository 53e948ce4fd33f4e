import { readRowsAt } from '../../evaluate/onnx/read-floats.ts';
import { hasGrid, type Coupling } from '../../kernels/feedback/coupling.ts';
import type { FeedbackMath } from '../../kernels/feedback/feedback-math.ts';
import type { EncodableType, Kernels } from '../../kernels/kernels.ts';
import { roundTripValues } from '../../kernels/round-trip.ts';
import type { Transcoder } from '../../kernels/transcoder.ts';
import { columnsOf, rowsOf, type Tensor } from '../../tensor/tensor.ts';
import { expertRuns, type ExpertRun } from '../allocate/expert-runs.ts';
import type { Evidence } from '../evidence/evidence.ts';
import type { Hessian } from '../evidence/hessian.ts';
import { expertScales } from '../evidence/moments.ts';
import { chooseRows, type RowChoiceOptions } from './row-choice.ts';

/** A matrix as it would be stored, and what it is judged by. */
export interface HeldOutOptions extends RowChoiceOptions {
  readonly transcoder: Transcoder;
  /** Multiply the errors: the SIMD ones take a twentieth of the time. */
  readonly kernels: Kernels;
  /** Of text that `evidence` has nothing of, with Hessians. */
  readonly heldOut: Evidence;
  readonly type: EncodableType;
  /** What plain encoding weighs columns by, `[columns]`; of a stack `[experts, columns]`. */
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
 * A stack has one H. Each expert's rows are judged by it with columns scaled to the mean squares of the expert's own
 * inputs, drawn to the layer's where it saw few tokens.
 *
 * @returns Undefined for a matrix that is not coupled.
 * @throws PithError as `chooseRows`; what reading throws.
 * @remarks Of two `ffn_down` stacks of 8 random experts, feedback left 0.70 and 0.82 of the cost by held-out Hessians of
 *   each expert alone; this says 0.58 and 0.86, H unscaled 0.37 and 0.73.
 */
export async function heldOutCosts(
  tensor: Tensor,
  options: HeldOutOptions,
): Promise<HeldOutCosts | undefined> {
  const { couplings, transcoder, kernels, heldOut, type, importance } = options;
  const { name, shape } = tensor;
  const columnFactors = await couplings.columnFactors(name);
  const hessian = await heldOut.hessians?.hessianOf(name);
  if (!columnFactors || !hessian || !hasGrid(type)) return undefined;
  const choice = await chooseRows(name, options);
  const { rows, rowFactors, scale } = choice;
  const weights = await choice.weightsIn(heldOut);
  const columns = columnsOf(shape);
  const experts = importance.length / columns;
  const some: SomeRows = {
    columns,
    values: await readRowsAt(tensor, rows, transcoder),
    runs: expertRuns(rows, rowsOf(shape) / experts),
  };
  const scales = experts > 1 ? expertScales(heldOut.tensors.get(name)!.inputs) : undefined;
  const coupling: Coupling = { columnFactors, rowFactors };
  const [feedback, plain] = await Promise.all([
    roundTripValues(transcoder, some.values, { to: type, columns, coupling }),
    plainlyRounded(some, options),
  ]);
  const judges = { hessian, weights, math: kernels.feedback };
  const costOf = (decoded: Float32Array) =>
    (scale / 2) * coupledSquares(errorsOf(some, decoded, scales), judges);
  return { feedback: costOf(feedback), plain: costOf(plain) };
}

/** Rows of a matrix, or of several of a stack. */
interface SomeRows {
  readonly columns: number;
  /** `[rows, columns]`. */
  readonly values: Float32Array;
  readonly runs: readonly ExpertRun[];
}

/** What a decoder reads back of rows without feedback, each expert's rows with its own importance. */
async function plainlyRounded(
  { columns, values, runs }: SomeRows,
  { transcoder, type: to, importance: all }: HeldOutOptions,
): Promise<Float32Array> {
  const found = new Float32Array(values.length);
  for (const { expert, first, count } of runs) {
    const own = values.subarray(first * columns, (first + count) * columns);
    const importance = all.subarray(expert * columns, (expert + 1) * columns);
    const decoded = await roundTripValues(transcoder, own, { to, columns, importance });
    found.set(decoded, first * columns);
  }
  return found;
}

/** Differences; `scales`, `[experts, columns]`, say what they count. */
function errorsOf(
  { columns, values, runs }: SomeRows,
  decoded: Float32Array,
  scales: Float64Array | undefined,
): Float32Array {
  const errors = values.map((value, at) => value - decoded[at]!);
  if (!scales) return errors;
  for (const { expert, first, count } of runs)
    for (let at = first * columns; at < (first + count) * columns; at++)
      errors[at]! *= scales[expert * columns + (at % columns)]!;
  return errors;
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

import { PithError } from '../../util/errors.ts';
import type { Feedback, FeedbackBlock } from './feedback.ts';
import { codeOf } from './fit-group.ts';
import { fitGroupAt, fitOf, fitRows, roundRows, type CodedRows, type Range } from './fit-rows.ts';
import {
  demandRows,
  emptyCodes,
  measureCodes,
  type GroupCodes,
  type GroupGrid,
} from './group-codes.ts';

/** Columns whose errors reach the rest of a block together. */
const stripe = 128;

/** What a pass over some rows works on: weights, with the errors of rounded columns spread over the others. */
interface Pass extends CodedRows {
  readonly feedback: Feedback;
}

/**
 * Quantizes a matrix with GPTQ: columns one after the other, the error of each spread over those of its block that
 * are still to come. A group's scale is fitted when its first column is reached, to its weights as they are then,
 * weighed by 1 / U_jj²: what an error in column j costs after the columns behind it have made up for it.
 *
 * Where columns are ordered by activations, and where a group is a whole row, scales are fitted beforehand, to the
 * original weights, weighed by the Hessian's diagonal. Blocks without a factor are rounded to nearest.
 *
 * @param values - `[rows, columns]`; not modified. Any whole rows of a matrix will do.
 * @throws PithError `shape`, also when a group lies in two blocks of the Hessian; `unsupported`, `not-finite`.
 * @see Frantar et al. 2022, arXiv:2210.17323, algorithm 1. Differs: the weights of the fit, and the order is
 *   within a block.
 * @remarks rows · columns · blockSize multiplications and additions, 8 · rows · columns bytes. Checked against
 *   elimination on an explicit inverse in f64: the same codes.
 */
export function gptqGroups(values: Float32Array, feedback: Feedback, grid: GroupGrid): GroupCodes {
  const { columns, blocks, importance } = feedback;
  const rows = demandRows(values, columns, grid);
  const result = emptyCodes({ rows, columns }, grid);
  const isStatic = feedback.isOrdered || result.groupSize >= columns;
  if (!isStatic) demandWholeGroups(blocks, result.groupSize);
  const working = Float64Array.from(values);
  const pass = { working, grid, result, feedback };
  if (isStatic) fitRows(pass, importance, { from: 0, to: columns });
  for (const block of blocks) {
    if (block.factor) spreadErrors(pass, { ...block, factor: block.factor }, isStatic);
    else roundBlock(pass, block, isStatic);
  }
  return { ...result, error: measureCodes(values, result, importance) };
}

function demandWholeGroups(blocks: readonly FeedbackBlock[], groupSize: number): void {
  const cut = blocks.find(({ start }) => start % groupSize !== 0);
  if (cut)
    throw new PithError(
      'shape',
      `Column ${cut.start} begins a block of the Hessian inside a group of ${groupSize} columns.`,
      `Collect the Hessian in blocks of a multiple of ${groupSize} columns.`,
    );
}

function roundBlock(pass: Pass, { start, order }: FeedbackBlock, isStatic: boolean): void {
  const range = { from: start, to: start + order.length };
  if (!isStatic) fitRows(pass, pass.feedback.importance.subarray(start), range);
  roundRows(pass, range);
}

interface FactoredBlock extends FeedbackBlock {
  readonly factor: Float64Array;
}

function spreadErrors(pass: Pass, block: FactoredBlock, isStatic: boolean): void {
  const size = block.order.length;
  const weights = Float64Array.from(block.order, (_, at) => 1 / block.factor[at * size + at]! ** 2);
  const errors = new Float64Array(pass.result.rows * stripe);
  const { groupSize } = pass.result;
  let from = 0;
  while (from < size) {
    const to = Math.min(from + stripe, size, isStatic ? size : endOfGroups(from, groupSize));
    roundStripe(pass, block, { from, to, errors, weights: isStatic ? undefined : weights });
    spreadStripe(pass, block, { from, to, errors });
    from = to;
  }
}

/** Where a stripe from here must end, so that no group begins in it that reaches beyond it. */
function endOfGroups(from: number, groupSize: number): number {
  if (groupSize > stripe) return (Math.floor(from / groupSize) + 1) * groupSize;
  return from + stripe - (stripe % groupSize);
}

interface Stripe extends Range {
  /** `[rows, stripe]`: (w − ŵ) / U_jj. */
  readonly errors: Float64Array;
}

/** Rounds the columns of a stripe, and lets their errors reach the columns behind them in it. */
function roundStripe(
  pass: Pass,
  block: FactoredBlock,
  { from, to, errors, weights }: Stripe & { readonly weights: Float64Array | undefined },
): void {
  const { working, grid, result } = pass;
  const { rows, columns, groupSize } = result;
  const { start, order, factor } = block;
  const size = order.length;
  for (let row = 0; row < rows; row++) {
    const first = row * columns + start;
    for (let step = from; step < to; step++) {
      const column = order[step]!;
      if (weights && column % groupSize === 0)
        fitGroupAt(pass, row, start + column, weights.subarray(column));
      const fit = fitOf(result, row, start + column);
      const code = codeOf(working[first + column]!, fit, 2 ** grid.bits - 1);
      result.codes[first + column] = code;
      const read = (code - fit.zeroPoint) * fit.scale;
      const error = (working[first + column]! - read) / factor[step * size + step]!;
      errors[row * stripe + step - from] = error;
      for (let later = step + 1; later < to; later++)
        working[first + order[later]!]! -= error * factor[step * size + later]!;
    }
  }
}

/** Lets the errors of a stripe reach the columns behind it, a stripe of them at a time: its factors stay in cache. */
function spreadStripe({ working, result }: Pass, block: FactoredBlock, stripeErrors: Stripe): void {
  const { from, to, errors } = stripeErrors;
  const { rows, columns } = result;
  const { start, order, factor } = block;
  const size = order.length;
  for (let first = to; first < size; first += stripe) {
    const end = Math.min(first + stripe, size);
    const sums = new Float64Array(end - first);
    for (let row = 0; row < rows; row++) {
      sums.fill(0);
      for (let step = from; step < to; step++) {
        const error = errors[row * stripe + step - from]!;
        const source = step * size + first;
        for (let at = 0; at < sums.length; at++) sums[at]! += error * factor[source + at]!;
      }
      for (let at = 0; at < sums.length; at++)
        working[row * columns + start + order[first + at]!]! -= sums[at]!;
    }
  }
}

import { PithError } from '../../util/errors.ts';
import type { SecondMoments } from './evidence.ts';

/**
 * How many tokens the mean of a layer weighs beside an expert's own: an expert of 64 tokens takes half of
 * each. An expert's share of a column's variance is known to about √(2 / tokens), 18 % at 64.
 */
export const priorTokens = 64;

/**
 * Means of squares, `[experts, size]`; those of experts are drawn to the mean of their layer:
 * (n·v + n₀·v_layer) / (n + n₀), n₀ = {@link priorTokens}. An expert without a token has its layer's mean.
 * Zeros when no token came.
 *
 * @see llama.cpp v0.5.0, which differs: an expert without a token has the weight 1 in every column.
 */
export function meanSquares({ experts, size, sums, counts }: SecondMoments): Float64Array {
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total === 0) return new Float64Array(experts * size);
  if (experts === 1) return sums.map((sum) => sum / total);
  const layer = layerMeans({ size, sums }, total);
  return sums.map((sum, at) => {
    const count = counts[Math.floor(at / size)]!;
    return (sum + priorTokens * layer[at % size]!) / (count + priorTokens);
  });
}

/**
 * What brings the columns of all experts to the size of one expert's, `[experts, size]`: the roots of its mean squares,
 * drawn to its layer's, over those of the layer. 0 where the layer's are.
 */
export function expertScales(moments: SecondMoments): Float64Array {
  const { size, counts } = moments;
  const layer = layerMeans(
    moments,
    counts.reduce((sum, count) => sum + count, 0),
  );
  return meanSquares(moments).map((mean, at) => {
    const ofLayer = layer[at % size]!;
    return ofLayer > 0 ? Math.sqrt(mean / ofLayer) : 0;
  });
}

function layerMeans(
  { size, sums }: Pick<SecondMoments, 'size' | 'sums'>,
  total: number,
): Float64Array {
  const layer = new Float64Array(size);
  for (const [at, sum] of sums.entries()) layer[at % size]! += sum / total;
  return layer;
}

/**
 * Adds the sums of some more tokens.
 *
 * @param what - For the message: `the input of blk.3.attn_q.weight`.
 * @throws PithError `not-finite` naming it.
 */
export function addSquares(
  to: SecondMoments,
  sums: Float32Array,
  counts: ArrayLike<number>,
  what: string,
): void {
  const broken = sums.findIndex((sum) => !Number.isFinite(sum));
  if (broken >= 0)
    throw new PithError(
      'not-finite',
      `In ${what}, column ${broken % to.size} is not a finite number for some token.`,
      'See whether the weights are finite: pith verify FILE. If they are, the model overflows f32.',
    );
  for (let at = 0; at < sums.length; at++) to.sums[at]! += sums[at]!;
  for (let expert = 0; expert < to.experts; expert++) to.counts[expert]! += counts[expert]!;
}

import type { Evidence, SecondMoments, TensorEvidence } from '../evidence/evidence.ts';
import type { GramSource } from '../evidence/gram.ts';
import type { HessianSource } from '../evidence/hessian.ts';
import { foldedGroups, type FoldScales } from './fold.ts';
import { scaleOfColumn, type FoldGroup } from './groups.ts';

/** What a tensor's columns are multiplied by, `[experts or 1, columns]`, and its rows divided by. */
interface TensorScales {
  columns?: (expert: number, column: number) => number;
  rows?: (row: number) => number;
}

/**
 * The evidence of a folded model from that of the model: inputs become a / s, so their sums of squares are divided
 * by s² and Hessians by s_i s_j; gradients by rows that were divided are multiplied by s, and Gram matrices by s_i s_j.
 *
 * Exact, but for Hessians whose tokens count by their gradients (`weighted`): tokens keep the weights that they have
 * in the model before, where those of divided rows would change. Peaks of scaled inputs do not follow from those
 * before: they are left out.
 *
 * @param groups - Of the model, by `foldGroups`.
 * @returns New evidence; what no scale touches is shared with the old. Its source is that of the model before.
 * @throws PithError as `foldModel` does.
 */
export function foldEvidence(
  evidence: Evidence,
  groups: readonly FoldGroup[],
  scales: FoldScales,
): Evidence {
  const changes = changesOf(foldedGroups(groups, scales), scales);
  const tensors = [...evidence.tensors].map(([name, known]): [string, TensorEvidence] => {
    const change = changes.get(name);
    return [name, change ? foldedTensor(known, change) : known];
  });
  const { hessians, grams } = evidence;
  return {
    ...evidence,
    tensors: new Map(tensors),
    ...(hessians && { hessians: foldedHessians(hessians, changes) }),
    ...(grams && { grams: foldedGrams(grams, changes) }),
  };
}

function changesOf(
  groups: readonly FoldGroup[],
  scales: FoldScales,
): ReadonlyMap<string, TensorScales> {
  const changes = new Map<string, TensorScales>();
  const of = (name: string) => {
    const known = changes.get(name) ?? {};
    changes.set(name, known);
    return known;
  };
  for (const group of groups) {
    const values = scales.get(group.name)!;
    for (const name of group.multiplied) {
      of(name).columns = (expert, column) =>
        values[(group.sets > 1 ? expert * group.size : 0) + scaleOfColumn(group, column)]!;
    }
    for (const { tensor, first } of group.divided)
      of(tensor).rows = (row) => (row < first ? 1 : (values[row - first] ?? 1));
  }
  return changes;
}

function foldedTensor(known: TensorEvidence, { columns, rows }: TensorScales): TensorEvidence {
  const { peaks, ...others } = known;
  const { inputs, outputs } = known;
  const { size } = inputs;
  return {
    ...others,
    ...(peaks && !columns && { peaks }),
    ...(columns && {
      inputs: withSums(inputs, (at) => 1 / columns(Math.floor(at / size), at % size)),
    }),
    ...(rows && outputs && { outputs: withSums(outputs, rows) }),
  };
}

/** Sums of squares of numbers that are multiplied by `factor`. */
function withSums(moments: SecondMoments, factor: (at: number) => number): SecondMoments {
  return { ...moments, sums: moments.sums.map((sum, at) => sum * factor(at) ** 2) };
}

function foldedHessians(
  source: HessianSource,
  changes: ReadonlyMap<string, TensorScales>,
): HessianSource {
  return {
    ...source,
    async hessianOf(matrix) {
      const known = await source.hessianOf(matrix);
      const columns = changes.get(matrix)?.columns;
      if (!known || !columns) return known;
      const factors = Float64Array.from(
        { length: known.columns },
        (_, column) => 1 / columns(0, column),
      );
      return { ...known, sums: withFactors(known, factors) };
    },
  };
}

function foldedGrams(source: GramSource, changes: ReadonlyMap<string, TensorScales>): GramSource {
  return {
    ...source,
    async gramOf(matrix) {
      const known = await source.gramOf(matrix);
      const rows = changes.get(matrix)?.rows;
      if (!known || !rows) return known;
      const factors = Float64Array.from({ length: known.rows }, (_, row) => rows(row));
      return { ...known, sums: withFactors(known, factors) };
    },
  };
}

/** Blocks of Σ x xᵀ where x_i is multiplied by its factor; what fills up the last block stays 0. */
function withFactors(
  { blockSize, sums }: { readonly blockSize: number; readonly sums: Float32Array<ArrayBuffer> },
  factors: Float64Array,
): Float32Array<ArrayBuffer> {
  return sums.map((sum, at) => {
    const row = Math.floor(at / blockSize);
    const column = row - (row % blockSize) + (at % blockSize);
    return sum * (factors[row] ?? 0) * (factors[column] ?? 0);
  });
}

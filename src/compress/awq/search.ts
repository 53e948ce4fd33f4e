import type { EncodableType, Kernels } from '../../kernels/kernels.ts';
import type { Model } from '../../models/model.ts';
import { rowsOf } from '../../tensor/tensor.ts';
import { PithError } from '../../util/errors.ts';
import type { OnProgress } from '../../util/progress.ts';
import type { Evidence, SecondMoments } from '../evidence/evidence.ts';
import { meanSquares } from '../evidence/moments.ts';
import { candidates, candidateScales, type Candidate, type ColumnSizes } from './candidates.ts';
import { foldGroups, scaleOfColumn, type FoldGroup } from './groups.ts';
import { roundingCost, sampleMatrix, type SampledMatrix } from './sampled-matrix.ts';

/** How to search. */
export interface ScaleSearchOptions {
  readonly kernels: Kernels;
  /** The type that a matrix will be written in; matrices that stay as they are have none, and no cost. */
  readonly typeOf: (tensor: string) => EncodableType | undefined;
  /** Rows of each matrix that candidates are tried on; as many others decide whether the best is kept. Default 32. */
  readonly rows?: number;
  /** Exponents of each form. Default 20. */
  readonly steps?: number;
  readonly onProgress?: OnProgress | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What was found for one group. */
export interface GroupScales extends Candidate {
  readonly group: string;
  /** `[sets, size]`; all 1 when the form is `none`. */
  readonly scales: Float64Array;
  /** Cost of rounding on rows that the search did not see, as a share of that without scales; 1 for `none`. */
  readonly relativeCost: number;
}

/** Neighbours that a weight's size is told in. */
const neighbours = 32;

/**
 * For each group the scales that leave the least error in its outputs when its matrices are rounded by the very
 * encoders that will write them, importance included. A group whose best scales do not also win on rows that the
 * search did not see keeps scales of 1.
 *
 * @param evidence - Of the same model; groups without evidence are left out.
 * @returns One entry a group; `foldableScales` gives what `foldModel` takes.
 * @throws PithError `cancelled`; `unsupported` as `foldGroups`; what reading weights throws.
 * @see Lin et al. 2023, arXiv:2306.00978. Differs: the error is weighed by output gradients, the exponent of both
 *   forms is searched, and the choice is checked on other rows.
 * @remarks Encodes 2 · rows · columns · 2 · steps weights a matrix.
 */
export async function searchScales(
  model: Model,
  evidence: Evidence,
  options: ScaleSearchOptions,
): Promise<GroupScales[]> {
  const groups = foldGroups(model).filter((group) => isKnown(group, evidence, options));
  const found: GroupScales[] = [];
  for (const [done, group] of groups.entries()) {
    if (options.signal?.aborted)
      throw new PithError('cancelled', 'The search for scales was cancelled; nothing was written.');
    options.onProgress?.({ label: group.name, done, total: groups.length, unit: 'steps' });
    found.push(await searchGroup(model, evidence, { ...options, group }));
  }
  return found;
}

/** The scales by group, without those that are all 1. */
export function foldableScales(found: readonly GroupScales[]): Map<string, Float64Array> {
  return new Map(
    found.filter(({ form }) => form !== 'none').map(({ group, scales }) => [group, scales]),
  );
}

function isKnown(
  { multiplied }: FoldGroup,
  evidence: Evidence,
  { typeOf }: ScaleSearchOptions,
): boolean {
  return multiplied.some((name) => typeOf(name) !== undefined && evidence.tensors.has(name));
}

async function searchGroup(
  model: Model,
  evidence: Evidence,
  options: ScaleSearchOptions & { readonly group: FoldGroup },
): Promise<GroupScales> {
  const { group, kernels, steps = 20 } = options;
  const [seen, unseen] = [
    await samples(model, evidence, options, 0.25),
    await samples(model, evidence, options, 0.75),
  ];
  const sizes: ColumnSizes = {
    inputs: inputSizes(group, evidence),
    weights: weightSizes(group, seen),
  };
  const costOn = (matrices: readonly SampledMatrix[], scales: Float64Array) =>
    matrices.reduce((sum, matrix) => sum + roundingCost(kernels, matrix, group, scales), 0);
  const tried = candidates(steps).map((candidate) => {
    const scales = candidateScales(candidate, sizes, group.sets);
    return { ...candidate, scales, cost: costOn(seen, scales) };
  });
  const none = tried[0]!;
  const best = tried.reduce((least, one) => (one.cost < least.cost ? one : least), none);
  const relativeCost =
    best === none ? 1 : costOn(unseen, best.scales) / costOn(unseen, none.scales);
  // 0 / 0: types that store the weights as they are.
  const { form, exponent, scales } = relativeCost < 1 ? best : none;
  return {
    group: group.name,
    form,
    exponent,
    scales,
    relativeCost: relativeCost < 1 ? relativeCost : 1,
  };
}

async function samples(
  model: Model,
  evidence: Evidence,
  { group, typeOf, rows: count = 32 }: ScaleSearchOptions & { readonly group: FoldGroup },
  offset: number,
): Promise<SampledMatrix[]> {
  const found = await Promise.all(
    group.multiplied.map(async (name) => {
      const [type, known] = [typeOf(name), evidence.tensors.get(name)];
      const tensor = model.tensors.get(name)!;
      if (!type || !known || rowsOf(tensor.shape) === 0) return [];
      const hessian = await evidence.hessians?.hessianOf(name);
      return [await sampleMatrix(tensor, group, { type, evidence: known, hessian, count, offset })];
    }),
  );
  return found.flat();
}

/** Root mean squares of what is scaled, `[sets, size]`; of heads that share scales, over those heads. */
function inputSizes(group: FoldGroup, { tensors }: Evidence): Float64Array {
  const known = group.multiplied.flatMap((name) => tensors.get(name)?.inputs ?? []);
  const whole = known.find(({ experts }) => experts === group.sets) ?? overExperts(known[0]!);
  const squares = meanSquares(whole);
  const sums = new Float64Array(group.sets * group.size);
  for (const [at, square] of squares.entries()) {
    const set = Math.floor(at / whole.size);
    sums[set * group.size + scaleOfColumn(group, at % whole.size)]! += square;
  }
  return sums.map((sum) => Math.sqrt(sum / (group.heads?.shared ?? 1)));
}

/** Moments of the tokens of all experts together. */
function overExperts({ experts, size, sums, counts }: SecondMoments): SecondMoments {
  const together = new Float64Array(size);
  for (let at = 0; at < experts * size; at++) together[at % size]! += sums[at]!;
  return {
    experts: 1,
    size,
    sums: together,
    counts: Float64Array.of(counts.reduce((a, b) => a + b, 0)),
  };
}

/** Mean over rows of |weight| as a share of the largest of its neighbours', `[sets, size]`. */
function weightSizes(group: FoldGroup, matrices: readonly SampledMatrix[]): Float64Array {
  const sums = new Float64Array(group.sets * group.size);
  const counts = new Float64Array(sums.length);
  for (const { values, columns, sets } of matrices) {
    for (const [row, set] of sets.entries()) {
      for (let column = 0; column < columns; column++) {
        const start = row * columns + column - (column % neighbours);
        const end = Math.min(start + neighbours, (row + 1) * columns);
        const at = set * group.size + scaleOfColumn(group, column);
        sums[at]! += Math.abs(values[row * columns + column]!) / (peak(values, start, end) + 1e-30);
        counts[at]! += 1;
      }
    }
  }
  return sums.map((sum, at) => (counts[at]! > 0 ? sum / counts[at]! : 1));
}

function peak(values: Float32Array, start: number, end: number): number {
  let most = 0;
  for (let at = start; at < end; at++) most = Math.max(most, Math.abs(values[at]!));
  return most;
}

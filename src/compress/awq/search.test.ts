import { describe, expect, test } from 'vitest';
import { scalarKernels } from '../../kernels/scalar.ts';
import { golden, goldenModel } from '../../models/graph/golden.cases.ts';
import { seededRandom } from '../../util/random.ts';
import type { Evidence, SecondMoments, TensorEvidence } from '../evidence/evidence.ts';
import { candidates, candidateScales } from './candidates.ts';
import { foldGroups } from './groups.ts';
import type { FoldGroup } from './groups.ts';
import { roundingCost, sampleMatrix } from './sampled-matrix.ts';
import { foldableScales, searchScales } from './search.ts';
import type { GroupScales } from './search.ts';

const model = goldenModel(golden.decoders.find(({ label }) => label === 'mistral')!);

function moments(size: number, square: (at: number) => number): SecondMoments {
  const sums = Float64Array.from({ length: size }, (_, at) => 10 * square(at));
  return { experts: 1, size, sums, counts: Float64Array.of(10) };
}

/** Evidence of every matrix: mean squares of input columns by their number. */
function evidenceOf(square: (at: number) => number): Evidence {
  const tensors = foldGroups(model).flatMap(({ multiplied }) =>
    multiplied.map((name): [string, TensorEvidence] => {
      const [rows, columns] = model.tensors.get(name)!.shape as [number, number];
      const outputs = moments(rows, (row) => 1 + (row % 3));
      return [name, { inputs: moments(columns, square), outputs }];
    }),
  );
  const source = { model: '', modelHash: '', tokenizerHash: '', dataHash: '', seed: 1 };
  return {
    source: { ...source, datasets: [] },
    tokens: 10,
    windowTokens: 10,
    tensors: new Map(tensors),
    warnings: [],
  };
}

/** One column in eight gets inputs 30 times as large as the others. */
const outliers = evidenceOf((at) => (at % 8 === 3 ? 900 : 1));

function search(evidence: Evidence, type: 'Q4_0' | 'F32'): Promise<GroupScales[]> {
  return searchScales(model, evidence, {
    kernels: scalarKernels,
    typeOf: (name) => (model.tensors.get(name)!.shape.at(-1)! % 32 === 0 ? type : undefined),
    rows: 8,
    steps: 5,
  });
}

describe('candidates', () => {
  const sizes = {
    inputs: Float64Array.of(1, 4, 16, 0, 1, 1, 9, 1),
    weights: new Float64Array(8).fill(0.25),
  };

  test('without scaling, and 19 + 20 exponents', () => {
    const all = candidates(20);
    expect(all).toHaveLength(40);
    expect(all[0]).toEqual({ form: 'none', exponent: 0 });
    expect(all.at(-1)).toEqual({ form: 'both', exponent: 0.95 });
  });

  test('a^½, of each set over √(max · min): 1, 2, 4 become ½, 1, 2; nothing enters column 3', () => {
    const scales = candidateScales({ form: 'inputs', exponent: 0.5 }, sizes, 2);
    expect([...scales]).toEqual(
      [0.5, 1, 2, 1, 1, 1, 3, 1].map((x, at) => (at < 4 ? x : x / Math.sqrt(3))),
    );
  });

  test('where all weights are alike both forms are one', () => {
    const [one, other] = (['inputs', 'both'] as const).map((form) =>
      candidateScales({ form, exponent: 0.3 }, sizes, 2),
    );
    for (const [at, scale] of one!.entries()) expect(other![at]).toBeCloseTo(scale, 12);
  });

  test('of 10⁻¹⁰ and 10¹⁰ the scales are cut to 10⁻⁴ and 10⁴', () => {
    const far = { inputs: Float64Array.of(1e-10, 1e10), weights: Float64Array.of(1, 1) };
    const scales = candidateScales({ form: 'inputs', exponent: 0.95 }, far, 1);
    expect([...scales]).toEqual([1e-4, 1e4]);
  });
});

describe('the cost of rounding', () => {
  const name = 'blk.0.attn_q.weight';
  const group: FoldGroup = { name: 'g', divided: [], multiplied: [name], sets: 1, size: 32 };
  const known = outliers.tensors.get(name)!;
  const options = { type: 'Q4_0', evidence: known, count: 4, offset: 0.25 } as const;

  test('is Σ g v Δ² of what Q4_0 reads back, and Σ g Δ H Δᵀ with a Hessian, in blocks of 20 of 32 columns', async () => {
    const random = seededRandom(3);
    const blocks = Float32Array.from({ length: 2 * 400 }, (_, at) =>
      at % 21 === 0 ? 20 : random.normal(),
    );
    const hessian = { columns: 32, blockSize: 20, sums: blocks, tokens: 10 };
    const scales = Float64Array.from({ length: 32 }, (_, at) => 1 + (at % 4));
    const tensor = model.tensors.get(name)!;
    const plain = await sampleMatrix(tensor, group, { ...options, hessian: undefined });
    const full = await sampleMatrix(tensor, group, { ...options, hessian });
    let byMoments = 0;
    let byHessian = 0;
    const step = tensor.shape[0]! / 4;
    for (const row of [0, 1, 2, 3].map((at) => Math.floor((at + 0.25) * step))) {
      const bytes = await tensor.read(row, 1);
      const weights = new Float32Array(bytes.slice().buffer);
      const rounded = weights.map((weight, at) => weight * scales[at]!);
      const out = new Uint8Array(18);
      const importance = Float32Array.from(scales, (s, at) => (at % 8 === 3 ? 900 : 1) / s ** 2);
      scalarKernels.encode('Q4_0', rounded, 32, out, importance);
      scalarKernels.decode('Q4_0', out, rounded);
      const delta = Array.from(rounded, (value, at) => value / scales[at]! - weights[at]!);
      const gradient = 1 + (row % 3);
      for (let j = 0; j < 32; j++) {
        byMoments += gradient * (j % 8 === 3 ? 900 : 1) * delta[j]! ** 2;
        const block = Math.floor(j / 20);
        for (let k = 20 * block; k < Math.min(20 * block + 20, 32); k++) {
          const h = blocks[400 * block + 20 * (j % 20) + (k % 20)]! / 10;
          byHessian += gradient * delta[j]! * h * delta[k]!;
        }
      }
    }
    const costs = [plain, full].map((one) => roundingCost(scalarKernels, one, group, scales));
    expect(costs[0]! / byMoments).toBeCloseTo(1, 10);
    expect(costs[1]! / byHessian).toBeCloseTo(1, 10);
  });
});

describe('the search', () => {
  test('where one input in eight is 30 times as large, scales take 10 % off the cost of Q4_0 over all rows', async () => {
    const found = await search(outliers, 'Q4_0');
    let [before, after] = [0, 0];
    for (const group of foldGroups(model)) {
      const scales = found.find((one) => one.group === group.name)?.scales;
      for (const name of scales ? group.multiplied : []) {
        const evidence = outliers.tensors.get(name)!;
        const all = {
          type: 'Q4_0',
          evidence,
          hessian: undefined,
          count: Infinity,
          offset: 0,
        } as const;
        const matrix = await sampleMatrix(model.tensors.get(name)!, group, all);
        before += roundingCost(
          scalarKernels,
          matrix,
          group,
          scales!.map(() => 1),
        );
        after += roundingCost(scalarKernels, matrix, group, scales!);
      }
    }
    expect(after / before).toBeLessThan(0.9);
    const { scales } = found.find(({ form }) => form === 'inputs')!;
    expect(scales[3]).toBeGreaterThan(scales[2]!);
  });

  test('a group whose scales lose on other rows keeps 1 and says so; one that wins says by how much', async () => {
    const found = await search(outliers, 'Q4_0');
    for (const { form, scales, relativeCost } of found) {
      expect(scales.every((scale) => scale === 1)).toBe(form === 'none');
      expect(relativeCost < 1).toBe(form !== 'none');
    }
    const names = found.filter(({ form }) => form !== 'none').map(({ group }) => group);
    expect(names.length).toBeGreaterThan(2);
    expect([...foldableScales(found).keys()]).toEqual(names);
  });

  test('types that round nothing keep scales of 1', async () => {
    const found = await search(outliers, 'F32');
    expect(found.length).toBeGreaterThan(0);
    expect(found.every(({ form, relativeCost }) => form === 'none' && relativeCost === 1)).toBe(
      true,
    );
    expect(foldableScales(found).size).toBe(0);
  });

  test('groups without evidence are left out', async () => {
    const tensors = new Map(
      [...outliers.tensors].filter(([name]) => name.includes('blk.0.attn_q')),
    );
    const found = await search({ ...outliers, tensors }, 'Q4_0');
    expect(found.map(({ group }) => group)).toEqual(['blk.0.attn_norm']);
  });

  test('a cancelled search stops', async () => {
    const signal = AbortSignal.abort();
    const options = { kernels: scalarKernels, typeOf: () => 'Q4_0' as const, signal };
    await expect(searchScales(model, outliers, options)).rejects.toThrow('cancelled');
  });
});

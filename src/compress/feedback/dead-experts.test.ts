import { beforeAll, expect, test } from 'vitest';
import { WeightStore } from '../../evaluate/onnx/weight-store.ts';
import { ReferenceEngine } from '../../graph/reference/engine.ts';
import { scalarKernels } from '../../kernels/scalar.ts';
import { inlineTranscoder, type Slab } from '../../kernels/transcoder.ts';
import { golden, goldenModel } from '../../models/graph/golden.cases.ts';
import type { Model } from '../../models/model.ts';
import { columnsOf, rowsOf, type Tensor } from '../../tensor/tensor.ts';
import { activationNoise } from '../allocate/activation-noise.ts';
import { predictCosts } from '../allocate/costs.ts';
import { columnImportance, usesOf } from '../allocate/uses.ts';
import { collectEvidence } from '../evidence/collect.ts';
import { coverageWarnings } from '../evidence/coverage.ts';
import type { Evidence } from '../evidence/evidence.ts';
import { meanSquares } from '../evidence/moments.ts';
import { coupledCosts } from './coupled-costs.ts';
import { Couplings } from './couplings.ts';
import { heldOutCosts } from './held-out.ts';

const transcoder = inlineTranscoder(scalarKernels);
const stacks = ['gate', 'up', 'down'].map((part) => `blk.1.ffn_${part}_exps.weight`);
/** Those whose 32 columns are a block of Q4_0. */
const blocked = stacks.slice(0, 2);
const experts = 5;

/** Rows a, −a, b, −b and 0: two of the first four always score above the last, which no token goes to. */
async function withDeadExpert(router: Tensor): Promise<Tensor> {
  const columns = columnsOf(router.shape);
  const given = new Float32Array((await router.read(0, experts)).slice().buffer);
  const rows = Float32Array.from(given, (_, at) => {
    const [row, column] = [Math.floor(at / columns), at % columns];
    if (row === experts - 1) return 0;
    return (row % 2 === 0 ? 1 : -1) * given[Math.floor(row / 2) * columns + column]!;
  });
  const read = async (first: number, count: number) =>
    new Uint8Array(rows.buffer, 4 * first * columns, 4 * count * columns);
  return { ...router, read };
}

async function mixtral(): Promise<Model> {
  const model = goldenModel(golden.decoders.find(({ label }) => label === 'mixtral')!);
  const tensors = new Map(model.tensors);
  for (const layer of [0, 1]) {
    const name = `blk.${layer}.ffn_gate_inp.weight`;
    tensors.set(name, await withDeadExpert(tensors.get(name)!));
  }
  return { ...model, tensors };
}

async function measured(model: Model, windows: readonly Int32Array[]): Promise<Evidence> {
  const engine = new ReferenceEngine();
  const weights = new WeightStore(model, engine, transcoder, true);
  const how = { hessianBlock: 32, singular: true };
  const source = { model: 'mixtral' } as Evidence['source'];
  const collected = await collectEvidence({ model, engine, weights }, windows, how);
  return { ...collected, source, warnings: coverageWarnings(collected) };
}

let model: Model;
let evidence: Evidence;
let heldOut: Evidence;

beforeAll(async () => {
  model = await mixtral();
  const text = Int32Array.from(golden.tokens);
  evidence = await measured(model, [text, text.toReversed()]);
  heldOut = await measured(model, [text.map((token) => (7 * token + 3) % 32)]);
});

test('26 tokens of two experts each leave the dead one without any, which a warning tells', () => {
  for (const name of stacks) {
    const { inputs, outputs } = evidence.tensors.get(name)!;
    expect(inputs.counts[4]).toBe(0);
    expect(outputs!.counts).toEqual(inputs.counts);
    expect(inputs.counts.reduce((sum, count) => sum + count, 0)).toBe(52);
  }
  expect(evidence.warnings).toContain(
    'Experts that saw fewer than 64 tokens: 5 of 5 (1 none) in blk.0, 5 of 5 (1 none) in blk.1; ' +
      'they are drawn to the mean of their layer.',
  );
});

test('its columns weigh what the 52 tokens of the others weigh on the mean, its rows cost nothing', () => {
  for (const name of stacks) {
    const { inputs } = evidence.tensors.get(name)!;
    const [use] = usesOf(name, evidence);
    const { size, sums } = inputs;
    for (let column = 0; column < size; column++) {
      let sum = 0;
      for (let expert = 0; expert < experts; expert++) sum += sums[expert * size + column]!;
      expect(meanSquares(inputs)[4 * size + column]).toBeCloseTo(sum / 52, 12);
    }
    const each = use!.rows.length / experts;
    expect(use!.rows.subarray(4 * each).every((cost) => cost === 0)).toBe(true);
    expect(use!.rows.subarray(0, 4 * each).every((cost) => cost > 0)).toBe(true);
  }
});

test('what types cost is a number above 0 with feedback and without, and so is noise', async () => {
  const couplings = new Couplings(evidence, transcoder);
  const options = { evidence, couplings, transcoder };
  const known = (tensor: Tensor) => coupledCosts(tensor, ['Q4_0'], options);
  const tensors = new Map(blocked.map((name) => [name, model.tensors.get(name)!]));
  const how = { types: ['Q4_0'], transcoder, rows: 32 } as const;
  const plain = await predictCosts({ ...model, tensors }, evidence, how);
  const fedBack = await predictCosts({ ...model, tensors }, evidence, { ...how, known });
  for (const name of blocked) {
    const noise = await activationNoise(model.tensors.get(name)!, options);
    const costs = [plain.get(name)![0]!.cost, fedBack.get(name)![0]!.cost, noise('Q4_0')];
    expect(costs.filter((cost) => !(cost > 0 && Number.isFinite(cost)))).toEqual([]);
  }
  expect(couplings.notes).toEqual([]);
});

test.each([0, 1])(
  'held-out text judges stack %i, with a row of the dead expert among others or not',
  async (at) => {
    const name = blocked[at]!;
    const couplings = new Couplings(evidence, transcoder);
    const importance = columnImportance(usesOf(name, evidence));
    const tools = { couplings, transcoder, kernels: scalarKernels };
    const options = { ...tools, evidence, heldOut, importance, type: 'Q4_0' } as const;
    for (const rows of [16, 240]) {
      const costs = (await heldOutCosts(model.tensors.get(name)!, { ...options, rows }))!;
      expect(costs.plain).toBeGreaterThan(0);
      expect(costs.feedback / costs.plain).toBeGreaterThan(0.1);
      expect(costs.feedback / costs.plain).toBeLessThan(2);
    }
  },
);

test('the rows of the dead expert are stored as well as those of others, with feedback and without', async () => {
  const couplings = new Couplings(evidence, transcoder);
  for (const name of blocked) {
    const tensor = model.tensors.get(name)!;
    const importance = columnImportance(usesOf(name, evidence));
    const columns = columnsOf(tensor.shape);
    const each = rowsOf(tensor.shape) / experts;
    const coupling = (await couplings.couplingOf(name, 4 * each))!;
    const errorOf = async (expert: number, how: Partial<Slab>) => {
      const bytes = await tensor.read(expert * each, each);
      const slab = { from: 'F32', to: 'Q4_0', columns, bytes, ...how } as const;
      const { squaredError, squaredNorm } = await transcoder.transcode(slab);
      return squaredError / squaredNorm;
    };
    const own = importance.subarray(4 * columns);
    for (const how of [{ importance: own }, { coupling }])
      expect((await errorOf(4, how)) / (await errorOf(0, how))).toBeLessThan(1.5);
  }
});

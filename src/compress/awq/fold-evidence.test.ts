import { expect, test } from 'vitest';
import { WeightStore } from '../../evaluate/onnx/weight-store.ts';
import { ReferenceEngine } from '../../graph/reference/engine.ts';
import { scalarKernels } from '../../kernels/scalar.ts';
import { inlineTranscoder } from '../../kernels/transcoder.ts';
import { golden, goldenModel } from '../../models/graph/golden.cases.ts';
import type { Model } from '../../models/model.ts';
import { collectEvidence } from '../evidence/collect.ts';
import type { CollectOptions } from '../evidence/collection.ts';
import type { Evidence } from '../evidence/evidence.ts';
import { foldEvidence } from './fold-evidence.ts';
import { foldModel } from './fold.ts';
import { foldGroups } from './groups.ts';
import type { FoldGroup } from './groups.ts';

async function collected(model: Model, options: CollectOptions): Promise<Evidence> {
  const engine = new ReferenceEngine();
  const weights = new WeightStore(model, engine, inlineTranscoder(scalarKernels), true);
  const windows = [Int32Array.from(golden.tokens)];
  const found = await collectEvidence({ model, engine, weights }, windows, options);
  const source = { model: '', modelHash: '', tokenizerHash: '', dataHash: '', seed: 1 };
  return { ...found, source: { ...source, datasets: [] }, warnings: [] };
}

type Numbers = Float32Array | Float64Array;

/** The largest difference, as a share of the largest value. */
function distance(found: Numbers, measured: Numbers): number {
  expect(found.length).toBe(measured.length);
  const expected = Float64Array.from(measured);
  const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return (
    expected.reduce((most, value, at) => Math.max(most, Math.abs(value - found[at]!)), 0) / largest
  );
}

function spreadScales(groups: readonly FoldGroup[]): Map<string, Float64Array> {
  return new Map(
    groups.map(({ name, sets, size }) => [
      name,
      Float64Array.from({ length: sets * size }, (_, at) => 2 ** ((at % 5) - 2)),
    ]),
  );
}

async function foldedAndMeasured(label: string, options: CollectOptions) {
  const model = goldenModel(golden.decoders.find((one) => one.label === label)!);
  const groups = foldGroups(model);
  const scales = spreadScales(groups);
  const folded = foldEvidence(await collected(model, options), groups, scales);
  const scaled = new Set(groups.flatMap(({ multiplied }) => multiplied));
  return { folded, scaled, measured: await collected(foldModel(model, scales), options) };
}

const labels = ['qwen2_moe', 'phi3'];

test.each(labels)(
  'folded moments and Gram matrices are what the folded model gives, within 1e-4: %s',
  async (label) => {
    const { folded, measured, scaled } = await foldedAndMeasured(label, {
      hessianBlock: 12,
      outputBlock: 12,
    });
    const distances = [...measured.tensors].flatMap(([name, { inputs, outputs }]) => {
      const found = folded.tensors.get(name)!;
      expect(found.peaks === undefined).toBe(scaled.has(name));
      return [
        distance(found.inputs.sums, inputs.sums),
        distance(found.outputs!.sums, outputs!.sums),
      ];
    });
    for (const name of measured.grams!.shapes.keys()) {
      const [found, expected] = [folded, measured].map((one) => one.grams!.gramOf(name));
      distances.push(distance((await found!)!.sums, (await expected!)!.sums));
    }
    expect(distances.length).toBeGreaterThan(16);
    expect(Math.max(...distances)).toBeLessThan(1e-4);
  },
);

test.each(labels)('so are Hessians of all tokens alike: %s', async (label) => {
  const options = { hessianBlock: 12, gradients: false };
  const { folded, measured } = await foldedAndMeasured(label, options);
  const names = [...measured.hessians!.keptAs.keys()];
  const distances = await Promise.all(
    names.map(async (name) => {
      const [found, expected] = [folded, measured].map((one) => one.hessians!.hessianOf(name));
      return distance((await found!)!.sums, (await expected!)!.sums);
    }),
  );
  expect(distances.length).toBeGreaterThan(4);
  expect(Math.max(...distances)).toBeLessThan(1e-4);
});

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { Model } from '../../models/model.ts';
import { fakeModel } from '../../models/fake-model.cases.ts';
import { fileTypeNames, parseFileType } from './file-types.ts';
import { typeThatFits } from './mix.ts';
import { planQuantization } from './plan.ts';
import type { Imatrix } from './importance.ts';

interface GoldenModel {
  label: string;
  architecture: string;
  keys: Record<string, number>;
  outside: Record<string, number[]>;
  layers: number;
  layer: Record<string, number[]>;
  /** Null where llama-quantize stops: rows that blocks of Q1_0 do not divide. */
  cases: Record<string, [bytes: number, digest: string] | null>;
}

const golden = JSON.parse(
  readFileSync(new URL('../../../test/golden/quantize-mixes.json', import.meta.url), 'utf8'),
) as { models: GoldenModel[] };

const imatrix: Imatrix = {
  source: 'imatrix.gguf',
  datasets: [],
  chunks: 1,
  entries: new Map(),
  notes: [],
};

function modelOf({ architecture, keys, outside, layers, layer }: GoldenModel): Model {
  const shapes: Record<string, number[]> = { ...outside };
  for (let index = 0; index < layers; index++) {
    for (const [name, shape] of Object.entries(layer)) shapes[`blk.${index}.${name}`] = shape;
  }
  return fakeModel({ architecture, keys, shapes });
}

function summary(model: Model, label: string): [bytes: number, digest: string] {
  const [mix, option] = label.split(' ');
  const [name] = model.tensors.keys();
  const columns = model.tensors.get(name!)!.shape.at(-1)!;
  const entries = new Map([[name!, { experts: 1, values: new Float32Array(columns) }]]);
  const { tensors } = planQuantization(model, {
    type: parseFileType(mix!, option === 'pure'),
    ...(option === 'imatrix' && { imatrix: { ...imatrix, entries } }),
  });
  const sorted = [...tensors].sort((a, b) => (a.name < b.name ? -1 : 1));
  const listing = sorted.map(({ name, to }) => `${name}=${to}\n`).join('');
  const digest = createHash('sha256').update(listing).digest('hex').slice(0, 12);
  return [tensors.reduce((total, { bytes }) => total + bytes, 0), digest];
}

test.each(golden.models)(
  'every tensor takes llama-quantize v0.5.0’s type in all 69 file types and options: $label',
  (entry) => {
    const model = modelOf(entry);
    const labels = Object.keys(entry.cases);
    expect(labels).toHaveLength(2 * fileTypeNames.length + 3);
    const answered = Object.entries(entry.cases).filter(([, theirs]) => theirs !== null);
    const ours = answered.map(([label]) => [label, summary(model, label)]);
    expect(ours).toEqual(answered);
  },
);

test('a type whose blocks do not divide a row gives way to 32-weight blocks, else to F16', () => {
  expect(typeThatFits('Q4_K', 512)).toBe('Q4_K');
  expect(typeThatFits('Q4_K', 576)).toBe('Q5_0');
  expect(typeThatFits('IQ4_XS', 576)).toBe('IQ4_NL');
  expect(typeThatFits('Q2_0', 96)).toBe('Q4_0');
  expect(typeThatFits('Q1_0', 448)).toBe('Q4_0');
  expect(typeThatFits('Q6_K', 80)).toBe('F16');
  expect(typeThatFits('Q4_0', 80)).toBe('F16');
});

import { expect, test } from 'vitest';
import { writeGguf } from '../../formats/gguf/write.ts';
import { memorySource } from '../../util/memory-source.ts';
import { readImatrix } from '../quantize/imatrix.ts';
import { coverageWarnings } from './coverage.ts';
import type { Evidence, SecondMoments } from './evidence.ts';
import { gramSource } from './gram.ts';
import { hessianSource } from './hessian.ts';
import { planEvidenceFile, planImatrixFile, type PlannedFile } from './evidence-file.ts';
import { addSquares, expertScales, meanSquares, priorTokens } from './moments.ts';
import { readEvidence } from './read-evidence.ts';

function moments(sums: number[], counts: number[]): SecondMoments {
  const size = sums.length / counts.length;
  return {
    experts: counts.length,
    size,
    sums: Float64Array.from(sums),
    counts: Float64Array.from(counts),
  };
}

const experts = 'blk.0.ffn_up_exps.weight';
const evidence: Evidence = {
  source: {
    model: 'tiny',
    modelHash: 'aa',
    tokenizerHash: 'bb',
    dataHash: 'cc',
    datasets: ['text.txt'],
    seed: 7,
  },
  tokens: 64,
  windowTokens: 32,
  tensors: new Map([
    [
      'blk.0.attn_q.weight',
      {
        inputs: moments([1, 2, 3, 4], [64]),
        outputs: moments([5, 6], [64]),
        peaks: { of32: moments([8], [64]), of256: moments([9], [64]) },
      },
    ],
    [experts, { inputs: moments([64, 192, 0, 0, 0, 64], [64, 0, 64]) }],
  ]),
  embedding: { gradients: moments([7, 8, 9, 10], [64]), rows: Float64Array.of(60, 0, 4) },
  warnings: ['thin'],
};

async function sourceOf({ plan, valuesOf }: PlannedFile) {
  const chunks: Uint8Array[] = [];
  const sink = { write: async (bytes: Uint8Array) => void chunks.push(bytes.slice()) };
  await writeGguf(plan, sink, async function* ({ name }) {
    yield new Uint8Array((await valuesOf(name)).buffer);
  });
  return memorySource(new Uint8Array(Buffer.concat(chunks)), 'evidence.gguf');
}

test('evidence comes back from its file as it was', async () => {
  expect(await readEvidence(await sourceOf(planEvidenceFile(evidence)))).toEqual(evidence);
});

test('Hessians lie in the file once for all matrices that share them, and are read one at a time', async () => {
  const shape = { columns: 4, blockSize: 3, tokens: 64 };
  // Two blocks of 3 columns, the second of 1 and filled up.
  const sums = Float32Array.from({ length: 18 }, (_, at) => (at <= 9 ? at : 0));
  const name = 'blk.0.attn_q.weight';
  const keptAs = new Map([
    [name, name],
    ['blk.0.attn_k.weight', name],
  ]);
  const kept = { keptAs, shapes: new Map([[name, shape]]), weighted: true };
  const hessians = hessianSource(kept, () => Promise.resolve(sums));
  const bytes = await sourceOf(planEvidenceFile({ ...evidence, hessians }));
  const found = (await readEvidence(bytes)).hessians!;
  expect(found).toMatchObject(kept);
  expect(await found.hessianOf('blk.0.attn_k.weight')).toEqual({ ...shape, sums });
  expect(await found.hessianOf(experts)).toBeUndefined();
  const without = await sourceOf(planEvidenceFile(evidence));
  expect(bytes.byteLength - without.byteLength).toBeLessThan(sums.byteLength + 400);

  const wrong = { ...kept, shapes: new Map([[name, { ...shape, blockSize: 5 }]]) };
  const five = Float32Array.from({ length: 25 }, () => 1);
  const broken = hessianSource(wrong, () => Promise.resolve(five));
  const file = await sourceOf(planEvidenceFile({ ...evidence, hessians: broken }));
  await expect(readEvidence(file)).rejects.toMatchObject({
    code: 'corrupt',
    message: expect.stringContaining('hessian of [5, 5] does not fit 4 rows or columns'),
  });
});

test('Gram matrices lie in the file by matrix, and must fit its rows', async () => {
  const shape = { rows: 2, blockSize: 2, tokens: 64 };
  const sums = Float32Array.of(5, -1, -1, 6);
  const name = 'blk.0.attn_q.weight';
  const fileWith = (blockSize: number) => {
    const shapes = new Map([[name, { ...shape, blockSize }]]);
    const filled = blockSize === 2 ? sums : new Float32Array(blockSize ** 2);
    const grams = gramSource(shapes, () => Promise.resolve(filled));
    return sourceOf(planEvidenceFile({ ...evidence, grams }));
  };
  const { grams } = await readEvidence(await fileWith(2));
  expect(await grams!.gramOf(name)).toEqual({ ...shape, sums });
  expect(await grams!.gramOf(experts)).toBeUndefined();
  await expect(readEvidence(await fileWith(3))).rejects.toMatchObject({
    code: 'corrupt',
    message: expect.stringContaining('gram of [3, 3] does not fit 2 rows or columns'),
  });
});

test('an evidence file is an importance matrix for whatever reads those', async () => {
  const imatrix = await readImatrix(await sourceOf(planEvidenceFile(evidence)));
  expect(imatrix).toMatchObject({ datasets: ['text.txt'], chunks: 2 });
  expect([...imatrix.entries.keys()]).toEqual(['blk.0.attn_q.weight', experts]);
  expect([...imatrix.entries.get('blk.0.attn_q.weight')!.values]).toEqual(
    [1, 2, 3, 4].map((x) => x / 64),
  );
});

test('an expert of as many tokens as the prior lies half way to its layer, one without has its mean', async () => {
  // Of the layer: (64 + 0 + 0) / 128 = 0.5 and (192 + 0 + 64) / 128 = 2.
  const expected = [0.75, 2.5, 0.5, 2, 0.25, 1.5];
  expect(priorTokens).toBe(64);
  expect([...meanSquares(evidence.tensors.get(experts)!.inputs)]).toEqual(expected);
  const imatrix = await readImatrix(await sourceOf(planImatrixFile(evidence)));
  expect([...imatrix.entries.get(experts)!.values]).toEqual(expected);
  expect(imatrix.notes).toEqual([]);
});

test('an expert is scaled by the root of its mean squares over those of its layer, one without tokens by 1', () => {
  // Squares as above over 0.5 and 2; a column that is 0 for all stays so.
  const squares = [1.5, 1.25, 1, 1, 0.5, 0.75];
  expect([...expertScales(evidence.tensors.get(experts)!.inputs)]).toEqual(squares.map(Math.sqrt));
  expect([...expertScales(moments([0, 1, 0, 1], [2, 2]))]).toEqual([0, 1, 0, 1]);
});

test('thin coverage is told: few tokens, starved experts, columns that are always 0', () => {
  const wide = moments(
    Array.from({ length: 100 }, (_, at) => at),
    [64],
  );
  const tensors = new Map(evidence.tensors).set('output.weight', { inputs: wide });
  expect(coverageWarnings({ tokens: 64, tensors })).toEqual([
    '64 tokens are fewer than the input columns of output.weight (100): give more text, or expect error feedback to fit noise.',
    'Experts that saw fewer than 64 tokens: 1 of 3 (1 none) in blk.0; they are drawn to the mean of their layer.',
    'Some input columns were always 0: output.weight (1 of 100).',
  ]);
});

test('starved experts are told by the layer, once for its stacks; of more than eight layers the rest as a sum', () => {
  const stack = { inputs: moments([1, 1, 1, 0], [70, 64, 63, 0]) };
  const full = { inputs: moments([1, 1], [64, 64]) };
  const tensors = new Map(
    Array.from({ length: 11 }, (_, layer) =>
      ['up', 'down'].map(
        (part) => [`blk.${layer}.ffn_${part}_exps.weight`, layer === 1 ? full : stack] as const,
      ),
    ).flat(),
  );
  const shown = [0, 2, 3, 4, 5, 6, 7, 8].map((layer) => `2 of 4 (1 none) in blk.${layer}`);
  expect(coverageWarnings({ tokens: 99, tensors })).toEqual([
    `Experts that saw fewer than 64 tokens: ${shown.join(', ')} and 4 of 8 (2 none) in 2 more layers; they are drawn to the mean of their layer.`,
  ]);
});

test('a sum that is no number is refused by the name of what it is of', () => {
  const to = moments([0, 0], [0]);
  expect(() => addSquares(to, Float32Array.of(1, NaN), [1], 'the input of x')).toThrow(
    'In the input of x, column 1 is not a finite number for some token.',
  );
});

test('a llama-imatrix file is no evidence file, and says how to make one', async () => {
  const source = await sourceOf(planImatrixFile(evidence));
  await expect(readEvidence(source)).rejects.toMatchObject({
    code: 'unsupported',
    hint: 'Make it again: pith calibrate MODEL -o evidence.gguf',
  });
});

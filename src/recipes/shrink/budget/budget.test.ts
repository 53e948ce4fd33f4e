import { expect, test } from 'vitest';
import { planAllocation } from '../../../compress/quantize/plan-allocation.ts';
import { fakeModel } from '../../../models/fake-model.cases.ts';
import { parseBudgets, type Budget, type GivenBudgets, type SizedBudget } from './budget.ts';
import { candidatesOf, candidateTypes } from './candidates.ts';
import { blankImatrix, checkBudget, fileBudget, frameOf } from './file-frame.ts';

const shapes = {
  'token_embd.weight': [100, 256],
  'blk.0.attn_norm.weight': [256],
  'blk.0.attn_v.weight': [128, 256],
  // Rows of 33 · 32 weights: no whole blocks of 256.
  'blk.0.ffn_down.weight': [256, 1056],
};
const model = fakeModel({ architecture: 'llama', keys: { block_count: 1 }, shapes, type: 'BF16' });
const candidates = candidatesOf(model, candidateTypes({}));
const frame = frameOf(model, candidates, blankImatrix(model, ['text.txt']));
const [size] = parseBudgets({ size: ['1MB'] }) as [SizedBudget];
const ofBytes = (bytes: number): Budget => ({ ...size, kind: 'size', bytes });

test.each([
  [{ size: ['3.2GB', ' 4 GiB'] }, ['3.2GB', '4GiB']],
  [{ size: ['3.2GB', '3200MB'] }, ['3.2GB']],
  [{ bits: 4.5 }, ['4.5bit']],
  [{ keep: '95%' }, ['keep95']],
  [{ keep: 99.5 }, ['keep99.5']],
] satisfies [GivenBudgets, string[]][])('%j makes files called %j', (given, labels) => {
  expect(parseBudgets(given).map(({ label }) => label)).toEqual(labels);
});

test.each([
  [{}, 'No budget is given'],
  [{ size: ['1MB'], bits: 4 }, 'Only one of --size, --bits and --keep'],
  [{ size: ['1XB'] }, '"1XB" is not a size'],
  [{ size: ['1MB', '2MB', '3MB', '4MB', '5MB'] }, '5 sizes were asked for'],
  [{ bits: 0 }, 'A budget of 0 bits'],
  [{ keep: '100%' }, '--keep 100% is no percentage'],
  [{ keep: 'most' }, '--keep most is no percentage'],
] satisfies [GivenBudgets, string][])('%j is refused: %s', (given, message) => {
  expect(() => parseBudgets(given)).toThrow(
    expect.objectContaining({ code: 'usage', message: expect.stringContaining(message) as string }),
  );
});

test('header, kept tensors and padded matrices are the whole file, to the byte', () => {
  for (const at of [0, 1, 2]) {
    const types = new Map([...candidates].map(([name, own]) => [name, own[at]!.type]));
    const matrices = [...candidates.values()].reduce((sum, own) => sum + own[at]!.bytes, 0);
    const { layout } = planAllocation(model, types, blankImatrix(model, ['text.txt']));
    expect(frame.headerBytes + frame.keptBytes + matrices).toBe(layout.totalBytes);
  }
});

test('bits are of all weights, the header not counted: 4 bits of 328,960 weights are 164,480 bytes', () => {
  const bits = parseBudgets({ bits: 4 })[0] as SizedBudget;
  expect(frame.weights).toBe(100 * 256 + 256 + 128 * 256 + 256 * 1056);
  expect(fileBudget(bits, frame) - frame.headerBytes).toBe(frame.weights / 2);
});

test('a budget below the smallest file is refused with what that is made of', () => {
  const least = [...candidates.values()].reduce(
    (sum, own) => sum + Math.min(...own.map(({ bytes }) => bytes)),
    frame.headerBytes + frame.keptBytes,
  );
  expect(() => checkBudget(ofBytes(least), frame, candidates)).not.toThrow();
  expect(() => checkBudget(ofBytes(least - 1), frame, candidates)).toThrow(
    expect.objectContaining({
      code: 'unsupported',
      message: expect.stringMatching(
        /smallest possible, .*header and vocabulary .*, norms .* 1,024, matrices/,
      ) as string,
      hint: `Use --size ${least} or more.`,
    }),
  );
});

test('the least bits that are advised are enough', () => {
  const bits = parseBudgets({ bits: 1 })[0] as SizedBudget;
  let hint = '';
  try {
    checkBudget(bits, frame, candidates);
  } catch (error) {
    hint = (error as { hint: string }).hint;
  }
  const advised = Number(/--bits ([\d.]+)\./.exec(hint)![1]);
  const [enough] = parseBudgets({ bits: advised });
  expect(() => checkBudget(enough!, frame, candidates)).not.toThrow();
});

test('a budget that holds the original is refused with its size', () => {
  const { totalBytes } = planAllocation(model, new Map()).layout;
  expect(frame.originalBytes).toBe(totalBytes);
  expect(() => checkBudget(ofBytes(totalBytes - 1), frame, candidates)).not.toThrow();
  expect(() => checkBudget(ofBytes(totalBytes), frame, candidates)).toThrow(/The original takes/);
});

test('candidates: blocks that divide rows, without codebooks, or those asked for alone', () => {
  const types = candidates.get('blk.0.ffn_down.weight')!.map(({ type }) => type);
  expect(types).toEqual(expect.arrayContaining(['Q4_0', 'IQ4_NL', 'Q8_0']));
  expect(types).not.toContain('Q4_K');
  expect(candidateTypes({ codebooks: false })).not.toContain('IQ3_S');
  expect(candidateTypes({ types: ['q4_k', 'Q6_K', 'Q4_K'] })).toEqual(['Q4_K', 'Q6_K']);
  expect(() => candidateTypes({ types: ['IQ3_S'], codebooks: false })).toThrow(/none is left/);
  expect(() => candidateTypes({ types: ['Q4_KM'] })).toThrow(/There is no quantization type/);
});

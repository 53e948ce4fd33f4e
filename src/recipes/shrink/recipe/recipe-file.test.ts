import { expect, test } from 'vitest';
import { chosenTypes, parseRecipe, serializeRecipe, type ShrinkRecipe } from './recipe-file.ts';

const recipe: ShrinkRecipe = {
  format: 'pith-shrink/1',
  model: { name: './my-model', sha256: 'ab'.repeat(32) },
  budget: { size: ['3.2GB'] },
  calibration: { data: [{ name: 'a.txt', sha256: 'cd'.repeat(32) }], context: 512 },
  evaluation: { data: [{ name: 'sample' }], maxTokens: 2000 },
  candidates: ['Q4_K', 'Q6_K'],
  pith: '0.1.0',
  chosen: {
    '3.2GB': { bytes: 3_199_999_968, klDivergence: 0.0123, types: { 'output.weight': 'Q6_K' } },
  },
};

test('what is written is what is read; types are by file and tensor', () => {
  expect(parseRecipe(serializeRecipe(recipe), 'recipe.yaml')).toEqual(recipe);
  const types = new Map([['output.weight', 'Q6_K']]);
  expect(chosenTypes(recipe)).toEqual(new Map([['3.2GB', { types, klDivergence: 0.0123 }]]));
});

test('a recipe by hand needs a format and a budget', () => {
  const text = 'format: pith-shrink/1\nbudget: { keep: 95% }';
  expect(parseRecipe(text, 'mine.yaml').budget).toEqual({ keep: '95%' });
});

test.each([
  ['budget: { bits: 4 }\nbugdet: 1', 'format: Invalid input: expected "pith-shrink/1".'],
  ['budgets: { bits: 4 }\nbudget: {}', 'there is no field budgets. Did you mean budget?'],
  ['budget: { bit: 4 }', 'there is no field budget.bit. Did you mean bits?'],
  [
    'budget: {}\nevaluation: { data: [{ name: a, xyz: b }] }',
    'there is no field evaluation.data.0.xyz. Known: name, sha256.',
  ],
  [
    'budget: {}\nchosen: { 4bit: { bytes: 1, klDivergence: 1, typs: {} } }',
    'chosen.4bit.types: Invalid input: expected record, received undefined.',
  ],
  ['budget: { bits: [', 'mine.yaml is not YAML'],
])('%j is refused: %s', (text, message) => {
  const head = message.startsWith('format') ? '' : 'format: pith-shrink/1\n';
  expect(() => parseRecipe(head + text, 'mine.yaml')).toThrow(
    expect.objectContaining({ code: 'usage', message: expect.stringContaining(message) as string }),
  );
});

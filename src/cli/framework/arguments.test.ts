import { expect, expectTypeOf, test } from 'vitest';
import { parseArguments } from './arguments.ts';
import { defineCommand } from './command.ts';

const command = defineCommand({
  name: 'bake',
  summary: 'Bake a cake.',
  examples: ['pith bake cake.yaml --type sponge'],
  positionals: {
    recipe: { description: 'What to bake.' },
    oven: { description: 'Where.', optional: true },
  },
  options: {
    type: { type: 'string', short: 't', choices: ['sponge', 'tart'], description: 'Kind.' },
    layers: { type: 'integer', short: 'n', default: 2, min: 1, max: 9, description: 'Layers.' },
    heat: { type: 'number', min: 0, description: 'Heat.' },
    size: { type: 'bytes', description: 'Size.' },
    topping: { type: 'string', multiple: true, description: 'On top.' },
    cover: { type: 'boolean', description: 'With a lid.' },
  },
  run: () => Promise.resolve({}),
});

const parse = (...argv: string[]) => parseArguments(command, argv);
const usage = (message: RegExp, hint?: RegExp) =>
  expect.objectContaining({
    code: 'usage',
    message: expect.stringMatching(message) as string,
    ...(hint && { hint: expect.stringMatching(hint) as string }),
  }) as Error;

test('values have the types of their specs', () => {
  const { options, positionals } = parse('a.yaml', '-t', 'tart', '-n', '3', '--size=3.2GB');
  expectTypeOf(options.layers).toEqualTypeOf<number>();
  expectTypeOf(options.type).toEqualTypeOf<'sponge' | 'tart' | undefined>();
  expectTypeOf(options.topping).toEqualTypeOf<readonly string[]>();
  expectTypeOf(positionals.oven).toEqualTypeOf<string | undefined>();
  expect(positionals).toEqual({ recipe: 'a.yaml' });
  expect(options).toEqual({
    type: 'tart',
    layers: 3,
    heat: undefined,
    size: 3.2e9,
    topping: [],
    cover: false,
    json: false,
    quiet: false,
    help: false,
  });
});

test('an option may be repeated, flags may stand anywhere, text may begin with a dash', () => {
  const { options } = parse('--topping', 'a', '--json', 'x', '--topping', '- b', '--cover');
  expect(options.topping).toEqual(['a', '- b']);
  expect([options.json, options.cover]).toEqual([true, true]);
});

test('--help needs nothing else', () => {
  expect(parse('--help').options.help).toBe(true);
});

test.each([
  [['x', '--layrs', '2'], /Unknown option --layrs/, /--layers/],
  [['x', '--zzzzzzzz'], /Unknown option --zzzzzzzz/, /pith bake --help/],
  [['x', '--constructor'], /Unknown option --constructor/, undefined],
  [['x', '-n', '0'], /from 1 to 9, not "0"/, undefined],
  [['x', '-n', '1.5'], /a whole number/, undefined],
  [['x', '-n', ''], /a whole number/, undefined],
  [['x', '--heat', '-1'], /of at least 0, not "-1"/, undefined],
  [['x', '--heat', 'NaN'], /a number/, undefined],
  [['x', '-t', 'tarts'], /one of sponge, tart; not "tarts"/, /tart/],
  [['x', '-t'], /-t needs a value/, /sponge\|tart/],
  [['x', '-t', '--cover'], /-t needs a value/, undefined],
  [['x', '--cover=yes'], /--cover takes no value/, undefined],
  [['x', '--size', 'large'], /"large" is not a size/, /3\.2GB/],
  [[], /RECIPE is missing/, /pith bake cake\.yaml/],
  [['x', 'y', 'z'], /takes 2 arguments, "z" is one too many/, undefined],
] as const)('%j is refused with the usage code', (argv, message, hint) => {
  expect(() => parse(...argv)).toThrow(usage(message, hint));
});

test('a required option that is missing is named with its description', () => {
  const strict = defineCommand({
    ...command,
    options: { output: { type: 'string', required: true, description: 'Where to write.' } },
    run: () => Promise.resolve({}),
  });
  expect(() => parseArguments(strict, ['x'])).toThrow(
    usage(/--output is missing: Where to write\./),
  );
});

test('a last positional may take several words, at least one', () => {
  const many = defineCommand({
    name: 'eat',
    summary: 'Eat cakes.',
    examples: ['pith eat cake'],
    positionals: {
      who: { description: 'Who eats.' },
      cake: { description: 'What.', multiple: true },
    },
    options: {},
    run: () => Promise.resolve({}),
  });
  const { positionals } = parseArguments(many, ['me', 'sponge', 'tart']);
  expectTypeOf(positionals.cake).toEqualTypeOf<readonly string[]>();
  expect(positionals).toEqual({ who: 'me', cake: ['sponge', 'tart'] });
  expect(() => parseArguments(many, ['me'])).toThrow(usage(/CAKE is missing/));
});

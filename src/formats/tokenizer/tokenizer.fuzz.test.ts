import * as fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import llamaJson from '../../../test/golden/tokenizer/llama-bpe-json.json' with { type: 'json' };
import spmBpe from '../../../test/golden/tokenizer/spm-bpe.json' with { type: 'json' };
import { PithError } from '../../util/errors.ts';
import { ggufVocabulary } from './gguf-vocabulary.ts';
import { compileRegex } from './pre-tokenizer/regex.ts';

const numRuns = Number(process.env['PITH_FUZZ_RUNS'] ?? 150);
/** 20,000 runs of the slowest property take 30 s. */
vi.setConfig({ testTimeout: 300_000 });

/** What a run threw other than a PithError. */
function misbehaviour(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    if (!(error instanceof PithError)) return error;
  }
  return undefined;
}

const convert = (files: Record<string, Uint8Array>) =>
  misbehaviour(() => ggufVocabulary(new Map(Object.entries(files))));
const encode = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
const model = Uint8Array.from(atob(spmBpe.model), (c) => c.charCodeAt(0));

test('a tokenizer.model of any bytes is read or refused with a PithError', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      expect(convert({ 'tokenizer.model': bytes })).toBeUndefined();
    }),
    { numRuns },
  );
});

test('a cut or bit-flipped tokenizer.model is read or refused with a PithError', () => {
  const flips = fc.array(fc.tuple(fc.nat(model.length - 1), fc.nat(7)), { maxLength: 4 });
  fc.assert(
    fc.property(flips, fc.nat(model.length), (changes, length) => {
      const bytes = model.slice(0, length);
      for (const [at, bit] of changes) if (at < length) bytes[at]! ^= 1 << bit;
      expect(convert({ 'tokenizer.model': bytes })).toBeUndefined();
    }),
    { numRuns },
  );
});

const surprises = fc.oneof(
  fc.jsonValue({ maxDepth: 2 }),
  fc.constantFrom<unknown>(-1, 1e9, 2 ** 53, 1e308, '', '\ud800', '▁', '<0x41>', [], {}, null),
);

/** Replaces what lies at a path, walked by taking the n-th member at each level. */
function replaceAt(value: unknown, path: readonly number[], replacement: unknown): unknown {
  if (path.length === 0 || typeof value !== 'object' || value === null) return replacement;
  const entries = Object.entries(value);
  if (entries.length === 0) return replacement;
  const at = path[0]! % entries.length;
  const changed = replaceAt(entries[at]![1], path.slice(1), replacement);
  if (Array.isArray(value)) return value.with(at, changed);
  return { ...value, [entries[at]![0]]: changed };
}

test('a tokenizer.json with any member replaced is read or refused with a PithError', () => {
  const path = fc.array(fc.nat(2000), { maxLength: 5 });
  fc.assert(
    fc.property(path, surprises, (at, replacement) => {
      const changed = replaceAt(llamaJson.tokenizer, at, replacement);
      expect(convert({ 'tokenizer.json': encode(changed) })).toBeUndefined();
    }),
    { numRuns },
  );
});

test('tokenizer_config.json and config.json of any content are read or refused', () => {
  const settings = fc.record(
    {
      bos_token: surprises,
      add_bos_token: surprises,
      chat_template: surprises,
      added_tokens_decoder: fc.dictionary(fc.string({ maxLength: 3 }), surprises),
      vocab_size: surprises,
      eos_token_id: surprises,
      text_config: surprises,
    },
    { requiredKeys: [] },
  );
  const tokenizer = encode(llamaJson.tokenizer);
  fc.assert(
    fc.property(settings, (content) => {
      const config = encode(content);
      expect(
        convert({
          'tokenizer.json': tokenizer,
          'tokenizer_config.json': config,
          'config.json': config,
        }),
      ).toBeUndefined();
    }),
    { numRuns: Math.ceil(numRuns / 3) },
  );
});

const fragments =
  'a b ( ) (?: (?= (?<! (?> (?i) [ ] [^ && | * + ? {2} {1,3} {,2} \\s \\p{L} \\P{Lu} \\ ^ $ - . \\b {';

test('a regex of any metacharacters is compiled and stops, or is refused', () => {
  const source = fc.array(fc.constantFrom(...fragments.split(' ')), { maxLength: 14 });
  const text = Array.from('aab Ab\n  b!aaaa');
  fc.assert(
    fc.property(source, (parts) => {
      const run = () => compileRegex(parts.join('')).findAll(text, { left: 20_000 });
      expect(misbehaviour(run)).toBeUndefined();
    }),
    { numRuns: numRuns * 4 },
  );
});

/** Oniguruma ends a loop at an empty round, JavaScript tries a longer one: not the shared syntax. */
const matchesNothing = (source: string) =>
  ['', 'a', 'b'].some((text) => new RegExp(`^(?:${source})(?<=^)`, 'u').test(text));

const atom = fc.constantFrom('a', 'b', '[ab]', '[^a]', '\\d', '.');
const edge = fc.constantFrom('(?=a)', '(?!b)', '$');
const quantifier = fc.constantFrom('', '', '*', '+', '?', '*?', '+?', '{2}', '{1,2}');
const regexTree = fc.letrec<{ node: string }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 3 },
    fc.tuple(atom, quantifier).map(([source, count]) => source + count),
    edge,
    fc.array(tie('node'), { minLength: 1, maxLength: 3 }).map((items) => items.join('')),
    fc.tuple(tie('node'), tie('node')).map(([left, right]) => `(?:${left}|${right})`),
    fc
      .tuple(tie('node'), quantifier)
      .map(([source, count]) => `(?:${source})${matchesNothing(source) ? '' : count}`),
  ),
})).node;

test('on the syntax they share, matches equal those of the JavaScript engine', () => {
  fc.assert(
    fc.property(regexTree, fc.stringMatching(/^[ab1]{0,8}$/), (source, text) => {
      const ours = compileRegex(source)
        .findAll(Array.from(text), { left: 1e6 })
        .map(([start, end]) => text.slice(start, end))
        .filter((match) => match !== '');
      // not the v flag: V8 of Node 20 finds nothing for /[^a]a/v in "1a"
      const theirs = [...text.matchAll(new RegExp(source, 'gu'))].map(([match]) => match);
      expect([source, text, ours]).toEqual([source, text, theirs.filter((match) => match !== '')]);
    }),
    { numRuns: numRuns * 4 },
  );
});

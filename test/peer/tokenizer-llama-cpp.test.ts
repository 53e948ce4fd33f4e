import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getLlama, LlamaLogLevel, type Llama } from 'node-llama-cpp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadTokenizer } from '../../src/data/tokenizer.ts';
import { ggufVocabulary } from '../../src/formats/tokenizer/gguf-vocabulary.ts';
import { byteAlphabet } from '../../src/formats/tokenizer/gpt2-vocabulary.ts';
import { knownPreTokenizers } from '../../src/formats/tokenizer/pre-tokenizer/known.ts';
import { writeVocabularyGguf } from './vocabulary-gguf.ts';

/** Made by interop/tokenizer_golden.py; each file names its library versions. */
const golden = (name: string) =>
  JSON.parse(
    readFileSync(join(import.meta.dirname, '../golden/tokenizer', `${name}.json`), 'utf8'),
  ) as { texts: string[]; ids: number[][]; tokenizer: TokenizerFile; model: string };

interface TokenizerFile {
  model: { vocab: Record<string, number>; merges: [string, string][]; ignore_merges?: boolean };
}

const json = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
const folder = mkdtempSync(join(tmpdir(), 'pith-vocabulary-'));
let llama: Llama;

beforeAll(async () => {
  llama = await getLlama({ gpu: false, build: 'never', logLevel: LlamaLogLevel.disabled });
});
afterAll(async () => {
  await llama.dispose();
  rmSync(folder, { recursive: true });
});

async function llamaIds(
  files: ReadonlyMap<string, Uint8Array>,
  texts: readonly string[],
): Promise<number[][]> {
  const path = join(folder, 'vocabulary.gguf');
  writeVocabularyGguf(path, ggufVocabulary(files).metadata);
  const model = await llama.loadModel({ modelPath: path, vocabOnly: true });
  try {
    return texts.map((text) => Array.from(model.tokenize(text, false)));
  } finally {
    await model.dispose();
  }
}

function differing(expected: readonly number[][], actual: readonly number[][]): number[] {
  return expected.flatMap((ids, i) => (String(ids) === String(actual[i]) ? [] : [i]));
}

const unsplit = golden('unsplit-bpe');
const ranks = new Map(
  unsplit.tokenizer.model.merges.map(([left, right], rank) => [`${left} ${right}`, rank]),
);
const letters = byteAlphabet();

/** BPE of one piece over the vocabulary whose merges cross every boundary. */
function merge(piece: string, ignoreMerges: boolean): number[] {
  const { vocab } = unsplit.tokenizer.model;
  const parts = Array.from(new TextEncoder().encode(piece), (byte) => letters[byte]!);
  const whole = vocab[parts.join('')];
  if (ignoreMerges && whole !== undefined) return [whole];
  for (;;) {
    const pairs = parts.slice(1).map((right, i) => ranks.get(`${parts[i]} ${right}`) ?? Infinity);
    const best = Math.min(...pairs);
    if (best === Infinity) return parts.map((part) => vocab[part]!);
    const at = pairs.indexOf(best);
    parts.splice(at, 2, parts[at]! + parts[at + 1]!);
  }
}

interface Family {
  name: string;
  preTokenizer: unknown;
  ignoreMerges: boolean;
  cleansSpaces: boolean;
  pieces: string[][];
}
const { texts, families } = JSON.parse(
  readFileSync(join(import.meta.dirname, '../golden/tokenizer/pre-tokenizers.json'), 'utf8'),
) as { texts: string[]; families: Family[] };

/** Golden texts on which llama.cpp v0.5.0 is known to differ; each row of the table says why. */
const deviating: Record<string, number[]> = {
  'deepseek-coder': [20],
  'deepseek-llm': [8, 10, 20, 23],
  tekken: [11, 12],
  'gpt-4o': [11, 12],
};

test.each(families.map((family) => [family.name, family] as const))(
  'llama.cpp cuts 24 texts for %s as tokenizers 0.23.3 does, but for stated deviations',
  async (name, family) => {
    const { model } = unsplit.tokenizer;
    const files = new Map([
      [
        'tokenizer.json',
        json({
          ...unsplit.tokenizer,
          pre_tokenizer: family.preTokenizer,
          model: { ...model, ignore_merges: family.ignoreMerges },
        }),
      ],
      ['tokenizer_config.json', json({ clean_up_tokenization_spaces: family.cleansSpaces })],
    ]);
    const expected = family.pieces.map((pieces) =>
      pieces.flatMap((piece) => merge(piece, family.ignoreMerges)),
    );
    expect(differing(expected, await llamaIds(files, texts))).toEqual(deviating[name] ?? []);
    const known = knownPreTokenizers.find((row) => [row.name, ...row.aliases].includes(name))!;
    expect(known.deviation !== undefined).toBe(name in deviating);
  },
);

const fromBase64 = (text: string) => new Uint8Array(Buffer.from(text, 'base64'));

test.each([
  ['byte-level BPE (tokenizer.json)', 'gpt2-bpe', 'tokenizer.json', []],
  ['SentencePiece BPE (tokenizer.model)', 'spm-bpe', 'tokenizer.model', []],
  ['the same BPE as Llama-style tokenizer.json', 'llama-bpe-json', 'tokenizer.json', []],
  ['SentencePiece Unigram (tokenizer.model)', 'spm-unigram', 'tokenizer.model', []],
  // 11: spacing marks of Indic scripts; 20: zero-width space and byte order mark
  ['WordPiece (tokenizer.json)', 'word-piece', 'tokenizer.json', [11, 20]],
] as const)('llama.cpp gives the ids of the library for %s', async (_, name, file, known) => {
  const { texts, ids, tokenizer, model } = golden(name);
  const bytes = file === 'tokenizer.json' ? json(tokenizer) : fromBase64(model);
  expect(differing(ids, await llamaIds(new Map([[file, bytes]]), texts))).toEqual(known);
});

test('llama.cpp and the text tokenizer give the same ids for the model in the box, all 24 texts', async () => {
  const sample = join(import.meta.dirname, '../../models/sample');
  const files = new Map(
    ['tokenizer.json', 'tokenizer_config.json', 'config.json'].map((name) => [
      name,
      new Uint8Array(readFileSync(join(sample, name))),
    ]),
  );
  const tokenizer = loadTokenizer(files);
  const expected = texts.map((text) => tokenizer.encode(text));
  expect(differing(expected, await llamaIds(files, texts))).toEqual([]);
});

import { expect, test } from 'vitest';
import gpt2 from '../../../test/golden/tokenizer/gpt2-bpe.json' with { type: 'json' };
import llamaJson from '../../../test/golden/tokenizer/llama-bpe-json.json' with { type: 'json' };
import spmBpe from '../../../test/golden/tokenizer/spm-bpe.json' with { type: 'json' };
import spmUnigram from '../../../test/golden/tokenizer/spm-unigram.json' with { type: 'json' };
import wordPiece from '../../../test/golden/tokenizer/word-piece.json' with { type: 'json' };
import sampleGeneration from '../../../models/sample/generation_config.json' with { type: 'json' };
import sampleConfig from '../../../models/sample/config.json' with { type: 'json' };
import sampleTokenizer from '../../../models/sample/tokenizer.json' with { type: 'json' };
import sampleSettings from '../../../models/sample/tokenizer_config.json' with { type: 'json' };
import { ggufVocabulary, type GgufVocabulary } from './gguf-vocabulary.ts';

const json = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
const bytes = (base64: string) => Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));

function convert(files: Record<string, unknown>): GgufVocabulary {
  return ggufVocabulary(
    new Map(
      Object.entries(files).map(([name, value]) => [
        name,
        value instanceof Uint8Array ? value : json(value),
      ]),
    ),
  );
}
const value = (vocabulary: GgufVocabulary, key: string): unknown =>
  vocabulary.metadata.get(`tokenizer.${key}`)?.value;
const strings = (vocabulary: GgufVocabulary, key: string) => value(vocabulary, key) as string[];
const numbers = (vocabulary: GgufVocabulary, key: string) => value(vocabulary, key) as number[];

test('the model in the box becomes 4,096 gpt2 tokens with pre gpt-2 and nothing added', () => {
  const vocabulary = convert({
    'tokenizer.json': sampleTokenizer,
    'tokenizer_config.json': sampleSettings,
    'config.json': sampleConfig,
    'generation_config.json': sampleGeneration,
  });
  expect([...vocabulary.metadata.keys()].map((key) => key.replace('tokenizer.ggml.', ''))).toEqual([
    'model',
    'pre',
    'tokens',
    'token_type',
    'merges',
    'bos_token_id',
    'eos_token_id',
    'padding_token_id',
    'add_bos_token',
    'add_eos_token',
  ]);
  const of = (key: string) => value(vocabulary, `ggml.${key}`);
  expect([vocabulary.size, of('model'), of('pre')]).toEqual([4096, 'gpt2', 'gpt-2']);
  expect([of('bos_token_id'), of('eos_token_id'), of('padding_token_id')]).toEqual([0, 0, 1]);
  expect([of('add_bos_token'), of('add_eos_token')]).toEqual([false, false]);
  expect(strings(vocabulary, 'ggml.merges').slice(0, 2)).toEqual(['Ġ t', 'h e']);
  expect(numbers(vocabulary, 'ggml.token_type').slice(0, 3)).toEqual([3, 3, 1]);
  expect(vocabulary.notes).toEqual([expect.stringContaining('drops the space before')]);
});

const small = {
  model: { type: 'BPE', vocab: { a: 0, b: 1, ab: 2 }, merges: [['a', 'b']] },
  pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, use_regex: true },
  added_tokens: [{ id: 3, content: '<|end|>', special: true }],
};

test('merges as "a b" and as ["a","b"] give the same keys', () => {
  const merges = gpt2.tokenizer.model.merges.map((pair) => pair.join(' '));
  const old = { ...gpt2.tokenizer, model: { ...gpt2.tokenizer.model, merges } };
  const entries = [...convert({ 'tokenizer.json': gpt2.tokenizer }).metadata];
  expect([...convert({ 'tokenizer.json': old }).metadata]).toEqual(entries);
});

test('rows up to vocab_size are padded with unused [PADn] tokens, as convert_hf_to_gguf.py does', () => {
  const vocabulary = convert({ 'tokenizer.json': small, 'config.json': { vocab_size: 6 } });
  expect(strings(vocabulary, 'ggml.tokens').slice(3)).toEqual(['<|end|>', '[PAD4]', '[PAD5]']);
  expect(numbers(vocabulary, 'ggml.token_type')).toEqual([1, 1, 1, 3, 5, 5]);
  expect(vocabulary.notes).toContain("2 of the model's 6 rows have no token in the tokenizer.");
});

test('a hole between ids is padded, and a padding name that exists is not used twice', () => {
  const model = { ...small.model, vocab: { a: 0, b: 1, ab: 2, '[PAD4]': 5 } };
  const vocabulary = convert({ 'tokenizer.json': { ...small, model } });
  expect(strings(vocabulary, 'ggml.tokens').slice(4)).toEqual(['[PAD4]_', '[PAD4]']);
});

test('an added token past vocab_size is left out with a note; an own token there is refused', () => {
  const cut = convert({ 'tokenizer.json': small, 'config.json': { vocab_size: 3 } });
  expect(cut.size).toBe(3);
  expect(cut.notes.join()).toContain('"<|end|>" has the id 3, but the model has 3 rows');
  expect(() => convert({ 'tokenizer.json': small, 'config.json': { vocab_size: 2 } })).toThrow(
    'The token "ab" has the id 2, but vocab_size is 2',
  );
});

test('added tokens: special and <|...|> are control, others user-defined with plain spaces', () => {
  const added_tokens = [
    { id: 3, content: '<|x|>', special: false },
    { id: 4, content: '▁▁', special: false },
    { id: 5, content: 'stop', special: true },
    { id: 6, content: '<pad>', special: false },
  ];
  const vocabulary = convert({ 'tokenizer.json': { ...small, added_tokens } });
  expect(strings(vocabulary, 'ggml.tokens').slice(3)).toEqual(['<|x|>', '  ', 'stop', '<pad>']);
  expect(numbers(vocabulary, 'ggml.token_type').slice(3)).toEqual([3, 4, 3, 3]);
});

const refused: [why: string, files: Record<string, unknown>, message: string][] = [
  ['no tokenizer at all', {}, 'neither tokenizer.json nor tokenizer.model'],
  [
    'two tokens with one id',
    { 'tokenizer.json': { ...small, model: { ...small.model, vocab: { a: 0, b: 0, ab: 1 } } } },
    'The token "b" has the id 0 of "a"',
  ],
  [
    'one token with two ids',
    { 'tokenizer.json': { ...small, added_tokens: [{ id: 7, content: 'ab' }] } },
    'The token "ab" has two ids, 2 and 7',
  ],
  [
    'two added tokens with one id',
    {
      'tokenizer.json': {
        ...small,
        added_tokens: [
          { id: 3, content: 'x' },
          { id: 3, content: 'y' },
        ],
      },
    },
    'the added token "y" clashes',
  ],
  [
    'an id of 10^9',
    { 'tokenizer.json': { ...small, added_tokens: [{ id: 1e9, content: 'x' }] } },
    'A vocabulary of 1000000001 tokens',
  ],
  [
    'a vocab_size of 10^9',
    { 'tokenizer.json': small, 'config.json': { vocab_size: 1e9 } },
    'A vocabulary of 1000000000 tokens',
  ],
  [
    'half a surrogate pair',
    { 'tokenizer.json': { ...small, added_tokens: [{ id: 3, content: '\ud800' }] } },
    'holds half a surrogate pair',
  ],
  [
    'a merge of a missing token',
    { 'tokenizer.json': { ...small, model: { ...small.model, merges: ['a c'] } } },
    'model.merges[0] needs the token "c"',
  ],
  [
    'a merge of three',
    { 'tokenizer.json': { ...small, model: { ...small.model, merges: ['a b c'] } } },
    'model.merges[0] is not a pair',
  ],
  [
    'a negative id',
    { 'tokenizer.json': { ...small, model: { ...small.model, vocab: { a: 0, b: -1, ab: 1 } } } },
    'The token "b" has the id -1',
  ],
  ['a word-level model', { 'tokenizer.json': { model: { type: 'WordLevel' } } }, '"WordLevel"'],
  [
    'word endings',
    { 'tokenizer.json': { ...small, model: { ...small.model, end_of_word_suffix: '</w>' } } },
    'sets end_of_word_suffix',
  ],
  [
    'lower case',
    { 'tokenizer.json': { ...small, normalizer: { type: 'Lowercase' } } },
    'no "Lowercase" normalizer',
  ],
  [
    'no byte tokens',
    {
      'tokenizer.json': {
        model: { ...small.model, byte_fallback: true },
        normalizer: { type: 'Prepend', prepend: '▁' },
      },
    },
    'no token for the byte 0x00',
  ],
  ['a truncated tokenizer.json', { 'tokenizer.json': json(small).slice(0, 99) }, 'not valid JSON'],
  ['bytes that are no text', { 'tokenizer.json': Uint8Array.of(0xff) }, 'is not UTF-8'],
  ['a list as tokenizer.json', { 'tokenizer.json': [] }, 'expected object'],
  ['a numeric config', { 'tokenizer.json': small, 'config.json': 1 }, 'config.json: the file'],
];

test.each(refused)('%s is refused with the reason', (_, files, message) => {
  expect(() => convert(files)).toThrow(message);
});

const nested = (open: string, close: string) => {
  const pre = `${open.repeat(1e5)}null${close.repeat(1e5)}`;
  return new TextEncoder().encode(
    `{"model":{"type":"BPE","vocab":{"a":0},"merges":[]},"decoder":{"type":"ByteLevel"},"pre_tokenizer":${pre}}`,
  );
};

test('100,000 nested arrays or Sequences end in a PithError, not in a stack overflow', () => {
  expect(() => convert({ 'tokenizer.json': nested('[', ']') })).toThrow(/has no type/);
  const sequences = nested('{"type":"Sequence","pretokenizers":[', ']}');
  expect(() => convert({ 'tokenizer.json': sequences })).toThrow(/nested deeper than 16/);
});

test('tokenizer.model keeps scores and types: unknown 2, control 3, user-defined 4, byte 6', () => {
  const vocabulary = convert({ 'tokenizer.model': bytes(spmBpe.model) });
  const tokens = strings(vocabulary, 'ggml.tokens');
  const typeOf = (token: string) => numbers(vocabulary, 'ggml.token_type')[tokens.indexOf(token)];
  expect(['<unk>', '<s>', '</s>', '<sep>', '<0x0A>', 'e'].map(typeOf)).toEqual([2, 3, 3, 4, 6, 1]);
  expect([value(vocabulary, 'ggml.model'), value(vocabulary, 'ggml.pre')]).toEqual([
    'llama',
    'default',
  ]);
  expect(value(vocabulary, 'ggml.add_space_prefix')).toBe(true);
  expect(value(vocabulary, 'ggml.unknown_token_id')).toBe(0);
  expect(value(vocabulary, 'ggml.padding_token_id')).toBeUndefined();
  expect(vocabulary.metadata.has('tokenizer.ggml.add_bos_token')).toBe(false);
});

/** Tokens that merges make, best score first. */
function ranking(vocabulary: GgufVocabulary): string[] {
  const scores = numbers(vocabulary, 'ggml.scores');
  const produced = new Set(llamaJson.tokenizer.model.merges.map((pair) => pair.join('')));
  return strings(vocabulary, 'ggml.tokens')
    .map((token, id) => [token, scores[id]!] as const)
    .filter(([token]) => produced.has(token))
    .sort((a, b) => b[1] - a[1])
    .map(([token]) => token);
}

test('the merges of a Llama-style tokenizer.json rank tokens as its tokenizer.model does', () => {
  const fromModel = convert({ 'tokenizer.model': bytes(spmBpe.model) });
  const fromJson = convert({ 'tokenizer.json': llamaJson.tokenizer });
  expect(value(fromJson, 'ggml.model')).toBe('llama');
  expect(fromJson.notes).toEqual([]);
  expect(ranking(fromJson)).toEqual(ranking(fromModel));
  expect(value(fromJson, 'ggml.add_bos_token')).toBe(true);
  expect(value(fromJson, 'ggml.unknown_token_id')).toBe(0);
});

test('merges that scores cannot express become gemma4, or a note where a space goes first', () => {
  const { model } = llamaJson.tokenizer;
  const incomplete = { ...model, merges: model.merges.slice(0, -1) };
  const noted = convert({ 'tokenizer.json': { ...llamaJson.tokenizer, model: incomplete } });
  expect(noted.notes.join()).toContain('is no merge, but a token when joined');
  const normalizer = { type: 'Replace', pattern: { String: ' ' }, content: '▁' };
  const exact = convert({
    'tokenizer.json': { ...llamaJson.tokenizer, model: incomplete, normalizer },
  });
  expect(value(exact, 'ggml.model')).toBe('gemma4');
  expect(strings(exact, 'ggml.merges')).toHaveLength(incomplete.merges.length);
});

test("Gemma 3's token for images, for which a text model has no row, is left out with a note", () => {
  const { model, added_tokens: added } = llamaJson.tokenizer;
  const size = Object.keys(model.vocab).length;
  const image = { id: size, content: '<image_soft_token>', special: true };
  const tokenizer = {
    ...llamaJson.tokenizer,
    model: { ...model, vocab: { ...model.vocab, [image.content]: size } },
    added_tokens: [...added, image],
  };
  const files = { 'tokenizer.json': tokenizer, 'config.json': { vocab_size: size } };
  const vocabulary = convert(files);
  expect(vocabulary.size).toBe(size);
  expect(vocabulary.notes).toEqual([
    expect.stringContaining(`"<image_soft_token>" has the id ${size}, but the model has ${size}`),
  ]);
  const unlisted = { ...tokenizer, added_tokens: added };
  expect(() => convert({ ...files, 'tokenizer.json': unlisted })).toThrow(/vocab_size is/);
});

test('Unigram becomes t5 from tokenizer.model and from tokenizer.json', () => {
  const fromModel = convert({ 'tokenizer.model': bytes(spmUnigram.model) });
  const tokens = strings(fromModel, 'ggml.tokens');
  const scores = numbers(fromModel, 'ggml.scores');
  const fromJson = convert({
    'tokenizer.json': {
      model: { type: 'Unigram', unk_id: 2, vocab: tokens.map((token, id) => [token, scores[id]]) },
      normalizer: { type: 'Precompiled', precompiled_charsmap: btoa('\u0001\u0002') },
      pre_tokenizer: {
        type: 'Sequence',
        pretokenizers: [
          { type: 'WhitespaceSplit' },
          { type: 'Metaspace', replacement: '▁', add_prefix_space: true },
        ],
      },
      added_tokens: ['<pad>', '</s>'].map((content, id) => ({ id, content, special: true })),
      post_processor: {
        type: 'TemplateProcessing',
        single: [{ Sequence: { id: 'A' } }, { SpecialToken: { id: '</s>' } }],
      },
    },
    'tokenizer_config.json': { eos_token: '</s>', pad_token: '<pad>', unk_token: '<unk>' },
  });
  for (const key of ['model', 'tokens', 'scores', 'add_space_prefix', 'remove_extra_whitespaces'])
    expect(value(fromJson, `ggml.${key}`)).toEqual(value(fromModel, `ggml.${key}`));
  expect(numbers(fromJson, 'ggml.token_type').slice(0, 4)).toEqual([3, 3, 2, 1]);
  expect(value(fromJson, 'ggml.precompiled_charsmap')).toEqual([1, 2]);
  expect(value(fromJson, 'ggml.add_eos_token')).toBe(true);
  expect(value(fromModel, 'ggml.eos_token_id')).toBe(1);
});

test('WordPiece begins words with "▁" and drops "##"; control tokens keep their names', () => {
  const vocabulary = convert({
    'tokenizer.json': wordPiece.tokenizer,
    'tokenizer_config.json': { cls_token: '[CLS]', sep_token: '[SEP]', pad_token: '[PAD]' },
  });
  const source = Object.entries<number>(wordPiece.tokenizer.model.vocab);
  const tokens = strings(vocabulary, 'ggml.tokens');
  for (const [token, id] of source) {
    if (id < 5) expect(tokens[id]).toBe(token);
    else if (token.startsWith('##')) expect(tokens[id]).toBe(token.slice(2));
    else expect(tokens[id]).toBe(`▁${token}`);
  }
  const id = (key: string) => value(vocabulary, `ggml.${key}_token_id`);
  expect(['bos', 'eos', 'cls', 'seperator', 'padding', 'unknown'].map(id)).toEqual([
    2, 3, 2, 3, 0, 1,
  ]);
  expect(value(vocabulary, 'ggml.normalizer.lowercase')).toBe(true);
});

test("WordPiece without names has those of BERT's tokenizers: llama.cpp would end texts with token 102", () => {
  const vocabulary = convert({ 'tokenizer.json': wordPiece.tokenizer });
  const id = (key: string) => value(vocabulary, `ggml.${key}_token_id`);
  expect(['bos', 'eos', 'cls', 'seperator', 'padding', 'unknown', 'mask'].map(id)).toEqual([
    2, 3, 2, 3, 0, 1, 4,
  ]);
});

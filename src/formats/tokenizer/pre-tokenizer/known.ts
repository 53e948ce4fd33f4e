/** What one or more of llama.cpp's `tokenizer.ggml.pre` names do to a text. */
export interface KnownPreTokenizer {
  /** The name written to the file. */
  readonly name: string;
  /** Names that llama.cpp treats the same in everything that changes token ids. */
  readonly aliases: readonly string[];
  /** Each regex in turn isolates its matches in the pieces that are left. */
  readonly splits: readonly string[];
  /** A piece that is itself a token is not cut by merges. */
  readonly ignoreMerges: boolean;
  /** llama.cpp removes the space before punctuation when it turns tokens back into text. */
  readonly cleansSpaces: boolean;
  /** Where llama.cpp's own regex is known to differ from the published one. */
  readonly deviation?: string;
}

const contraction = "'s|'t|'re|'ve|'m|'ll|'d";
const anyCaseContraction = `(?i:${contraction})`;
const word = '[^\\r\\n\\p{L}\\p{N}]?\\p{L}+';
const symbols = ' ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*';
const lines = '\\s*[\\r\\n]+';
const spaces = '\\s+(?!\\S)|\\s+';
const one = '\\p{N}';
const three = '\\p{N}{1,3}';

const gpt2 = `${contraction}| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|${spaces}`;
const cl100k = (digits: string) =>
  [anyCaseContraction, word, digits, symbols, lines, spaces].join('|');

const upper = '[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]';
const lower = '[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]';
const lead = '[^\\r\\n\\p{L}\\p{N}]?';
const o200k = (ending: string, digits: string) =>
  [
    `${lead}${upper}*${lower}+${ending}`,
    `${lead}${upper}+${lower}*${ending}`,
    digits,
    ' ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*',
    lines,
    spaces,
  ].join('|');

const cjk = '[一-龥\\u3040-ゟ゠-ヿ]+';
const asciiSymbol = '[!"#$%&\'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~]';
const deepSeek = (symbolEnd: string) =>
  [
    `${asciiSymbol}[A-Za-z]+`,
    '[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+',
    ` ?[\\p{P}\\p{S}]+${symbolEnd}`,
    spaces,
  ].join('|');
const oldCjk = '[一-龥\\u0800-一가-\\ud7ff]+';
const bloom = ' ?[^(\\s|[.,!?…。，、।۔،])]+';

const caseDeviation =
  'llama.cpp takes every letter outside ASCII as upper and lower case at once and does not join ' +
  'combining marks to words, so such words may be cut elsewhere';
const spaceDeviation =
  'llama.cpp does not take spaces outside ASCII for CJK characters, as the published regex does, ' +
  'so text around them may be cut elsewhere';

/**
 * The pre-tokenizers that llama.cpp v0.5.0 knows by name, described by what they do; where several
 * agree with a file, the first is taken.
 *
 * Left out, hence unknown: afmoe, chameleon, granite-embed-multi-*, jais-2, kimi-k2, laguna,
 * whitespace and youtu, not described yet; tiny_aya and cohere2moe, for which llama.cpp cuts plain
 * camelCase and digits otherwise than the published regex.
 */
export const knownPreTokenizers: readonly KnownPreTokenizer[] = [
  {
    name: 'gpt-2',
    aliases: [
      'mpt',
      'olmo',
      'jais',
      'trillion',
      'granite-docling',
      'phi-2',
      'jina-es',
      'jina-de',
      'gigachat',
      'a.x-4.0',
      'mellum',
      'modern-bert',
      'exaone4',
    ],
    splits: [gpt2],
    ignoreMerges: false,
    cleansSpaces: true,
  },
  {
    name: 'llama-bpe',
    aliases: [
      'llama3',
      'llama-v3',
      'falcon3',
      'falcon-h1',
      'pixtral',
      'midm-2.0',
      'lfm2',
      'jina-v5-nano',
    ],
    splits: [cl100k(three)],
    ignoreMerges: true,
    cleansSpaces: true,
  },
  {
    name: 'dbrx',
    aliases: ['smaug-bpe', 'glm4', 'chatglm-bpe'],
    splits: [cl100k(three)],
    ignoreMerges: false,
    cleansSpaces: true,
  },
  {
    name: 'qwen2',
    aliases: [
      'deepseek-r1-qwen',
      'kormo',
      'f2llmv2',
      'stablelm2',
      'hunyuan',
      'solar-open',
      'megrez',
      'grok-2',
      'bailingmoe',
      'bailingmoe2',
      'llada-moe',
    ],
    splits: [cl100k(one)],
    ignoreMerges: false,
    cleansSpaces: false,
  },
  {
    name: 'qwen35',
    aliases: [],
    splits: [
      [
        anyCaseContraction,
        '[^\\r\\n\\p{L}\\p{N}]?[\\p{L}\\p{M}]+',
        one,
        ' ?[^\\s\\p{L}\\p{M}\\p{N}]+[\\r\\n]*',
        lines,
        spaces,
      ].join('|'),
    ],
    ignoreMerges: false,
    cleansSpaces: false,
  },
  {
    name: 'smollm',
    aliases: ['command-r'],
    splits: [one, gpt2],
    ignoreMerges: false,
    cleansSpaces: false,
  },
  {
    name: 'starcoder',
    aliases: ['refact', 'codeshell', 'exaone', 'minerva-7b', 'mellum2'],
    splits: [one, gpt2],
    ignoreMerges: false,
    cleansSpaces: true,
  },
  {
    name: 'deepseek-v3',
    aliases: ['hunyuan-dense', 'joyai-llm', 'hy_v4'],
    splits: [three, cjk, deepSeek(`[\\r\\n]*|${lines}`)],
    ignoreMerges: false,
    cleansSpaces: false,
  },
  {
    name: 'spark2_5',
    aliases: [],
    splits: [three, cjk, deepSeek('|[\\r\\n]'), one],
    ignoreMerges: false,
    cleansSpaces: false,
  },
  {
    name: 'deepseek-coder',
    aliases: [],
    splits: ['[\\r\\n]', '\\s?\\p{L}+', '\\s?\\p{P}+', oldCjk, one],
    ignoreMerges: false,
    cleansSpaces: false,
    deviation: spaceDeviation,
  },
  {
    name: 'deepseek-llm',
    aliases: [],
    splits: [
      '[\\r\\n]',
      '\\s?[\\p{Lu}\\p{Ll}\\p{Lt}]+',
      '\\s?[!-/:-~！-／：-～‘-‟\\u3000-。]+',
      '\\s+$',
      oldCjk,
      one,
    ],
    ignoreMerges: false,
    cleansSpaces: false,
    deviation: `${spaceDeviation}; it leaves digit runs whole, which shows if a token holds two digits`,
  },
  {
    name: 'falcon',
    aliases: [],
    splits: ['[\\p{P}$+<=>^~|`]+', gpt2, '[0-9][0-9][0-9]'],
    ignoreMerges: false,
    cleansSpaces: true,
  },
  {
    name: 'default',
    aliases: [],
    splits: ['[\\p{P}$+<=>^~|]+', gpt2, '\\p{N}+', '[0-9][0-9][0-9]'],
    ignoreMerges: false,
    cleansSpaces: true,
  },
  {
    name: 'tekken',
    aliases: [],
    splits: [o200k('', one)],
    ignoreMerges: true,
    cleansSpaces: false,
    deviation: caseDeviation,
  },
  {
    name: 'gpt-4o',
    aliases: ['llama4', 'kanana2', 'talkie', 'minimax-m2'],
    splits: [o200k(`${anyCaseContraction}?`, three)],
    ignoreMerges: false,
    cleansSpaces: false,
    deviation: caseDeviation,
  },
  {
    name: 'minicpm5',
    aliases: [],
    splits: [three, cl100k('\\p{N}+')],
    ignoreMerges: true,
    cleansSpaces: true,
  },
  {
    name: 'seed-coder',
    aliases: [],
    splits: [
      [anyCaseContraction, word, one, ' ?[^\\s\\p{L}\\p{N}\\r\\n]+', lines, spaces].join('|'),
    ],
    ignoreMerges: false,
    cleansSpaces: false,
  },
  {
    name: 'exaone-moe',
    aliases: [],
    splits: [
      [
        anyCaseContraction,
        '[^\\r\\n\\p{L}\\p{N}]?(?:\\p{L}\\p{M}*(?: \\p{L}\\p{M}*)*)+',
        one,
        ' ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]?',
        '\\s*[\\r\\n]',
        spaces,
      ].join('|'),
    ],
    ignoreMerges: false,
    cleansSpaces: true,
  },
  {
    name: 'ufakzeka',
    aliases: [],
    splits: [[word, one, symbols, lines, spaces].join('|')],
    ignoreMerges: false,
    cleansSpaces: false,
  },
  {
    name: 'superbpe',
    aliases: [],
    splits: ['\\p{N}+', '(?=(\\d{3})+(?!\\d))'],
    ignoreMerges: false,
    cleansSpaces: false,
  },
  {
    name: 'bloom',
    aliases: ['gpt3-finnish'],
    splits: [bloom],
    ignoreMerges: false,
    cleansSpaces: true,
  },
  { name: 'poro-chat', aliases: [], splits: [bloom], ignoreMerges: false, cleansSpaces: false },
  { name: 'viking', aliases: [], splits: [bloom, one], ignoreMerges: false, cleansSpaces: false },
];

import { z } from 'zod';
import { PithError } from '../../../util/errors.ts';
import type { Component } from '../tokenizer-json.ts';
import { compileRegex, type BoundedRegex, type StepBudget } from './regex.ts';

/** Cuts a text into the pieces that byte-level BPE then works on, one at a time. */
export type PreTokenize = (text: string, budget: StepBudget) => string[];

type Piece = readonly [text: string, isMatch: boolean];
type Cut = (piece: string, budget: StepBudget) => string[];

const behaviors = [
  'Isolated',
  'Removed',
  'Contiguous',
  'MergedWithPrevious',
  'MergedWithNext',
] as const;
type Behavior = (typeof behaviors)[number];

const splitSchema = z.looseObject({
  pattern: z.union([z.object({ Regex: z.string() }), z.object({ String: z.string() })]),
  behavior: z.enum(behaviors),
  invert: z.boolean().default(false),
});
const byteLevelSchema = z.looseObject({
  add_prefix_space: z.boolean().default(true),
  use_regex: z.boolean().default(true),
});
const digitsSchema = z.looseObject({ individual_digits: z.boolean().default(false) });
const punctuationSchema = z.looseObject({ behavior: z.enum(behaviors).default('Isolated') });

const gpt2Regex =
  "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";
const punctuationRegex = '[\\p{P}$+<=>^`|~]';

const builders: Record<string, (component: Component) => Cut> = {
  ByteLevel: byteLevel,
  Split: (component) => {
    const { pattern, behavior, invert } = read(splitSchema, component);
    const regex = 'Regex' in pattern ? compileRegex(pattern.Regex) : literal(pattern.String);
    return splitter(regex, behavior, invert);
  },
  Digits: (component) => {
    const { individual_digits } = read(digitsSchema, component);
    return splitter(compileRegex('\\p{N}'), individual_digits ? 'Isolated' : 'Contiguous', false);
  },
  Punctuation: (component) => {
    const { behavior } = read(punctuationSchema, component);
    return splitter(compileRegex(punctuationRegex), behavior, false);
  },
  Whitespace: () => splitter(compileRegex('\\w+|[^\\w\\s]+'), 'Removed', true),
  WhitespaceSplit: () => splitter(compileRegex('\\s'), 'Removed', false),
};

/**
 * Builds the pre-tokenizer that a tokenizer.json describes, with the semantics of Hugging Face's
 * `tokenizers`, but without its byte alphabet: pieces stay readable text.
 *
 * @param components - The `pre_tokenizer` section with its Sequences flattened.
 * @throws {@link PithError} `unsupported` for a kind that byte-level BPE models do not use;
 *   `corrupt` for fields of the wrong type.
 * @remarks Checked against `tokenizers` 0.23.3 on every published pre-tokenizer of the table:
 *   test/golden/tokenizer/pre-tokenizers.json.
 */
export function buildPreTokenizer(components: readonly Component[]): PreTokenize {
  const cuts = components.map((component) => {
    const build = Object.hasOwn(builders, component.type) ? builders[component.type] : undefined;
    if (build) return build(component);
    throw new PithError(
      'unsupported',
      `The pre-tokenizer "${component.type.slice(0, 40)}" is not one that a byte-level BPE uses here.`,
      'Convert this model with llama.cpp, or report it.',
    );
  });
  return (text, budget) => {
    let pieces = [text];
    for (const cut of cuts) pieces = pieces.flatMap((piece) => cut(piece, budget));
    return pieces;
  };
}

/** Cuts out every match of each regex in turn and keeps what lies between (as llama.cpp does). */
export function isolateInTurn(sources: readonly string[]): PreTokenize {
  return buildPreTokenizer(
    sources.map((source) => ({
      type: 'Split',
      pattern: { Regex: source },
      behavior: 'Isolated',
      invert: false,
    })),
  );
}

function read<T>(schema: z.ZodType<T>, component: Component): T {
  const result = schema.safeParse(component);
  if (result.success) return result.data;
  throw new PithError(
    'corrupt',
    `tokenizer.json: the pre-tokenizer "${component.type}" is malformed: ${result.error.issues[0]!.message}.`,
    'Download tokenizer.json again.',
  );
}

function byteLevel(component: Component): Cut {
  const { add_prefix_space, use_regex } = read(byteLevelSchema, component);
  const split = use_regex ? splitter(compileRegex(gpt2Regex), 'Isolated', false) : undefined;
  return (piece, budget) => {
    const text = add_prefix_space && !piece.startsWith(' ') ? ` ${piece}` : piece;
    return split ? split(text, budget) : [text];
  };
}

function literal(pattern: string): BoundedRegex {
  const wanted = Array.from(pattern);
  return {
    findAll(text) {
      const matches: [number, number][] = [];
      if (wanted.length === 0) return matches;
      for (let at = 0; at + wanted.length <= text.length;) {
        const found = wanted.every((character, i) => text[at + i] === character);
        if (found) matches.push([at, at + wanted.length]);
        at += found ? wanted.length : 1;
      }
      return matches;
    },
  };
}

function splitter(regex: BoundedRegex, behavior: Behavior, invert: boolean): Cut {
  return (piece, budget) => {
    const text = Array.from(piece);
    const pieces: Piece[] = [];
    let done = 0;
    for (const [start, end] of regex.findAll(text, budget)) {
      if (start > done) pieces.push([text.slice(done, start).join(''), invert]);
      pieces.push([text.slice(start, end).join(''), !invert]);
      done = end;
    }
    if (done < text.length) pieces.push([text.slice(done).join(''), invert]);
    return arrange[behavior](pieces).filter((part) => part !== '');
  };
}

const arrange: Record<Behavior, (pieces: readonly Piece[]) => string[]> = {
  Isolated: (pieces) => pieces.map(([text]) => text),
  Removed: (pieces) => pieces.filter(([, isMatch]) => !isMatch).map(([text]) => text),
  Contiguous: (pieces) => joinWhen(pieces, (isMatch, before) => isMatch === before),
  MergedWithPrevious: (pieces) => joinWhen(pieces, (isMatch, before) => isMatch && !before),
  MergedWithNext: (pieces) => joinWhen(pieces, (isMatch, before) => !isMatch && before),
};

function joinWhen(
  pieces: readonly Piece[],
  joins: (isMatch: boolean, before: boolean) => boolean,
): string[] {
  const joined: string[] = [];
  let before: boolean | undefined;
  for (const [text, isMatch] of pieces) {
    if (before !== undefined && joins(isMatch, before)) joined.push(joined.pop()! + text);
    else joined.push(text);
    before = isMatch;
  }
  return joined;
}

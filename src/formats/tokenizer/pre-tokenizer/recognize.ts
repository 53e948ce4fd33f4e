import { PithError } from '../../../util/errors.ts';
import type { TokenizerJson } from '../tokenizer-json.ts';
import { knownPreTokenizers, type KnownPreTokenizer } from './known.ts';
import { buildPreTokenizer, isolateInTurn, type PreTokenize } from './pre-tokenize.ts';
import { probeTexts } from './probe.ts';
import { unreachableTokens } from './reachable.ts';

/** The name for `tokenizer.ggml.pre`, with what a user should know about the choice. */
export interface RecognizedPreTokenizer {
  readonly name: string;
  readonly notes: readonly string[];
}

/** Steps for a whole recognition; published tokenizers need under 60,000. */
const stepLimit = 3_000_000;

/** The two sides cut this text differently. */
interface Difference {
  readonly theirs: readonly string[];
  readonly ours: readonly string[];
  readonly agreeing: number;
}

/**
 * Finds the llama.cpp pre-tokenizer that cuts text as this tokenizer does, by running both over the
 * probe texts; nothing is looked up by name or hash.
 *
 * Among names with the same behaviour, the one with the tokenizer's `ignore_merges` and its
 * `cleansSpaces` is preferred, then table order. A different `ignore_merges` is accepted only when
 * it cannot show: every token can be reached by merges.
 *
 * @param cleansSpaces - `clean_up_tokenization_spaces` of tokenizer_config.json, if given.
 * @throws {@link PithError} `unsupported` when no name fits, with the first piece that the nearest
 *   one cuts differently.
 */
export function recognizePreTokenizer(
  tokenizer: TokenizerJson,
  cleansSpaces: boolean | undefined,
): RecognizedPreTokenizer {
  const pieces = cutProbe(buildPreTokenizer(tokenizer.preTokenizers));
  const fitting = knownPreTokenizers.filter(
    (known) => difference(pieces, piecesOf(known)) === undefined,
  );
  const best = prefer(tokenizer, fitting, cleansSpaces);
  if (!best) throw nothingFits(pieces, fitting);
  const notes: string[] = [];
  if (best.deviation) notes.push(`Pre-tokenizer "${best.name}": ${best.deviation}.`);
  if (best.cleansSpaces && cleansSpaces === false)
    notes.push(
      `Pre-tokenizer "${best.name}": when it decodes, llama.cpp drops the space before . , ! ? ` +
        'and some contractions, which this tokenizer keeps.',
    );
  return { name: best.name, notes };
}

const knownPieces = new Map<KnownPreTokenizer, string[][]>();

function piecesOf(known: KnownPreTokenizer): string[][] {
  let pieces = knownPieces.get(known);
  if (!pieces) knownPieces.set(known, (pieces = cutProbe(isolateInTurn(known.splits))));
  return pieces;
}

function cutProbe(preTokenize: PreTokenize): string[][] {
  const budget = { left: stepLimit };
  return probeTexts.map((text) => preTokenize(text, budget));
}

function prefer(
  tokenizer: TokenizerJson,
  fitting: readonly KnownPreTokenizer[],
  cleansSpaces: boolean | undefined,
): KnownPreTokenizer | undefined {
  const ignoreMerges = tokenizer.model.type === 'BPE' && tokenizer.model.ignoreMerges;
  let candidates = fitting.filter((known) => known.ignoreMerges === ignoreMerges);
  if (candidates.length === 0 && fitting.length > 0 && unreachableTokens(tokenizer).length === 0)
    candidates = [...fitting];
  return candidates.find((known) => known.cleansSpaces === cleansSpaces) ?? candidates[0];
}

function difference(
  ours: readonly string[][],
  theirs: readonly string[][],
): Difference | undefined {
  let first: Omit<Difference, 'agreeing'> | undefined;
  let agreeing = 0;
  ours.forEach((pieces, probe) => {
    const other = theirs[probe]!;
    const at = pieces.findIndex((piece, i) => piece !== other[i]);
    if (at < 0 && pieces.length === other.length) agreeing++;
    else if (!first) {
      const from = at < 0 ? pieces.length : at;
      first = { ours: pieces.slice(from, from + 4), theirs: other.slice(from, from + 4) };
    }
  });
  return first && { ...first, agreeing };
}

function nothingFits(
  pieces: readonly string[][],
  fitting: readonly KnownPreTokenizer[],
): PithError {
  const hint =
    "Convert this model with llama.cpp's own converter. To add its pre-tokenizer to Pith, describe it " +
    'in src/formats/tokenizer/pre-tokenizer/known.ts.';
  if (fitting.length > 0)
    return new PithError(
      'unsupported',
      `llama.cpp knows this pre-tokenizer as ${fitting.map((known) => `"${known.name}"`).join(', ')}, ` +
        `but only with ignore_merges ${String(fitting[0]!.ignoreMerges)}, which changes token ids here.`,
      hint,
    );
  let nearest: (Difference & { name: string }) | undefined;
  for (const known of knownPreTokenizers) {
    const found = difference(pieces, piecesOf(known));
    if (found && found.agreeing > (nearest?.agreeing ?? -1))
      nearest = { ...found, name: known.name };
  }
  const { name, ours, theirs, agreeing } = nearest!;
  return new PithError(
    'unsupported',
    `No pre-tokenizer of llama.cpp cuts text as this tokenizer does; the nearest, "${name}", agrees on ` +
      `${agreeing} of ${pieces.length} probe texts and cuts ${JSON.stringify(theirs)} where this one cuts ` +
      `${JSON.stringify(ours)}.`,
    hint,
  );
}

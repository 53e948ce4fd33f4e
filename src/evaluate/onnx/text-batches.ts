import { shapeFor, type WindowShape } from './window-batch.ts';

/** Tokens of a run, padding included, unless one text has more. */
const tokensAtOnce = 512;
/** Shorter texts are not worth a program of their own. */
const leastLength = 32;

/** Texts of one run, by their places in a list. */
export interface TextBatch {
  readonly shape: WindowShape;
  readonly texts: readonly number[];
}

/**
 * The sizes that an encoder is run in, shortest first: its context, and halves of it down to 32 tokens,
 * with as many texts as make 512 tokens.
 */
export function textShapes(contextLength: number): WindowShape[] {
  const shapes: WindowShape[] = [];
  for (let length = contextLength; ; length = Math.ceil(length / 2)) {
    shapes.unshift({ batch: Math.max(1, Math.floor(tokensAtOnce / length)), length });
    if (length < 2 * leastLength) return shapes;
  }
}

/**
 * Texts of so many tokens in runs, the longest first: each run has the size that its longest text needs,
 * and only the last one has room left.
 */
export function textBatches(
  shapes: readonly WindowShape[],
  lengths: readonly number[],
): TextBatch[] {
  const longestFirst = [...lengths.keys()].sort((a, b) => lengths[b]! - lengths[a]!);
  const batches: TextBatch[] = [];
  for (let at = 0; at < longestFirst.length;) {
    const shape = shapeFor(shapes, lengths[longestFirst[at]!]!);
    const texts = longestFirst.slice(at, at + shape.batch);
    batches.push({ shape, texts });
    at += texts.length;
  }
  return batches;
}

/** Texts of one run as an encoder's inputs `[B,T]`, padded with token 0, which the mask hides. */
export function textInputs(
  { batch, length }: WindowShape,
  texts: readonly (readonly number[])[],
): Readonly<Record<'tokens' | 'attention_mask' | 'token_types', BigInt64Array>> {
  const tokens = new BigInt64Array(batch * length);
  const mask = new BigInt64Array(batch * length);
  for (const [row, text] of texts.entries())
    for (const [at, token] of text.entries()) tokens[row * length + at] = BigInt(token);
  // A row without a text has one token, as the mean of none is not a number.
  for (let row = 0; row < batch; row++)
    mask.fill(1n, row * length, row * length + (texts[row]?.length ?? 1));
  return { tokens, attention_mask: mask, token_types: new BigInt64Array(batch * length) };
}

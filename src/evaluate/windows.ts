import { PithError } from '../util/errors.ts';
import type { TextDocument } from './documents.ts';
import type { TokenWindow } from './scorer.ts';

/** Text to token ids and back; what of a tokenizer evaluation needs. */
export interface EvaluationTokenizer {
  /** Tokens of a text, nothing added. */
  encode(text: string): readonly number[];
  decode(tokens: readonly number[]): string;
  /** The token that the tokenizer puts before every text; undefined when it puts none. */
  readonly bos: number | undefined;
}

/** How text is cut. */
export interface WindowOptions {
  /** Tokens that the model reads at once, BOS included. */
  readonly context: number;
  /** Tokens that a window scores, but for a document's first: the others are context. */
  readonly stride: number;
  /** Score no more tokens than this; default all. */
  readonly maxTokens?: number;
}

/** A document's windows follow each other. */
export interface DocumentWindow extends TokenWindow {
  /** Index of the document among the scored ones. */
  readonly document: number;
}

/** A document as it is scored. */
export interface ScoredDocument {
  readonly name: string;
  readonly tokens: number;
  /** UTF-8 bytes of the text of its scored tokens. */
  readonly bytes: number;
}

/** Text ready for a scorer. */
export interface Windows {
  readonly windows: readonly DocumentWindow[];
  readonly documents: readonly ScoredDocument[];
  /** Scored tokens. */
  readonly tokens: number;
  readonly notes: readonly string[];
}

/**
 * Cuts documents into overlapping windows in which every token is scored exactly once, with at least
 * `context − stride` tokens before it where the document has them; no document sees another.
 *
 * With a BOS token every window begins with it, as the model was trained; without one, a document's
 * first token has no prediction and is not scored. A document's last window reaches back from its end, so
 * that long documents have windows of one length.
 *
 * @throws {@link PithError} `usage` for a stride that leaves no context; `unsupported` when the text is
 *   shorter than one window.
 * @see llama-perplexity, which differs: it joins all documents, scores the second half of each chunk
 *   only, and puts BOS in place of a chunk's first token.
 */
export function cutWindows(
  documents: readonly TextDocument[],
  tokenizer: EvaluationTokenizer,
  options: WindowOptions,
): Windows {
  checkOptions(options, tokenizer);
  const windows: DocumentWindow[] = [];
  const scored: ScoredDocument[] = [];
  const notes: string[] = [];
  let left = options.maxTokens ?? Infinity;
  for (const { name, text } of documents) {
    if (left === 0) break;
    const all = tokenizer.encode(text);
    const first = tokenizer.bos === undefined ? 1 : 0;
    const end = Math.min(all.length, first + left);
    const tokens = end - first;
    if (tokens < 1) {
      notes.push(`${name} has ${all.length} token: nothing to predict.`);
      continue;
    }
    for (const window of windowsOf(all.slice(0, end), tokenizer.bos, options)) {
      windows.push({ ...window, document: scored.length });
    }
    const bytes = byteLength(end < all.length ? tokenizer.decode(all.slice(0, end)) : text);
    const before = first > 0 ? byteLength(tokenizer.decode(all.slice(0, first))) : 0;
    scored.push({ name, tokens, bytes: Math.max(1, bytes - before) });
    left -= tokens;
  }
  return checkEnough({ windows, documents: scored, tokens: sumTokens(scored), notes }, options);
}

function* windowsOf(
  tokens: readonly number[],
  bos: number | undefined,
  { context, stride }: WindowOptions,
): Generator<TokenWindow> {
  const added = bos === undefined ? 0 : 1;
  const room = context - added;
  // Position up to which tokens are scored; without BOS the first one never is.
  let done = 1 - added;
  while (done < tokens.length) {
    const isFirst = done === 1 - added;
    const end = Math.min(tokens.length, isFirst ? room : done + stride);
    const start = Math.max(0, end - room);
    const ids = new Int32Array(added + end - start);
    if (bos !== undefined) ids[0] = bos;
    ids.set(tokens.slice(start, end), added);
    yield { tokens: ids, first: added + done - start };
    done = end;
  }
}

function checkOptions({ context, stride }: WindowOptions, { bos }: EvaluationTokenizer): void {
  const longest = context - (bos === undefined ? 1 : 2);
  if (context >= 2 && stride >= 1 && stride <= Math.max(1, longest)) return;
  throw new PithError(
    'usage',
    `A stride of ${stride} leaves no context in windows of ${context} tokens.`,
    `Use a context of 2 or more and a stride of 1 to ${Math.max(1, longest)}.`,
  );
}

function checkEnough(windows: Windows, { context, maxTokens }: WindowOptions): Windows {
  const needed = Math.min(context, maxTokens ?? context) - 1;
  if (windows.tokens >= needed && windows.tokens > 0) return windows;
  throw new PithError(
    'unsupported',
    `The text has ${windows.tokens} tokens to score, fewer than one window of ${context}.`,
    'Give more text, or a shorter window with --context.',
  );
}

/**
 * Checks that a model knows every token.
 *
 * @throws {@link PithError} `shape` naming the document and the first token outside the vocabulary.
 */
export function checkVocabulary(
  { windows, documents }: Windows,
  { vocabulary, source }: { readonly vocabulary: number; readonly source: string },
): void {
  for (const { tokens, document } of windows) {
    const bad = tokens.find((token) => token < 0 || token >= vocabulary);
    if (bad === undefined) continue;
    throw new PithError(
      'shape',
      `${documents[document]!.name} has token ${bad}, but ${source} knows 0 to ${vocabulary - 1}.`,
      'The tokenizer belongs to another model: check the tokenizer files.',
    );
  }
}

function sumTokens(documents: readonly ScoredDocument[]): number {
  return documents.reduce((sum, { tokens }) => sum + tokens, 0);
}

function byteLength(text: string): number {
  return new TextEncoder().encode(text).length;
}

import type { LlamaContextSequence, SequenceEvaluateOptions, Token } from 'node-llama-cpp';
import { PithError } from '../util/errors.ts';
import { engineError } from './llama-library.ts';
import { peakMemoryBytes } from './memory.ts';
import { StopText } from './stop-text.ts';
import { TextStream } from './text-stream.ts';

/** How to continue a prompt. */
export interface GenerateOptions {
  readonly maxTokens: number;
  /** 0 (the default) always takes the likeliest token; 1 samples from the model as it is. */
  readonly temperature?: number;
  /** Makes sampling repeatable; default 0. */
  readonly seed?: number;
  /** Keep the likeliest tokens up to this total probability; default 0.95, 1 keeps all. */
  readonly topP?: number;
  /** Keep this many of the likeliest tokens; default 40, 0 keeps all. */
  readonly topK?: number;
  /** Drop tokens less likely than this share of the likeliest one; default 0.05, 0 keeps all. */
  readonly minP?: number;
  /** Tokens that end the answer, beside the model's own end-of-generation tokens. */
  readonly stopTokens?: ReadonlySet<number>;
  /** Goes on after the model's own end-of-generation tokens, as a benchmark must; default false. */
  readonly ignoreEndOfText?: boolean;
  /** Texts that end the answer; they are not part of it. */
  readonly stopTexts?: readonly string[];
  /** Keeps the part of the last prompt and answer that this prompt begins with; default false. */
  readonly reusePrefix?: boolean;
  /** Receives the answer piece by piece, never cut inside a character. */
  readonly onText?: (text: string) => void;
  /** Ends the answer early with what there is. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Why an answer ended: `end-of-text` the model said so, `stop` a given stop, `length` at
 * `maxTokens`, `context` because the context is full, `cancelled` by the signal.
 */
type StopReason = 'end-of-text' | 'stop' | 'length' | 'context' | 'cancelled';

/** An answer and what it took. */
export interface Generation {
  readonly text: string;
  /** Generated tokens, without the one that ended the answer. */
  readonly tokens: readonly number[];
  readonly promptTokens: number;
  readonly generatedTokens: number;
  /** From the call to the first token: the prompt, and one step of decoding. */
  readonly timeToFirstTokenMs: number;
  /** Decoding after the first token; 0 for fewer than two tokens. */
  readonly tokensPerSecond: number;
  readonly peakMemoryBytes: number;
  readonly stopReason: StopReason;
}

/** One sequence of a llama.cpp context and how many tokens it may hold. */
export interface Decoder {
  readonly sequence: LlamaContextSequence;
  readonly contextLength: number;
  readonly log: readonly string[];
}

/**
 * Decodes tokens after a prompt, one at a time; never shifts or cuts the context.
 *
 * @remarks Making text of a token takes 2 µs, against 1 ms for a step of the smallest model at hand.
 */
export async function generateTokens(
  decoder: Decoder,
  prompt: readonly number[],
  options: GenerateOptions,
): Promise<Generation> {
  const { sequence, contextLength, log } = decoder;
  checkPrompt(prompt, contextLength);
  try {
    const started = performance.now();
    const answer = new Answer(sequence, prompt, options);
    const room = Math.min(options.maxTokens, contextLength - prompt.length);
    const rest = await prefill(sequence, prompt, options);
    if (rest.length > 0 && room > 0) {
      const steps = decodeSteps(sequence, rest, options);
      for await (const token of steps) {
        if (answer.push(token) || answer.tokens.length === room) break;
      }
    }
    return {
      ...answer.finish(started),
      promptTokens: prompt.length,
      stopReason: answer.stopReason ?? reasonWithoutStop(answer, room, options),
    };
  } catch (error) {
    if (error instanceof PithError) throw error;
    throw engineError('llama.cpp failed while generating', error, log);
  }
}

function reasonWithoutStop(
  { tokens }: Answer,
  room: number,
  { maxTokens, signal }: GenerateOptions,
): StopReason {
  if (tokens.length === room) return room < maxTokens ? 'context' : 'length';
  return signal?.aborted ? 'cancelled' : 'end-of-text';
}

function checkPrompt(prompt: readonly number[], contextLength: number): void {
  if (prompt.length === 0) {
    throw new PithError(
      'usage',
      'The prompt is empty, and the model adds no token that opens a text.',
      'Write a prompt, or add --bos to begin with the BOS token.',
    );
  }
  if (prompt.length < contextLength) return;
  throw new PithError(
    'usage',
    `The prompt has ${prompt.length} tokens; the context holds ${contextLength}, ` +
      'and the answer needs at least one.',
    'Shorten the prompt, or raise --context up to what the model was trained on.',
  );
}

/**
 * Computes all of the prompt but its last part, a batch at a time, and returns that part; nothing
 * when the signal came first.
 */
async function prefill(
  sequence: LlamaContextSequence,
  prompt: readonly number[],
  { reusePrefix, signal }: GenerateOptions,
): Promise<Token[]> {
  const tokens = prompt as readonly Token[];
  if (reusePrefix) await sequence.adaptStateToTokens(tokens.slice(0, -1), false);
  else await sequence.clearHistory();
  const { batchSize } = sequence.context;
  let at = sequence.nextTokenIndex;
  for (; tokens.length - at > batchSize; at += batchSize) {
    if (signal?.aborted) return [];
    await sequence.evaluateWithoutGeneratingNewTokens(tokens.slice(at, at + batchSize));
  }
  return signal?.aborted ? [] : tokens.slice(at);
}

function decodeSteps(
  sequence: LlamaContextSequence,
  tokens: Token[],
  options: GenerateOptions,
): AsyncGenerator<number, void> {
  const { temperature = 0, seed = 0, topP = 0.95, topK = 40, minP = 0.05 } = options;
  const sampling: SequenceEvaluateOptions = { temperature, seed, topP, topK, minP };
  return sequence.evaluate(tokens, {
    ...sampling,
    yieldEogToken: options.ignoreEndOfText ?? false,
    contextShift: { strategy: refuseShift },
  });
}

function refuseShift(): never {
  throw new PithError('engine', 'llama.cpp wanted to drop a part of the context.');
}

/** Collects tokens and their text, and notices the end that the caller asked for. */
class Answer {
  readonly tokens: number[] = [];
  stopReason: StopReason | undefined;
  #text = '';
  #firstTokenAt: number | undefined;
  #lastTokenAt = 0;
  readonly #options: GenerateOptions;
  readonly #stream: TextStream;
  readonly #stop: StopText;

  constructor(
    { model }: LlamaContextSequence,
    prompt: readonly number[],
    options: GenerateOptions,
  ) {
    this.#options = options;
    this.#stream = new TextStream(
      (tokens, previous) => model.detokenize(tokens as Token[], false, previous as Token[]),
      prompt,
    );
    this.#stop = new StopText(options.stopTexts ?? []);
  }

  /** Takes the next token; true when it, or the signal, ends the answer. */
  push(token: number): boolean {
    if (this.#options.signal?.aborted) {
      this.stopReason = 'cancelled';
      return true;
    }
    this.#lastTokenAt = performance.now();
    this.#firstTokenAt ??= this.#lastTokenAt;
    if (this.#options.stopTokens?.has(token)) this.stopReason = 'stop';
    else {
      this.tokens.push(token);
      this.#show(this.#stop.push(this.#stream.push(token)));
      if (this.#stop.stopped) this.stopReason = 'stop';
    }
    return this.stopReason !== undefined;
  }

  finish(started: number): Omit<Generation, 'promptTokens' | 'stopReason'> {
    if (!this.#stop.stopped) {
      this.#show(this.#stop.push(this.#stream.flush()));
      this.#show(this.#stop.flush());
    }
    const steps = this.tokens.length - 1;
    const firstTokenAt = this.#firstTokenAt ?? performance.now();
    return {
      text: this.#text,
      tokens: this.tokens,
      generatedTokens: this.tokens.length,
      timeToFirstTokenMs: firstTokenAt - started,
      tokensPerSecond: steps > 0 ? (1000 * steps) / (this.#lastTokenAt - firstTokenAt) : 0,
      peakMemoryBytes: peakMemoryBytes(),
    };
  }

  #show(text: string): void {
    if (text === '') return;
    this.#text += text;
    this.#options.onText?.(text);
  }
}

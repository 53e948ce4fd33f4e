import type { LlamaEngine } from '../../runtime/llama.ts';
import { PithError } from '../../util/errors.ts';
import type { OnProgress } from '../../util/progress.ts';

/** What one repeat at one prompt length took. */
export interface TimedRun {
  readonly promptTokens: number;
  /** From the prompt to the first token. */
  readonly timeToFirstTokenMs: number;
  readonly prefillJoules: number;
  readonly decodeTokensPerSecond: number;
  readonly decodeJoulesPerToken: number;
}

/** How to time. */
export interface TimingOptions {
  readonly promptLengths: readonly number[];
  /** Tokens of the model. */
  readonly vocabulary: number;
  /** Decoding steps after each prompt. */
  readonly decodeTokens: number;
  readonly repeats: number;
  /** Joules spent so far, or watts to multiply the time with. */
  readonly energy: { readJoules(): Promise<number> } | { readonly watts: number };
  readonly onProgress?: OnProgress | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A prime, so that it divides no vocabulary. */
const tokenStride = 7919;

/**
 * Times prompts and the decoding after them, greedily, end-of-text tokens ignored, round after round
 * over the lengths, so that a slow phase of the machine does not fall on one of them. A first round at
 * the shortest length warms up and is thrown away, as in llama-bench.
 *
 * @throws PithError `cancelled`; `engine`.
 */
export async function timeRuns(engine: LlamaEngine, options: TimingOptions): Promise<TimedRun[]> {
  const { promptLengths, repeats, onProgress } = options;
  const longest = promptOf(options.vocabulary, Math.max(...promptLengths));
  await timeRun(engine, longest.slice(0, Math.min(...promptLengths)), options);
  const runs: TimedRun[] = [];
  const total = repeats * promptLengths.length;
  for (let repeat = 0; repeat < repeats; repeat++) {
    for (const length of promptLengths) {
      const label = `${length} tokens, repeat ${repeat + 1} of ${repeats}`;
      onProgress?.({ label, done: runs.length, total, unit: 'steps' });
      runs.push(await timeRun(engine, longest.slice(0, length), options));
    }
  }
  return runs;
}

/** Tokens from all over the vocabulary; llama-bench takes random ones. */
function promptOf(vocabulary: number, length: number): number[] {
  return Array.from({ length }, (_, at) => (at * tokenStride + 1) % vocabulary);
}

async function timeRun(
  engine: LlamaEngine,
  prompt: readonly number[],
  { decodeTokens, energy, signal }: TimingOptions,
): Promise<TimedRun> {
  const settings = { temperature: 0, ignoreEndOfText: true, signal };
  const prefill = await spend(energy, () => engine.generate(prompt, { ...settings, maxTokens: 1 }));
  // The prompt is in the cache but for its last token: what follows is decoding alone.
  const decode = await spend(energy, () =>
    engine.generate(prompt, { ...settings, maxTokens: decodeTokens + 1, reusePrefix: true }),
  );
  if (signal?.aborted) throw new PithError('cancelled', 'Stopped while timing.');
  return {
    promptTokens: prompt.length,
    timeToFirstTokenMs: prefill.result.timeToFirstTokenMs,
    prefillJoules: prefill.joules,
    decodeTokensPerSecond: decode.result.tokensPerSecond,
    decodeJoulesPerToken: decode.joules / (decodeTokens + 1),
  };
}

async function spend<T>(
  energy: TimingOptions['energy'],
  work: () => Promise<T>,
): Promise<{ readonly result: T; readonly joules: number }> {
  const before = 'watts' in energy ? 0 : await energy.readJoules();
  const started = performance.now();
  const result = await work();
  const seconds = (performance.now() - started) / 1000;
  const joules = 'watts' in energy ? energy.watts * seconds : (await energy.readJoules()) - before;
  return { result, joules };
}

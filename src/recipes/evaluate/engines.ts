import { unlink } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { availableMemory } from 'node:process';
import type { TokenScorer } from '../../evaluate/scorer.ts';
import { locateModel, openModel } from '../../models/open.ts';
import type { OnProgress } from '../../util/progress.ts';
import { losslessGguf } from '../lossless-gguf.ts';

/** What computes the predictions. */
export type EngineName = TokenScorer['engine'];

/** How to open a model for scoring. */
export interface ScorerOptions {
  readonly contextLength: number;
  readonly threads?: number | undefined;
  /** Where a temporary GGUF file of a folder may lie. */
  readonly temporary: string;
  readonly onProgress?: OnProgress | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A scorer, and what a user should know of how it computes. */
export interface OpenedScorer {
  readonly scorer: TokenScorer;
  readonly notes: readonly string[];
}

/**
 * Opens a model in an engine.
 *
 * llama.cpp needs a GGUF file: of a folder a temporary one is made in the type of its weights, so that
 * nothing is lost, and removed when the scorer closes.
 *
 * @throws PithError what the engines throw for models they do not know; `engine-missing`.
 */
export function openScorer(
  reference: string,
  engine: EngineName,
  options: ScorerOptions,
): Promise<OpenedScorer> {
  return engine === 'onnx' ? openOnnx(reference, options) : openLlama(reference, options);
}

async function openOnnx(reference: string, options: ScorerOptions): Promise<OpenedScorer> {
  const { contextLength, threads = availableParallelism() } = options;
  const { openOnnxScorer } = await import('../../evaluate/onnx/index.ts');
  const { openOnnxEngine } = await import('../../runtime/onnx/index.ts');
  const { startTranscoder } = await import('../../runtime/kernel-workers.ts');
  const opened = new Opened();
  try {
    const model = opened.add(await openModel(reference));
    const engine = opened.add(await openOnnxEngine({ threads, ...optional(options) }));
    const transcoder = opened.add(await startTranscoder(threads));
    const settings = { contextLength, transcoder, availableBytes: availableMemory() };
    const scorer = await openOnnxScorer(model, engine, { ...settings, ...optional(options) });
    opened.add(scorer);
    const mode = `${reference} is computed ${scorer.mode === 'whole' ? 'whole' : 'by block'}`;
    const notes = [`${mode} by ${engine.name}, ${engine.provider}: ${scorer.reason}.`];
    return { scorer: closing(scorer, opened), notes };
  } catch (error) {
    await opened.close();
    throw error;
  }
}

async function openLlama(reference: string, options: ScorerOptions): Promise<OpenedScorer> {
  const { contextLength, threads, signal } = options;
  const { openLlamaScorer } = await import('../../evaluate/llama-scorer.ts');
  const { kind, path } = await locateModel(reference);
  const opened = new Opened();
  try {
    const made =
      kind === 'gguf' ? undefined : await losslessGguf(reference, options.temporary, options);
    if (made) opened.add({ close: () => unlink(made.path) });
    // Sequences that are computed together round each other differently from one run to the next.
    const settings = { contextLength, threads, sequences: 1, ...(signal && { signal }) };
    const scorer = opened.add(await openLlamaScorer(made?.path ?? path, settings));
    const note = `llama.cpp reads ${reference} from a temporary GGUF file of type ${made?.type}.`;
    return { scorer: closing(scorer, opened), notes: made ? [note] : [] };
  } catch (error) {
    await opened.close();
    throw error;
  }
}

/** Things to close, the last first. */
class Opened {
  readonly #things: { close(): Promise<void> }[] = [];

  add<T extends { close(): Promise<void> }>(thing: T): T {
    this.#things.push(thing);
    return thing;
  }

  async close(): Promise<void> {
    for (const thing of this.#things.splice(0).toReversed()) await thing.close();
  }
}

/** A scorer that closes everything it stands on. */
function closing(scorer: TokenScorer, opened: Opened): TokenScorer {
  const { engine, device, vocabulary, contextLength, windowsAtOnce } = scorer;
  return {
    engine,
    device,
    vocabulary,
    contextLength,
    ...(windowsAtOnce !== undefined && { windowsAtOnce }),
    score: (window, settings) => scorer.score(window, settings),
    close: () => opened.close(),
  };
}

function optional({ onProgress, signal }: ScorerOptions) {
  return { ...(onProgress && { onProgress }), ...(signal && { signal }) };
}

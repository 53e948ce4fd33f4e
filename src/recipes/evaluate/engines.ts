import { availableParallelism } from 'node:os';
import { availableMemory } from 'node:process';
import type { TokenScorer } from '../../evaluate/scorer.ts';
import { openModel } from '../../models/open.ts';
import type { EngineOptions } from './engine-options.ts';
import { openGgufFile } from './gguf-file.ts';
import { OpenThings } from '../../util/closing.ts';

/** What computes the predictions. */
export type EngineName = TokenScorer['engine'];

/** What an evaluation computes with; the last one is the final word. */
export function enginesOf(engine: EngineName | 'both' = 'onnx'): readonly EngineName[] {
  return engine === 'both' ? ['onnx', 'llama'] : [engine];
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
  options: EngineOptions,
): Promise<OpenedScorer> {
  return engine === 'onnx' ? openOnnx(reference, options) : openLlama(reference, options);
}

async function openOnnx(reference: string, options: EngineOptions): Promise<OpenedScorer> {
  const { contextLength, threads = availableParallelism() } = options;
  const { openOnnxScorer } = await import('../../evaluate/onnx/index.ts');
  const { openOnnxEngine } = await import('../../runtime/onnx/index.ts');
  const { startTranscoder } = await import('../../runtime/kernel-workers.ts');
  const opened = new OpenThings();
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

async function openLlama(reference: string, options: EngineOptions): Promise<OpenedScorer> {
  const { contextLength, threads, signal } = options;
  const { openLlamaScorer } = await import('../../evaluate/llama-scorer.ts');
  const opened = new OpenThings();
  try {
    const { path, notes } = opened.add(await openGgufFile(reference, options));
    // Sequences that are computed together round each other differently from one run to the next.
    const settings = { contextLength, threads, sequences: 1, ...(signal && { signal }) };
    const scorer = opened.add(await openLlamaScorer(path, settings));
    return { scorer: closing(scorer, opened), notes };
  } catch (error) {
    await opened.close();
    throw error;
  }
}

/** A scorer that closes everything it stands on. */
function closing(scorer: TokenScorer, opened: OpenThings): TokenScorer {
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

function optional({ onProgress, signal }: EngineOptions) {
  return { ...(onProgress && { onProgress }), ...(signal && { signal }) };
}

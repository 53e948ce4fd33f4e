import { availableParallelism } from 'node:os';
import type { TaskDefinition, TaskModel } from '../../evaluate/tasks/index.ts';
import { openModel } from '../../models/open.ts';
import { PithError } from '../../util/errors.ts';
import type { EngineOptions } from './engine-options.ts';
import { openScorer, type EngineName } from './engines.ts';
import { openGgufFile } from './gguf-file.ts';
import { OpenThings } from '../../util/closing.ts';
import type { TasksPlan } from './task-plan.ts';

/** What a model can be asked, one way each. */
type Ability = 'scorer' | 'generate' | 'embed';

const abilityOf: Readonly<Record<TaskDefinition['output_type'], Ability>> = {
  multiple_choice: 'scorer',
  loglikelihood: 'scorer',
  generate_until: 'generate',
  retrieval: 'embed',
};

/** A model with one ability. */
interface OpenedAbility {
  readonly model: Pick<TaskModel, Ability>;
  notes(): readonly string[];
  close(): Promise<void>;
}

/**
 * @throws PithError `unsupported` for tasks of text to write in the engine of graphs.
 */
export function requireAbility({ task, output_type }: TaskDefinition, engine: EngineName): void {
  if (engine === 'llama' || abilityOf[output_type] !== 'generate') return;
  throw new PithError(
    'unsupported',
    `The task ${task} wants text written (${output_type}), which the engine ${engine} does not do.`,
    'Use llama.cpp: --engine llama',
  );
}

/** A model in an engine, opened for what tasks ask when the first one asks it. */
export class TaskEngine {
  readonly #reference: string;
  readonly #engine: EngineName;
  readonly #options: EngineOptions;
  /** How the model reads text; no engine is needed for that. */
  readonly reading: TasksPlan['reading'];
  readonly #abilities = new Map<Ability, OpenedAbility>();

  constructor(
    reference: string,
    engine: EngineName,
    options: EngineOptions & { readonly reading: TasksPlan['reading'] },
  ) {
    this.#reference = reference;
    this.#engine = engine;
    this.#options = options;
    this.reading = options.reading;
  }

  /** The model for a type of task. */
  async modelFor(type: TaskDefinition['output_type']): Promise<TaskModel> {
    const ability = abilityOf[type];
    const opened = this.#abilities.get(ability) ?? (await this.#open(ability));
    this.#abilities.set(ability, opened);
    return { ...this.reading, ...opened.model };
  }

  /** What a user should know, at the end. */
  get notes(): readonly string[] {
    return [...this.#abilities.values()].flatMap((opened) => opened.notes());
  }

  async close(): Promise<void> {
    for (const opened of this.#abilities.values()) await opened.close();
  }

  #open(ability: Ability): Promise<OpenedAbility> {
    if (ability === 'scorer') return openLikelihoods(this.#reference, this.#engine, this.#options);
    if (ability === 'generate') return openWriter(this.#reference, this.#options);
    if (this.#engine === 'llama') return openLlamaVectors(this.#reference, this.#options);
    return openOnnxVectors(this.#reference, this.#options, this.reading.tokenizer);
  }
}

async function openLikelihoods(
  reference: string,
  engine: EngineName,
  options: EngineOptions,
): Promise<OpenedAbility> {
  const { scorer, notes } = await openScorer(reference, engine, options);
  return { model: { scorer }, notes: () => notes, close: () => scorer.close() };
}

/** Greedy, each prompt from an empty cache, so that answers do not depend on those before them. */
async function openWriter(reference: string, options: EngineOptions): Promise<OpenedAbility> {
  const { contextLength, threads, signal: stop } = options;
  const { openLlama } = await import('../../runtime/llama.ts');
  return openAll(async (opened) => {
    const { path, notes } = opened.add(await openGgufFile(reference, options));
    const opening = { contextLength, threads, ...(stop && { signal: stop }) };
    const engine = opened.add(await openLlama(path, opening));
    const write: TaskModel['generate'] = async (prompt, { until, maxTokens, signal }) => {
      if (signal?.aborted) throw new PithError('cancelled', 'Writing was cancelled.');
      const tokens = engine.promptTokens(prompt);
      const room = contextLength - maxTokens;
      if (room < 1) throw tooLong(maxTokens, contextLength);
      const settings = { maxTokens, stopTexts: until, signal };
      const { text, stopReason } = await engine.generate(tokens.slice(-room), settings);
      if (stopReason === 'cancelled') throw new PithError('cancelled', 'Writing was cancelled.');
      return { text, truncated: tokens.length > room };
    };
    // The engine has one sequence, and several questions come at once.
    let last: Promise<unknown> = Promise.resolve();
    const generate: TaskModel['generate'] = (...asked) => {
      const written = last.then(() => write(...asked));
      last = written.catch(() => undefined);
      return written;
    };
    return { model: { generate }, notes: () => notes };
  });
}

function tooLong(maxTokens: number, contextLength: number): PithError {
  return new PithError(
    'shape',
    `Answers of ${maxTokens} tokens leave no room for a prompt in a context of ${contextLength}.`,
    'Lower max_gen_toks in the task file (generation_kwargs), or take another model.',
  );
}

async function openLlamaVectors(reference: string, options: EngineOptions): Promise<OpenedAbility> {
  const { contextLength, threads, signal: stop } = options;
  const { openLlamaEmbedder } = await import('../../runtime/llama-embedder.ts');
  return openAll(async (opened) => {
    const { path, notes } = opened.add(await openGgufFile(reference, options));
    const embedder = opened.add(
      await openLlamaEmbedder(path, { contextLength, threads, signal: stop }),
    );
    let cut = 0;
    const embed: TaskModel['embed'] = async (texts, _, signal) => {
      const vectors: Float32Array[] = [];
      for (const text of texts) {
        if (signal?.aborted) throw new PithError('cancelled', 'Embedding was cancelled.');
        const { vector, truncated } = await embedder.embed(text);
        if (truncated) cut++;
        vectors.push(vector);
      }
      return vectors;
    };
    const length = `${embedder.contextLength} tokens`;
    const cutNotes = () =>
      cut === 0 ? [] : [`${cut} texts are longer than ${length}: cut at the end.`];
    return { model: { embed }, notes: () => [...notes, ...cutNotes()] };
  });
}

async function openOnnxVectors(
  reference: string,
  options: EngineOptions,
  tokenizer: TaskModel['tokenizer'],
): Promise<OpenedAbility> {
  const { contextLength, threads = availableParallelism(), onProgress, signal } = options;
  const { openOnnxEmbedder } = await import('../../evaluate/onnx/index.ts');
  const { openOnnxEngine } = await import('../../runtime/onnx/index.ts');
  const { startTranscoder } = await import('../../runtime/kernel-workers.ts');
  const reporting = { ...(onProgress && { onProgress }), ...(signal && { signal }) };
  return openAll(async (opened) => {
    const model = opened.add(await openModel(reference));
    const engine = opened.add(await openOnnxEngine({ threads, ...reporting }));
    const transcoder = opened.add(await startTranscoder(threads));
    const settings = { tokenizer, contextLength, transcoder, ...reporting };
    const embedder = opened.add(await openOnnxEmbedder(model, engine, settings));
    const embed: TaskModel['embed'] = (...asked) => embedder.embed(...asked);
    return { model: { embed }, notes: () => embedder.notes };
  });
}

/** Closes everything at the end, or when opening fails. */
async function openAll(
  open: (opened: OpenThings) => Promise<Omit<OpenedAbility, 'close'>>,
): Promise<OpenedAbility> {
  const opened = new OpenThings();
  try {
    return { ...(await open(opened)), close: () => opened.close() };
  } catch (error) {
    await opened.close();
    throw error;
  }
}

import type { Engine, StoredTensor } from '../../graph/engine.ts';
import { inlineTranscoder, type Transcoder } from '../../kernels/transcoder.ts';
import { createWasmKernels } from '../../kernels/wasm.ts';
import { encoderGraph } from '../../models/graph/encoder.ts';
import { requiredParameter } from '../../models/hyper-parameters.ts';
import type { Model } from '../../models/model.ts';
import { PithError } from '../../util/errors.ts';
import type { OnProgress } from '../../util/progress.ts';
import type { TaskModel } from '../tasks/model.ts';
import { Programs, weightNames } from './programs.ts';
import { textBatches, textInputs, textShapes, type TextBatch } from './text-batches.ts';
import { WeightStore } from './weight-store.ts';
import type { WindowShape } from './window-batch.ts';

/** How to open an embedder. */
export interface OnnxEmbedderOptions {
  /** Gives the tokens of a text, nothing added: `loadTokenizer`. */
  readonly tokenizer: TaskModel['tokenizer'];
  /** Tokens after which texts are cut. Default: the model's context. */
  readonly contextLength?: number;
  /** What stands before texts of a kind, in models that were trained so: `query: `. */
  readonly prompts?: Readonly<Partial<Record<'query' | 'document', string>>>;
  /** Decodes weights; the caller closes it. Default: the kernels on the calling thread. */
  readonly transcoder?: Transcoder;
  /** Weights as they are read. */
  readonly onProgress?: OnProgress;
  readonly signal?: AbortSignal;
}

/**
 * Opens an encoder's weights, dequantized to f32, on an engine of graphs.
 *
 * @throws PithError `unsupported` for a model that is no encoder or pools in a way that Pith does not
 *   know, `usage` for a context longer than the model's, `corrupt` without the tokens around a text,
 *   `cancelled`; whatever reading the weights throws.
 * @remarks Memory: 4 bytes a weight, and the activations of 512 tokens. Vectors of texts of many
 *   languages and lengths are within 2e-6 of transformers 4.57 with each text alone, unpadded:
 *   test/golden/text-vectors.json.
 */
export async function openOnnxEmbedder(
  model: Model,
  engine: Engine,
  options: OnnxEmbedderOptions,
): Promise<OnnxEmbedder> {
  const longest = requiredParameter(model, 'context_length');
  const { contextLength = longest } = options;
  if (contextLength < 3 || contextLength > longest)
    throw new PithError(
      'usage',
      `Texts of ${contextLength} tokens were asked for; the model reads 3 to ${longest}.`,
      `Use at most ${longest}.`,
    );
  const edges = edgesOf(model);
  const names = weightNames(encoderGraph(model, { batch: 1, length: contextLength }));
  const transcoder = options.transcoder ?? inlineTranscoder(await createWasmKernels());
  const weights = new WeightStore(model, engine, transcoder, true);
  await weights.loadAll(names, options);
  return new OnnxEmbedder({ ...options, model, engine, weights, edges, contextLength });
}

interface Parts extends OnnxEmbedderOptions {
  readonly model: Model;
  readonly engine: Engine;
  readonly weights: WeightStore;
  /** What stands around every text. */
  readonly edges: readonly [number, number];
  readonly contextLength: number;
}

/** Turns texts into vectors of length 1 with a model's weights as f32 on an engine of graphs. */
export class OnnxEmbedder implements Required<Pick<TaskModel, 'embed'>> {
  readonly device: string;
  readonly contextLength: number;
  readonly #parts: Parts;
  readonly #shapes: readonly WindowShape[];
  readonly #programs: Programs;
  #texts = 0;
  #cut = 0;

  constructor(parts: Parts) {
    this.device = parts.engine.provider;
    this.contextLength = parts.contextLength;
    this.#parts = parts;
    this.#shapes = textShapes(parts.contextLength);
    this.#programs = new Programs(parts.engine);
  }

  /** What a user should know of the texts so far. */
  get notes(): readonly string[] {
    if (this.#cut === 0) return [];
    const length = `${this.contextLength} tokens`;
    return [`${this.#cut} of ${this.#texts} texts are longer than ${length}: cut at the end.`];
  }

  /**
   * Vectors `[C]` of texts, in order.
   *
   * @throws PithError `not-finite`, `cancelled`.
   * @remarks Texts of like length share runs of a few fixed sizes. Padding and neighbours in a run
   *   change no number of a vector by more than 1e-6.
   */
  async embed(
    texts: readonly string[],
    kind: 'query' | 'document' = 'document',
    signal?: AbortSignal,
  ): Promise<readonly Float32Array[]> {
    const prompt = this.#parts.prompts?.[kind] ?? '';
    const tokens = texts.map((text) => this.#tokens(prompt + text));
    const lengths = tokens.map(({ length }) => length);
    const vectors: Float32Array[] = [];
    for (const batch of textBatches(this.#shapes, lengths)) {
      if (signal?.aborted) throw new PithError('cancelled', 'Embedding was cancelled.');
      const found = await this.#run(batch, tokens);
      for (const [row, text] of batch.texts.entries()) vectors[text] = found[row]!;
    }
    return vectors;
  }

  /** Frees programs and weights; the engine and the model stay open. */
  async close(): Promise<void> {
    await this.#programs.close();
    await this.#parts.weights.close();
  }

  #tokens(text: string): readonly number[] {
    const { tokenizer, edges } = this.#parts;
    const plain = tokenizer.encode(text);
    const room = this.contextLength - edges.length;
    this.#texts++;
    if (plain.length > room) this.#cut++;
    return [edges[0], ...plain.slice(0, room), edges[1]];
  }

  async #run(
    { shape, texts }: TextBatch,
    tokens: readonly (readonly number[])[],
  ): Promise<readonly Float32Array[]> {
    const { model, weights } = this.#parts;
    const program = await this.#programs.get(`${shape.length}`, () => encoderGraph(model, shape));
    const rows = texts.map((text) => tokens[text]!);
    const { token_types, ...needed } = textInputs(shape, rows);
    const typed = program.graph.inputs.some(({ name }) => name === 'token_types');
    const stored: Record<string, StoredTensor> = {};
    for (const name of weightNames(program.graph)) stored[name] = await weights.get(name);
    const inputs = { ...stored, ...needed, ...(typed && { token_types }) };
    const { outputs } = await program.run(inputs, { outputs: ['embedding'] });
    const values = outputs['embedding'] as Float32Array;
    const width = values.length / shape.batch;
    return texts.map((_, row) => finite(values.slice(row * width, (row + 1) * width)));
  }
}

/** The tokens that BERT's tokenizers put around a text: [CLS] and [SEP]. */
function edgesOf({ source, metadata }: Model): readonly [number, number] {
  const token = (...names: string[]): number => {
    for (const name of names) {
      const id = metadata.get(`tokenizer.ggml.${name}_token_id`)?.value;
      if (typeof id === 'number') return id;
    }
    throw new PithError(
      'corrupt',
      `${source} names no ${names.join(' or ')} token, which stands at an end of every text.`,
      'Check the tokenizer files of the model.',
    );
  };
  return [token('cls', 'bos'), token('seperator', 'eos')];
}

function finite(vector: Float32Array): Float32Array {
  if (vector.every(Number.isFinite)) return vector;
  const hint = 'Check the weights: pith verify';
  throw new PithError('not-finite', "A text's vector has numbers that are not finite.", hint);
}

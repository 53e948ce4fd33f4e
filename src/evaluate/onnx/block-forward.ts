import type { Engine, Program, RunOptions, RunResult, StoredTensor } from '../../graph/engine.ts';
import { GraphBuilder } from '../../graph/builder.ts';
import type { Graph } from '../../graph/graph.ts';
import type { TensorData } from '../../graph/value.ts';
import {
  blockGraph,
  blockKinds,
  embeddingGraph,
  tensorOfInput,
} from '../../models/graph/decoder.ts';
import type { ModelOutline } from '../../models/graph/model-scope.ts';
import type { Model } from '../../models/model.ts';
import type { Forward, PassControl } from './forward.ts';
import { Programs, weightNames } from './programs.ts';
import type { WeightStore } from './weight-store.ts';
import type { TokenBatch, WindowShape } from './window-batch.ts';

const embedding = 'token_embd.weight';
const hiddenSums = 'hiddenSums';

/**
 * All batches go through block i before block i + 1, whose weights are read meanwhile: two blocks and
 * the batches' activations are in memory. Blocks of one kind share a program.
 */
export class BlockForward implements Forward {
  readonly #model: Model;
  readonly #weights: WeightStore;
  readonly #programs: Programs;
  readonly #kinds: readonly number[];

  constructor(model: Model, engine: Engine, weights: WeightStore) {
    this.#model = model;
    this.#weights = weights;
    this.#programs = new Programs(engine);
    this.#kinds = blockKinds(model);
  }

  async *run(
    batches: readonly TokenBatch[],
    { check, onProgress }: PassControl,
  ): AsyncGenerator<StoredTensor> {
    const hidden: StoredTensor[] = [];
    const total = this.#kinds.length;
    const { shape } = batches[0]!;
    let ahead = this.#loadAhead(0, shape);
    try {
      for (let index = -1; index < total; index++) {
        if (index >= 0) {
          await ahead;
          ahead = this.#loadAhead(index + 1, shape);
        }
        for (const [at, batch] of batches.entries()) {
          check();
          const before = hidden[at];
          const { kept } = await this.#step(index, batch, before);
          hidden[at] = kept['hidden']!;
          await before?.release();
        }
        await this.#releaseBlock(index);
        onProgress?.({ label: `blk.${index}`, done: index + 1, total, unit: 'steps' });
      }
      while (hidden.length > 0) yield hidden.shift()!;
    } finally {
      await ahead.catch(() => undefined);
      for (const left of hidden) await left.release();
      for (let index = 0; index < total; index++) await this.#releaseBlock(index);
    }
  }

  /**
   * The first block that gives NaN or infinity at the first `tokens` tokens of the first window; -1 is
   * the embedding, undefined none.
   */
  async firstNonFinite(batch: TokenBatch, tokens: number): Promise<number | undefined> {
    let hidden: StoredTensor | undefined;
    try {
      for (let index = -1; index < this.#kinds.length; index++) {
        const before = hidden;
        const result = await this.#step(index, batch, before, [hiddenSums]);
        hidden = result.kept['hidden']!;
        await before?.release();
        await this.#releaseBlock(index);
        const sums = result.outputs[hiddenSums] as Float32Array;
        if (!sums.subarray(0, tokens).every(Number.isFinite)) return index;
      }
      return undefined;
    } finally {
      await hidden?.release();
    }
  }

  close(): Promise<void> {
    return this.#programs.close();
  }

  /** The embedding (index -1) or one block of one batch; its result is kept. */
  async #step(
    index: number,
    batch: TokenBatch,
    input: StoredTensor | undefined,
    outputs: readonly string[] = [],
  ): Promise<RunResult> {
    const options = { outputs, keep: ['hidden'] };
    if (!input) return this.#embed(batch, options);
    const { shape } = batch;
    const program = await this.#blockProgram(index, shape);
    return program.run({ ...(await this.#loadBlock(index, shape)), input }, options);
  }

  /** Only the rows of the embedding that the batch needs are at the engine. */
  async #embed({ shape, tokens }: TokenBatch, options: RunOptions): Promise<RunResult> {
    const distinct = [...new Set(tokens)];
    const places = new Map(distinct.map((token, place) => [token, BigInt(place)]));
    const needed = Array.from({ length: tokens.length }, (_, at) => Number(distinct[at] ?? 0n));
    const program = await this.#programs.get(`embedding ${shape.length}`, () =>
      withSums(embeddingGraph(withRows(this.#model, tokens.length), shape)),
    );
    const inputs: Record<string, TensorData | StoredTensor> = {
      tokens: tokens.map((token) => places.get(token)!),
      [embedding]: await this.#weights.rows(embedding, needed),
    };
    for (const name of weightNames(program.graph))
      if (!(name in inputs)) inputs[name] = await this.#weights.get(name);
    return program.run(inputs, options);
  }

  #blockProgram(index: number, shape: WindowShape): Promise<Program> {
    const kind = this.#kinds[index]!;
    return this.#programs.get(`${kind} ${shape.length}`, () =>
      withSums(blockGraph(this.#model, kind, shape)),
    );
  }

  /** Every weight of a block, under the names that its program has. */
  async #loadBlock(
    index: number,
    shape: WindowShape,
  ): Promise<Readonly<Record<string, StoredTensor>>> {
    const { graph } = await this.#blockProgram(index, shape);
    const loaded: Record<string, StoredTensor> = {};
    for (const name of weightNames(graph))
      loaded[name] = await this.#weights.get(tensorOfInput(name, index));
    return loaded;
  }

  /** The same while other work goes on: a failure is not unhandled before somebody waits for it. */
  #loadAhead(index: number, shape: WindowShape): Promise<unknown> {
    const loading = index < this.#kinds.length ? this.#loadBlock(index, shape) : Promise.resolve();
    loading.catch(() => undefined);
    return loading;
  }

  #releaseBlock(index: number): Promise<void> {
    const prefix = `blk.${index}.`;
    const names = [...this.#model.tensors.keys()].filter((name) => name.startsWith(prefix));
    return this.#weights.release(names);
  }
}

/** Adds the sums of `hidden`, `[B,T]`: NaN or infinite where it is anywhere. */
function withSums(graph: Graph): Graph {
  const g = new GraphBuilder(graph);
  const hidden = graph.outputs.find(({ name }) => name === 'hidden')!;
  g.output(hiddenSums, g.sum(hidden.value, -1));
  return g.build();
}

/** The model as if its embedding had so many rows. */
function withRows(model: ModelOutline, rows: number): ModelOutline {
  const table = model.tensors.get(embedding)!;
  const shape = [rows, table.shape[1]!];
  return { ...model, tensors: new Map(model.tensors).set(embedding, { ...table, shape }) };
}

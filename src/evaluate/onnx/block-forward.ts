import type { Engine, Program, StoredTensor } from '../../graph/engine.ts';
import { GraphBuilder } from '../../graph/builder.ts';
import type { TensorData } from '../../graph/value.ts';
import {
  blockGraph,
  blockKinds,
  embeddingGraph,
  tensorOfInput,
} from '../../models/graph/decoder.ts';
import type { ModelOutline } from '../../models/graph/model-scope.ts';
import { routedBlockGraph } from '../../models/graph/routed-block.ts';
import type { Model } from '../../models/model.ts';
import { Experts, type RoutedTokens } from './experts.ts';
import type { Forward, PassControl } from './forward.ts';
import { Programs, weightNames } from './programs.ts';
import type { WeightStore } from './weight-store.ts';
import type { TokenBatch, WindowShape } from './window-batch.ts';

const embedding = 'token_embd.weight';
const kept = { outputs: [], keep: ['hidden'] };

/**
 * All batches go through block i before block i + 1, whose weights are read meanwhile, experts apart:
 * two blocks and the batches' activations are in memory. Blocks of one kind share a program.
 */
export class BlockForward implements Forward {
  readonly #model: Model;
  readonly #engine: Engine;
  readonly #weights: WeightStore;
  readonly #programs: Programs;
  readonly #experts: Experts;
  readonly #kinds: readonly number[];

  constructor(model: Model, engine: Engine, weights: WeightStore) {
    this.#model = model;
    this.#engine = engine;
    this.#weights = weights;
    this.#programs = new Programs(engine);
    this.#experts = new Experts(model, weights, this.#programs);
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
        await this.#advance(index, batches, hidden, check);
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
    const hidden: StoredTensor[] = [];
    try {
      for (let index = -1; index < this.#kinds.length; index++) {
        await this.#advance(index, [batch], hidden, () => undefined);
        await this.#releaseBlock(index);
        const sums = await this.#sums(hidden[0]!);
        if (!sums.subarray(0, tokens).every(Number.isFinite)) return index;
      }
      return undefined;
    } finally {
      await hidden[0]?.release();
    }
  }

  close(): Promise<void> {
    return this.#programs.close();
  }

  /** Puts what the embedding (index -1) or a block makes of each batch in place of `hidden`. */
  async #advance(
    index: number,
    batches: readonly TokenBatch[],
    hidden: StoredTensor[],
    check: () => void,
  ): Promise<void> {
    if (index >= 0 && this.#isRouted(index))
      return this.#advanceRouted(index, batches, hidden, check);
    for (const [at, batch] of batches.entries()) {
      check();
      const before = hidden[at];
      hidden[at] = before ? await this.#block(index, batch, before) : await this.#embed(batch);
      await before?.release();
    }
  }

  async #block(index: number, { shape }: TokenBatch, input: StoredTensor): Promise<StoredTensor> {
    const program = await this.#blockProgram(index, shape);
    const inputs = { ...(await this.#loadBlock(index, shape)), input };
    return (await program.run(inputs, kept)).kept['hidden']!;
  }

  /** Every batch through the block up to its experts, then experts, each on tokens of all batches. */
  async #advanceRouted(
    index: number,
    batches: readonly TokenBatch[],
    hidden: StoredTensor[],
    check: () => void,
  ): Promise<void> {
    const routed: RoutedTokens[] = [];
    for (const [at, { shape }] of batches.entries()) {
      check();
      const input = hidden[at]!;
      const program = await this.#blockProgram(index, shape);
      const { outputs } = await program.run({ ...(await this.#loadBlock(index, shape)), input });
      await input.release();
      routed.push({
        hidden: outputs['hidden'] as Float32Array,
        input: outputs['experts.input'] as Float32Array,
        indices: outputs['experts.indices'] as BigInt64Array,
        weights: outputs['experts.weights'] as Float32Array,
      });
    }
    await this.#experts.add(index, routed, check);
    for (const [at, { type, shape }] of hidden.entries())
      hidden[at] = await this.#engine.store(type, shape, routed[at]!.hidden);
  }

  #isRouted(index: number): boolean {
    return this.#model.tensors.has(`blk.${index}.ffn_gate_inp.weight`);
  }

  /** Sums over the width, `[B·T]`: NaN or infinite where `hidden` is anywhere. */
  async #sums(hidden: StoredTensor): Promise<Float32Array> {
    const program = await this.#programs.get(`sums ${hidden.shape.join(' ')}`, () => {
      const g = new GraphBuilder();
      g.output('sums', g.sum(g.input('input', 'f32', hidden.shape), -1));
      return g.build();
    });
    return (await program.run({ input: hidden })).outputs['sums'] as Float32Array;
  }

  /** Only the rows of the embedding that the batch needs are at the engine. */
  async #embed({ shape, tokens }: TokenBatch): Promise<StoredTensor> {
    const distinct = [...new Set(tokens)];
    const places = new Map(distinct.map((token, place) => [token, BigInt(place)]));
    const needed = Array.from({ length: tokens.length }, (_, at) => Number(distinct[at] ?? 0n));
    const program = await this.#programs.get(`embedding ${shape.length}`, () =>
      embeddingGraph(withRows(this.#model, tokens.length), shape),
    );
    const inputs: Record<string, TensorData | StoredTensor> = {
      tokens: tokens.map((token) => places.get(token)!),
      [embedding]: await this.#weights.rows(embedding, needed),
    };
    for (const name of weightNames(program.graph))
      if (!(name in inputs)) inputs[name] = await this.#weights.get(name);
    return (await program.run(inputs, kept)).kept['hidden']!;
  }

  #blockProgram(index: number, shape: WindowShape): Promise<Program> {
    const kind = this.#kinds[index]!;
    const graph = this.#isRouted(index) ? routedBlockGraph : blockGraph;
    return this.#programs.get(`${kind} ${shape.length}`, () => graph(this.#model, kind, shape));
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

/** The model as if its embedding had so many rows. */
function withRows(model: ModelOutline, rows: number): ModelOutline {
  const table = model.tensors.get(embedding)!;
  const shape = [rows, table.shape[1]!];
  return { ...model, tensors: new Map(model.tensors).set(embedding, { ...table, shape }) };
}

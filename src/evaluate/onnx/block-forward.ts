import type { Engine, StoredTensor } from '../../graph/engine.ts';
import { GraphBuilder } from '../../graph/builder.ts';
import { blockGraph } from '../../models/graph/decoder.ts';
import { routedBlockGraph } from '../../models/graph/routed-block.ts';
import type { Model } from '../../models/model.ts';
import { BlockPrograms } from './block-programs.ts';
import { Experts, type RoutedTokens } from './experts.ts';
import type { Forward, PassControl } from './forward.ts';
import { Programs } from './programs.ts';
import type { WeightStore } from './weight-store.ts';
import type { TokenBatch, WindowShape } from './window-batch.ts';

const kept = { outputs: [], keep: ['hidden'] };

/**
 * All batches go through block i before block i + 1, whose weights are read meanwhile, experts apart:
 * two blocks and the batches' activations are in memory. Blocks of one kind share a program.
 */
export class BlockForward implements Forward {
  readonly #model: Model;
  readonly #engine: Engine;
  readonly #blocks: BlockPrograms;
  readonly #programs: Programs;
  readonly #experts: Experts;

  constructor(model: Model, engine: Engine, weights: WeightStore) {
    this.#model = model;
    this.#engine = engine;
    const block = (kind: number, shape: WindowShape) =>
      (this.#isRouted(kind) ? routedBlockGraph : blockGraph)(model, kind, shape);
    this.#blocks = new BlockPrograms({ model, engine, weights, block });
    this.#programs = new Programs(engine);
    this.#experts = new Experts(model, weights, this.#programs);
  }

  async *run(
    batches: readonly TokenBatch[],
    { check, onProgress }: PassControl,
  ): AsyncGenerator<StoredTensor> {
    const hidden: StoredTensor[] = [];
    const total = this.#blocks.kinds.length;
    const { shape } = batches[0]!;
    let ahead = this.#blocks.loadAhead(0, shape);
    try {
      for (let index = -1; index < total; index++) {
        if (index >= 0) {
          await ahead;
          ahead = this.#blocks.loadAhead(index + 1, shape);
        }
        await this.#advance(index, batches, hidden, check);
        await this.#blocks.release(index);
        onProgress?.({ label: `blk.${index}`, done: index + 1, total, unit: 'steps' });
      }
      while (hidden.length > 0) yield hidden.shift()!;
    } finally {
      await ahead.catch(() => undefined);
      for (const left of hidden) await left.release();
      for (let index = 0; index < total; index++) await this.#blocks.release(index);
    }
  }

  /**
   * The first block that gives NaN or infinity at the first `tokens` tokens of the first window; -1 is
   * the embedding, undefined none.
   */
  async firstNonFinite(batch: TokenBatch, tokens: number): Promise<number | undefined> {
    const hidden: StoredTensor[] = [];
    try {
      for (let index = -1; index < this.#blocks.kinds.length; index++) {
        await this.#advance(index, [batch], hidden, () => undefined);
        await this.#blocks.release(index);
        const sums = await this.#sums(hidden[0]!);
        if (!sums.subarray(0, tokens).every(Number.isFinite)) return index;
      }
      return undefined;
    } finally {
      await hidden[0]?.release();
    }
  }

  async close(): Promise<void> {
    await this.#blocks.close();
    await this.#programs.close();
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
      const result = before
        ? await this.#blocks.run(index, batch.shape, { input: before }, kept)
        : await this.#blocks.embed(batch, kept);
      hidden[at] = result.kept['hidden']!;
      await before?.release();
    }
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
      const { outputs } = await this.#blocks.run(index, shape, { input });
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
}

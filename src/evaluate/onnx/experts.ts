import type { StoredTensor } from '../../graph/engine.ts';
import { expertGraph, tokensByExpert } from '../../models/graph/routed-block.ts';
import { requiredParameter } from '../../models/hyper-parameters.ts';
import type { Model } from '../../models/model.ts';
import { inOrder } from '../../util/in-order.ts';
import { expertName } from './expert-tensors.ts';
import type { Programs } from './programs.ts';
import type { WeightStore } from './weight-store.ts';

/** Tokens of a batch after a block's router, as `routedBlockGraph` gives them. */
export interface RoutedTokens {
  /** `[N,C]`: the block's output but for its experts, which are added to it. */
  readonly hidden: Float32Array;
  /** `[N,C]`. */
  readonly input: Float32Array;
  /** `[N,k]`. */
  readonly indices: BigInt64Array;
  readonly weights: Float32Array;
}

/** One token of an expert. */
interface ExpertToken {
  readonly batch: RoutedTokens;
  readonly row: number;
  readonly weight: number;
}

/** What one expert has to do. */
interface ExpertWork {
  readonly tokens: readonly ExpertToken[];
  readonly weights: Readonly<Record<string, StoredTensor>>;
  readonly check: () => void;
}

/** An expert's programs have so many rows: the least, and its doubles up to the most. */
const leastRows = 32;
const mostRows = 512;
const parts = ['gate', 'up', 'down'] as const;

/**
 * Runs each expert on its own tokens, those of all batches at once, so that it is read once; the next
 * one is read meanwhile, so two are in memory. One that no token goes to is not read.
 */
export class Experts {
  readonly #model: Model;
  readonly #weights: WeightStore;
  readonly #programs: Programs;
  readonly #width: number;

  constructor(model: Model, weights: WeightStore, programs: Programs) {
    this.#model = model;
    this.#weights = weights;
    this.#programs = programs;
    this.#width = requiredParameter(model, 'embedding_length');
  }

  /**
   * Adds the experts of block `index` to `hidden` of every batch.
   *
   * @param check - Called before each run; throws when nobody waits any more.
   */
  async add(index: number, batches: readonly RoutedTokens[], check: () => void): Promise<void> {
    const needed = this.#sorted(batches);
    const reading = inOrder(needed, 2, async ({ expert, tokens }) => {
      const names = namesOf(index, expert);
      return { names, tokens, weights: await this.#read(names) };
    });
    try {
      for await (const { names, tokens, weights } of reading) {
        for await (const { own, output } of this.#runs(index, { tokens, weights, check }))
          addWeighted(own, output, this.#width);
        await this.#weights.release(names);
      }
    } finally {
      await this.#weights.release(needed.flatMap(({ expert }) => namesOf(index, expert)));
    }
  }

  /** Experts with tokens, and those of all batches. */
  #sorted(batches: readonly RoutedTokens[]): { expert: number; tokens: ExpertToken[] }[] {
    const count = requiredParameter(this.#model, 'expert_count');
    const used = requiredParameter(this.#model, 'expert_used_count');
    const sorted = Array.from({ length: count }, (_, expert) => ({
      expert,
      tokens: [] as ExpertToken[],
    }));
    for (const batch of batches) {
      const experts = tokensByExpert(batch.indices, batch.weights, { count, used });
      for (const [expert, { rows, weights }] of experts.entries())
        for (const [at, row] of rows.entries())
          sorted[expert]!.tokens.push({ batch, row, weight: weights[at]! });
    }
    return sorted.filter(({ tokens }) => tokens.length > 0);
  }

  async #read(names: readonly string[]): Promise<Record<string, StoredTensor>> {
    const weights: Record<string, StoredTensor> = {};
    for (const [at, part] of parts.entries())
      weights[`${part}.weight`] = await this.#weights.get(names[at]!);
    return weights;
  }

  /** An expert's outputs, one run while the one before is added. */
  #runs(
    index: number,
    { tokens, weights, check }: ExpertWork,
  ): AsyncGenerator<{ own: readonly ExpertToken[]; output: Float32Array }> {
    let last = 0;
    return inOrder(expertRuns(tokens.length), 2, async (rows) => {
      check();
      const own = tokens.slice(last, (last += rows));
      const program = await this.#program(index, rows);
      const input = gathered(own, rows, this.#width);
      const { outputs } = await program.run({ ...weights, input }, { outputs: ['hidden'] });
      return { own, output: outputs['hidden'] as Float32Array };
    });
  }

  #program(index: number, rows: number) {
    const { shape } = this.#model.tensors.get(`blk.${index}.ffn_down_exps.weight`)!;
    return this.#programs.get(`expert ${shape.join(' ')} ${rows}`, () =>
      expertGraph(this.#model, index, rows),
    );
  }
}

/**
 * Rows of the runs that so many tokens make, powers of two. Padding is less than 32 rows, or less than a
 * quarter of the last run.
 */
export function expertRuns(tokens: number): number[] {
  const runs: number[] = [];
  for (let left = tokens; left > 0;) {
    let rows = leastRows;
    while (rows < mostRows && left > 1.5 * rows) rows *= 2;
    runs.push(rows);
    left -= rows;
  }
  return runs;
}

function namesOf(index: number, expert: number): string[] {
  return parts.map((part) => expertName(`blk.${index}.ffn_${part}_exps.weight`, expert));
}

/** The inputs of an expert's tokens `[rows,C]`; rows beyond the last token are 0. */
function gathered(tokens: readonly ExpertToken[], rows: number, width: number): Float32Array {
  const input = new Float32Array(rows * width);
  for (const [at, { batch, row }] of tokens.entries())
    input.set(batch.input.subarray(row * width, (row + 1) * width), at * width);
  return input;
}

function addWeighted(tokens: readonly ExpertToken[], outputs: Float32Array, width: number): void {
  for (const [at, { batch, row, weight }] of tokens.entries()) {
    const { hidden } = batch;
    for (let i = 0; i < width; i++) hidden[row * width + i]! += weight * outputs[at * width + i]!;
  }
}

import type { Collected } from './collection.ts';
import type { CollectionLayout, CollectionStore } from './collection-store.ts';
import { gramSource, type GramSource } from './gram.ts';
import { hessianRows, hessianSource, type HessianSource } from './hessian.ts';
import { gramKey, type NamedHessian } from './running-hessians.ts';

/** The Hessians and Gram matrices of a collection: what is put into its store, and read from there. */
export class KeptProducts {
  readonly #hessians: NamedHessian[] = [];
  readonly #grams: NamedHessian[] = [];
  readonly #layout: CollectionLayout['hessians'][number][] = [];
  readonly #weights = new Map<string, Float64Array>();

  /** Says what comes next in every pass. */
  declare(products: readonly NamedHessian[]): void {
    for (const one of products) {
      const { name, weight, isGram } = one;
      (isGram ? this.#grams : this.#hessians).push(one);
      this.#layout.push({ name, length: hessianRows(one) * one.blockSize });
      if (weight !== undefined) this.#weights.set(name, new Float64Array(1));
    }
  }

  /** For the store. */
  get layout(): CollectionLayout['hessians'] {
    return this.#layout;
  }

  /** Sums of the weights of tokens, one number for each weighted Hessian. */
  get weights(): ReadonlyMap<string, Float64Array> {
    return this.#weights;
  }

  /** What can be read of so many tokens once the store has them. */
  sources(tokens: number, store: CollectionStore): Pick<Collected, 'hessians' | 'grams'> {
    return {
      ...(this.#hessians.length > 0 && { hessians: this.#hessianSource(tokens, store) }),
      ...(this.#grams.length > 0 && { grams: this.#gramSource(tokens, store) }),
    };
  }

  #hessianSource(tokens: number, store: CollectionStore): HessianSource {
    const keptAs = new Map(
      this.#hessians.flatMap(({ name, sharers }) => sharers.map((of) => [of, name] as const)),
    );
    const shapes = new Map(
      this.#hessians.map(
        ({ name, columns, blockSize }) => [name, { columns, blockSize, tokens }] as const,
      ),
    );
    return hessianSource({ keptAs, shapes, weighted: this.#weights.size > 0 }, async (name) => {
      const sums = (await store.get(name))!;
      const weight = this.#weights.get(name)?.[0];
      return weight ? sums.map((sum) => sum * (tokens / weight)) : sums;
    });
  }

  #gramSource(tokens: number, store: CollectionStore): GramSource {
    const shapes = this.#grams.map(
      ({ sharers, columns, blockSize }) =>
        [sharers[0]!, { rows: columns, blockSize, tokens }] as const,
    );
    return gramSource(new Map(shapes), async (matrix) => (await store.get(gramKey(matrix)))!);
  }
}

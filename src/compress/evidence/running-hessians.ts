import type { Engine, RunResult, StoredTensor } from '../../graph/engine.ts';
import type { TensorData } from '../../graph/value.ts';
import type { CollectionStore } from './collection-store.ts';
import { hessianRows } from './hessian.ts';
import type { ObservedHessian } from './observe-hessian.ts';
import type { ObservedMatrix } from './observed-matrix.ts';

/** A Hessian, or Gram matrix, with the name that it is kept under. */
export interface NamedHessian extends ObservedHessian {
  readonly name: string;
  /** The matrices that have it, the one of that name first. */
  readonly sharers: readonly string[];
  /** Of gradients by rows of an output, not of input columns. */
  readonly isGram: boolean;
}

/** What the Gram matrix of a matrix is kept under. */
export function gramKey(matrix: string): string {
  return `${matrix}.gram`;
}

/** The Hessians of matrices, each under the name of the first that has it, and the Gram matrices. */
export function productsOf(
  matrices: readonly ObservedMatrix[],
  nameOf: (matrix: string) => string,
): NamedHessian[] {
  const named = new Map<ObservedHessian, { name: string; sharers: string[] }>();
  const grams: NamedHessian[] = [];
  for (const { matrix, hessian, gram } of matrices) {
    const name = nameOf(matrix);
    if (gram) grams.push({ ...gram, name: gramKey(name), sharers: [name], isGram: true });
    if (!hessian) continue;
    const known = named.get(hessian);
    if (known) known.sharers.push(name);
    else named.set(hessian, { name, sharers: [name] });
  }
  const hessians = [...named].map(([hessian, names]) => ({ ...hessian, ...names, isGram: false }));
  return [...hessians, ...grams];
}

/** Where Hessians are added up, and where they wait between passes. */
export interface HessianPlaces {
  readonly engine: Engine;
  readonly store: CollectionStore;
  /** Sums of the weights of tokens by the Hessian's name, one number each. */
  readonly weights: ReadonlyMap<string, Float64Array>;
}

/** What a run is to return, and what to leave at the engine. */
export interface Wanted {
  readonly outputs: readonly string[];
  readonly keep: readonly string[];
}

/**
 * The Hessians of one block of a model while windows pass. They lie at the engine, f32, and each window's run adds
 * to them, one after the other, so that sums do not depend on how windows are cut into passes.
 */
export class RunningHessians {
  readonly #hessians: readonly NamedHessian[];
  readonly #places: HessianPlaces;
  /** Runs to come. */
  #left: number;
  /** By the name of the input that takes it. */
  #sums: Record<string, StoredTensor> = {};

  private constructor(hessians: readonly NamedHessian[], places: HessianPlaces, runs: number) {
    this.#hessians = hessians;
    this.#places = places;
    this.#left = runs;
  }

  /** Brings what the store has to the engine, or zeros, for a pass of so many runs. */
  static async begin(
    hessians: readonly NamedHessian[],
    places: HessianPlaces,
    runs: number,
  ): Promise<RunningHessians> {
    const running = new RunningHessians(hessians, places, runs);
    const { engine, store } = places;
    for (const hessian of hessians) {
      const known = await store.get(hessian.name);
      for (const [at, { input, columns }] of hessian.parts.entries()) {
        const part = known
          ? cut(known, { ...hessian, at, columns })
          : new Float32Array(columns * columns);
        running.#sums[input] = await engine.store('f32', [columns, columns], part);
      }
    }
    return running;
  }

  /** Runs a program; after the last one of the pass the sums are put into the store. */
  async add(
    run: (inputs: Readonly<Record<string, StoredTensor>>, wanted: Wanted) => Promise<RunResult>,
  ): Promise<RunResult> {
    const parts = this.#hessians.flatMap((hessian) => hessian.parts);
    const names = parts.map(({ output }) => output);
    const weights = this.#hessians.flatMap(({ weight }) => weight ?? []);
    const isLast = --this.#left === 0;
    const wanted = isLast
      ? { outputs: [...names, ...weights], keep: [] }
      : { outputs: weights, keep: names };
    const result = await run(this.#sums, wanted);
    await this.release();
    this.#addWeights(result.outputs);
    if (isLast) await this.#finish(result.outputs);
    else for (const { input, output } of parts) this.#sums[input] = result.kept[output]!;
    return result;
  }

  /** Frees what lies at the engine; a second call does nothing. */
  async release(): Promise<void> {
    const held = Object.values(this.#sums);
    this.#sums = {};
    for (const stored of held) await stored.release();
  }

  #addWeights(outputs: Readonly<Record<string, TensorData>>): void {
    for (const { name, weight } of this.#hessians)
      if (weight !== undefined)
        this.#places.weights.get(name)![0]! += (outputs[weight] as Float32Array)[0]!;
  }

  async #finish(outputs: Readonly<Record<string, TensorData>>): Promise<void> {
    for (const hessian of this.#hessians) {
      const parts = hessian.parts.map(({ output }) => outputs[output] as Float32Array<ArrayBuffer>);
      await this.#places.store.put(hessian.name, joined(parts, hessian));
    }
  }
}

/** One block of a Hessian without what fills it up. */
function cut(
  sums: Float32Array,
  { at, columns, blockSize }: { at: number; columns: number; blockSize: number },
): Float32Array {
  const block = sums.subarray(at * blockSize ** 2, (at + 1) * blockSize ** 2);
  if (columns === blockSize) return block.slice();
  const part = new Float32Array(columns * columns);
  for (let row = 0; row < columns; row++)
    part.set(block.subarray(row * blockSize, row * blockSize + columns), row * columns);
  return part;
}

/** Blocks one after the other, the last one filled up. */
function joined(
  parts: readonly Float32Array<ArrayBuffer>[],
  hessian: ObservedHessian,
): Float32Array<ArrayBuffer> {
  const { blockSize } = hessian;
  if (parts.length === 1) return parts[0]!;
  const sums = new Float32Array(hessianRows(hessian) * blockSize);
  for (const [at, { columns }] of hessian.parts.entries())
    for (let row = 0; row < columns; row++)
      sums.set(
        parts[at]!.subarray(row * columns, (row + 1) * columns),
        at * blockSize ** 2 + row * blockSize,
      );
  return sums;
}

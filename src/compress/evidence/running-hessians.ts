import type { Engine, RunResult, StoredTensor } from '../../graph/engine.ts';
import type { TensorData } from '../../graph/value.ts';
import type { CollectionStore } from './collection-store.ts';
import { hessianRows } from './hessian.ts';
import type { HessianPart, ObservedHessian } from './observe-hessian.ts';
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
      for (const part of hessian.parts) {
        const { input, rows, columns } = part;
        const sums = known ? cut(known, hessian.blockSize, part) : new Float32Array(rows * columns);
        running.#sums[input] = await engine.store('f32', [rows, columns], sums);
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
    for (const hessian of this.#hessians)
      await this.#places.store.put(hessian.name, joined(hessian, outputs));
  }
}

/** One part of a Hessian `[blocks, size, size]`. */
function cut(sums: Float32Array, size: number, part: HessianPart): Float32Array {
  const { block, first, rows, columns } = part;
  const values = new Float32Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    const from = (block * size + first + row) * size + first;
    values.set(sums.subarray(from, from + columns), row * columns);
  }
  return values;
}

/** All parts and their mirror images; what fills up the last block is 0. */
function joined(
  hessian: ObservedHessian,
  outputs: Readonly<Record<string, TensorData>>,
): Float32Array<ArrayBuffer> {
  const size = hessian.blockSize;
  const sums = new Float32Array(hessianRows(hessian) * size);
  for (const { output, block, first, rows, columns } of hessian.parts) {
    const values = outputs[output] as Float32Array;
    for (let row = 0; row < rows; row++)
      sums.set(
        values.subarray(row * columns, (row + 1) * columns),
        (block * size + first + row) * size + first,
      );
  }
  for (let start = 0; start < sums.length; start += size * size)
    mirror(sums.subarray(start, start + size * size), size);
  return sums;
}

/** Columns that a mirror reads at once: their lines stay in the cache. */
const tile = 64;

/** Copies what is above a square matrix' diagonal below it. */
function mirror(matrix: Float32Array, size: number): void {
  for (let top = 0; top < size; top += tile)
    for (let row = top + 1; row < size; row++)
      for (let column = top; column < Math.min(row, top + tile); column++)
        matrix[row * size + column] = matrix[column * size + row]!;
}

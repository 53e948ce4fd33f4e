import type { Engine, StoredTensor } from '../../graph/engine.ts';
import type { Transcoder } from '../../kernels/transcoder.ts';
import type { Model } from '../../models/model.ts';
import { weightsOf, type Tensor } from '../../tensor/tensor.ts';
import { PithError } from '../../util/errors.ts';
import type { OnProgress } from '../../util/progress.ts';
import { expertTensors } from './expert-tensors.ts';
import { readFloats, readRowsAt } from './read-floats.ts';

/**
 * A model's weights as f32 at an engine, read when first asked for. Residents stay there until the
 * store is closed, others until they are released. An expert of a stack has a name of its own
 * (`expertName`).
 */
export class WeightStore {
  readonly isResident: boolean;
  readonly #source: string;
  readonly #tensors: ReadonlyMap<string, Tensor>;
  readonly #engine: Engine;
  readonly #transcoder: Transcoder;
  readonly #stored = new Map<string, Promise<StoredTensor>>();
  readonly #replaced = new Map<string, Float32Array<ArrayBuffer>>();

  constructor(model: Model, engine: Engine, transcoder: Transcoder, isResident: boolean) {
    this.isResident = isResident;
    this.#source = model.source;
    const tensors = [...model.tensors.values()];
    const all = tensors.flatMap((tensor) => [tensor, ...expertTensors(tensor)]);
    this.#tensors = new Map(all.map((tensor) => [tensor.name, tensor]));
    this.#engine = engine;
    this.#transcoder = transcoder;
  }

  /** The tensor at the engine. */
  get(name: string): Promise<StoredTensor> {
    const known = this.#stored.get(name);
    if (known) return known;
    const loading = this.#load(name);
    loading.catch(() => this.#stored.delete(name));
    this.#stored.set(name, loading);
    return loading;
  }

  /**
   * Brings tensors to the engine; on failure everything that is there is freed.
   *
   * @throws PithError `cancelled`; whatever reading throws.
   */
  async loadAll(
    names: readonly string[],
    { onProgress, signal }: { onProgress?: OnProgress; signal?: AbortSignal },
  ): Promise<void> {
    const bytes = names.map((name) => 4 * weightsOf(this.#tensor(name).shape));
    const total = bytes.reduce((sum, size) => sum + size, 0);
    let done = 0;
    try {
      for (const [index, name] of names.entries()) {
        if (signal?.aborted) throw new PithError('cancelled', 'Reading the weights was cancelled.');
        await this.get(name);
        done += bytes[index]!;
        onProgress?.({ label: name, done, total, unit: 'bytes' });
      }
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  /** Rows of a matrix, without the rest of it. */
  async rows(name: string, indexes: readonly number[]): Promise<Float32Array<ArrayBuffer>> {
    const tensor = this.#tensor(name);
    const replaced = this.#replaced.get(name);
    if (!replaced) return readRowsAt(tensor, indexes, this.#transcoder);
    const columns = tensor.shape.at(-1)!;
    const rows = new Float32Array(indexes.length * columns);
    for (const [at, row] of indexes.entries())
      rows.set(replaced.subarray(row * columns, (row + 1) * columns), at * columns);
    return rows;
  }

  /** Frees tensors at the engine, unless they are residents. */
  async release(names: Iterable<string>): Promise<void> {
    if (!this.isResident) for (const name of names) await this.#drop(name);
  }

  /**
   * Lets `values`, which are taken over, stand for a tensor from now on, or the model's own weights
   * again. No run may be under way.
   *
   * @throws PithError `not-found`, `shape`.
   */
  async replace(name: string, values: Float32Array<ArrayBuffer> | undefined): Promise<void> {
    const tensor = this.#tensor(name);
    const size = weightsOf(tensor.shape);
    if (values && values.length !== size)
      throw new PithError(
        'shape',
        `${values.length} weights were given for ${name}, which has ${size}.`,
      );
    const experts = expertTensors(tensor);
    if (experts.length === 0) return this.#replaceOne(tensor, values);
    for (const [at, expert] of experts.entries()) {
      const [first, last] = [at, at + 1].map((place) => (place * size) / experts.length);
      await this.#replaceOne(expert, values?.slice(first, last));
    }
  }

  async #replaceOne(
    { name, shape }: Tensor,
    values: Float32Array<ArrayBuffer> | undefined,
  ): Promise<void> {
    await this.#drop(name);
    this.#replaced.delete(name);
    if (values && this.isResident) this.#stored.set(name, this.#engine.store('f32', shape, values));
    else if (values) this.#replaced.set(name, values);
  }

  async close(): Promise<void> {
    for (const name of this.#stored.keys()) await this.#drop(name);
  }

  async #drop(name: string): Promise<void> {
    const stored = this.#stored.get(name);
    this.#stored.delete(name);
    await (await stored?.catch(() => undefined))?.release();
  }

  #tensor(name: string): Tensor {
    const tensor = this.#tensors.get(name);
    if (tensor) return tensor;
    throw new PithError('not-found', `${this.#source} has no tensor ${name}.`);
  }

  async #load(name: string): Promise<StoredTensor> {
    const tensor = this.#tensor(name);
    const values =
      this.#replaced.get(name)?.slice() ?? (await readFloats(tensor, this.#transcoder));
    return this.#engine.store('f32', tensor.shape, values);
  }
}

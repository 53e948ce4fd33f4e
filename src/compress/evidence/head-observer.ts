import type { Engine, Program, RunResult, StoredTensor } from '../../graph/engine.ts';
import { gradientName } from '../../graph/differentiate.ts';
import { Programs, weightNames } from '../../evaluate/onnx/programs.ts';
import type { WeightStore } from '../../evaluate/onnx/weight-store.ts';
import type { WindowShape } from '../../evaluate/onnx/window-batch.ts';
import type { Model } from '../../models/model.ts';
import { seededRandom } from '../../util/random.ts';
import { headMatrix, observeHeadGradients, observeHeadInput } from './observe-head.ts';
import { outputsOf, type ObservedGraph } from './observed-matrix.ts';
import {
  productsOf,
  type NamedHessian,
  type RunningHessians,
  type Wanted,
} from './running-hessians.ts';
import type { Tally } from './tally.ts';

/** Floats of a run's logits, about: 64 MB. */
const logitsAtOnce = 2 ** 24;
/** No run takes more positions: its sums are f32. */
const mostRows = 512;

/** What the last norm and the output matrix are observed with. */
export interface HeadObserverParts {
  readonly model: Model;
  readonly engine: Engine;
  readonly weights: WeightStore;
  readonly tally: Tally;
  readonly shape: WindowShape;
  /** Whether there is a way back, on which tokens are weighted for the Hessian. */
  readonly gradients: boolean;
  readonly seed: number;
  readonly hessianBlock: number | undefined;
}

/** Observes the last norm and the output matrix, window by window. */
export class HeadObserver {
  readonly #parts: HeadObserverParts;
  readonly #programs: Programs;
  readonly #matrix: string;
  readonly #rows: number;
  readonly #input: ObservedGraph;
  readonly #gradients: ObservedGraph | undefined;
  readonly #nameOf = (): string => this.#matrix;

  constructor(parts: HeadObserverParts) {
    const { model, shape, gradients, hessianBlock } = parts;
    this.#parts = parts;
    this.#programs = new Programs(parts.engine);
    this.#matrix = headMatrix(model);
    const vocabulary = model.tensors.get(this.#matrix)!.shape[0]!;
    const most = Math.min(mostRows, Math.floor(logitsAtOnce / vocabulary));
    this.#rows = Math.min(Math.max(16, most), shape.length);
    const plain = { ...shape, hessianBlock: gradients ? undefined : hessianBlock };
    this.#input = observeHeadInput(model, plain);
    if (gradients)
      this.#gradients = observeHeadGradients(model, { ...shape, hessianBlock }, this.#rows);
  }

  /** Makes sums of 0. */
  declare(): void {
    const { tally } = this.#parts;
    tally.declare(this.#input.matrices, this.#nameOf);
    if (this.#gradients) tally.declare(this.#gradients.matrices, this.#nameOf);
  }

  /** The Hessian of the output matrix, if there is one. */
  get products(): readonly NamedHessian[] {
    return productsOf((this.#gradients ?? this.#input).matrices, this.#nameOf);
  }

  /** Runs of a window that add to it. */
  get runs(): number {
    return this.#gradients ? Math.ceil(this.#parts.shape.length / this.#rows) : 1;
  }

  /**
   * Adds the squares of what enters the output matrix, and those of the gradients if asked for, and gives the gradient
   * by `hidden` then; `window` chooses the labels.
   */
  async observe(
    hidden: StoredTensor,
    window: number,
    hessians: RunningHessians,
  ): Promise<StoredTensor | undefined> {
    if (!this.#gradients) {
      await hessians.add((inputs, wanted) => this.#observeInput(hidden, inputs, wanted));
      return undefined;
    }
    await this.#observeInput(hidden, {}, { outputs: [], keep: [] });
    return this.#pullBack(this.#gradients, { hidden, window, hessians });
  }

  async #observeInput(
    hidden: StoredTensor,
    sums: Readonly<Record<string, StoredTensor>>,
    wanted: Wanted,
  ): Promise<RunResult> {
    const { tally, shape } = this.#parts;
    const { graph, matrices } = this.#input;
    const program = await this.#programs.get('input', () => graph);
    const weights = await this.#weightsOf(program);
    const result = await program.run(
      { ...weights, ...sums, input: hidden },
      { ...wanted, outputs: [...outputsOf(matrices), ...wanted.outputs] },
    );
    const { outputs } = result;
    tally.add(matrices, { nameOf: this.#nameOf, outputs, tokens: shape.length });
    return result;
  }

  async #pullBack(
    { graph, matrices }: ObservedGraph,
    {
      hidden,
      window,
      hessians,
    }: { hidden: StoredTensor; window: number; hessians: RunningHessians },
  ): Promise<StoredTensor> {
    const { engine, seed, tally, shape } = this.#parts;
    const { length } = shape;
    const rows = this.#rows;
    const program = await this.#programs.get('gradients', () => graph);
    const weights = await this.#weightsOf(program);
    const random = seededRandom(seed, window);
    const zeros = new Float32Array(hidden.shape.reduce((product, size) => product * size, 1));
    let gradient = await engine.store('f32', hidden.shape, zeros);
    for (let first = 0; first < length; first += rows) {
      const count = Math.min(rows, length - first);
      const before = gradient;
      const inputs = {
        ...weights,
        input: hidden,
        [gradientName('before')]: before,
        positions: BigInt64Array.from({ length: rows }, (_, at) =>
          BigInt(at < count ? first + at : 0),
        ),
        counted: Float32Array.from({ length: rows }, (_, at) => (at < count ? 1 : 0)),
        uniform: Float32Array.from({ length: rows }, () => random.uniform()),
      };
      const { outputs, kept } = await hessians.add((sums, wanted) =>
        program.run(
          { ...inputs, ...sums },
          {
            outputs: [...outputsOf(matrices), ...wanted.outputs],
            keep: [gradientName('input'), ...wanted.keep],
          },
        ),
      );
      gradient = kept[gradientName('input')]!;
      await before.release();
      tally.add(matrices, { nameOf: this.#nameOf, outputs, tokens: count });
    }
    return gradient;
  }

  /** Frees the output matrix, unless it is a resident. */
  async release(): Promise<void> {
    const { model, weights } = this.#parts;
    await weights.release([...model.tensors.keys()].filter((name) => !name.startsWith('blk.')));
  }

  close(): Promise<void> {
    return this.#programs.close();
  }

  async #weightsOf({ graph }: Program): Promise<Record<string, StoredTensor>> {
    const weights: Record<string, StoredTensor> = {};
    for (const name of weightNames(graph)) weights[name] = await this.#parts.weights.get(name);
    return weights;
  }
}

import type { StoredTensor } from '../../graph/engine.ts';
import { gradientName } from '../../graph/differentiate.ts';
import { tokenBatch, type WindowShape } from '../../evaluate/onnx/window-batch.ts';
import { requiredParameter } from '../../models/hyper-parameters.ts';
import { PithError } from '../../util/errors.ts';
import type { Collected, CollectOptions, CollectorParts } from './collection.ts';
import { MemoryStore, type CollectionStore } from './collection-store.ts';
import { demandRank } from './coverage.ts';
import { EmbeddingTally } from './embedding-tally.ts';
import { HeadObserver } from './head-observer.ts';
import { KeptProducts } from './kept-products.ts';
import { observeGradients } from './observe-gradients.ts';
import { observeInputs } from './observe-inputs.ts';
import { ObservedBlocks } from './observed-blocks.ts';
import { RunningHessians, type NamedHessian } from './running-hessians.ts';
import { Tally, type ObservedRun } from './tally.ts';

/** A window in a pass. */
interface Passing {
  /** Among all windows. */
  readonly number: number;
  readonly tokens: Int32Array;
  /** What enters each block, and what leaves the last: all of it only when it is needed on the way back. */
  readonly activations: StoredTensor[];
  gradient?: StoredTensor;
}

const defaultBytes = 2 ** 28;
const inputGradient = gradientName('input');

/** Takes as many windows at once as memory allows through all blocks, and back. */
export class Collector {
  readonly #parts: CollectorParts;
  readonly #windows: readonly Int32Array[];
  readonly #options: CollectOptions;
  readonly #store: CollectionStore;
  readonly #shape: WindowShape;
  readonly #forward: ObservedBlocks;
  readonly #backward: ObservedBlocks | undefined;
  readonly #head: HeadObserver;
  readonly #tally = new Tally();
  readonly #embedding: EmbeddingTally;
  readonly #products = new KeptProducts();
  readonly #blocks: number;
  #steps = 0;

  constructor(parts: CollectorParts, windows: readonly Int32Array[], options: CollectOptions) {
    const { model } = parts;
    const { gradients = true, seed = 1, store = new MemoryStore() } = options;
    const { hessianBlock, outputBlock } = options;
    this.#parts = parts;
    this.#windows = windows;
    this.#options = options;
    this.#store = store;
    const shape = { batch: 1, length: windows[0]!.length };
    this.#shape = shape;
    this.#forward = new ObservedBlocks(
      parts,
      (outline, kind, sizes) =>
        observeInputs(outline, kind, gradients ? sizes : { ...sizes, hessianBlock }),
      shape,
    );
    if (gradients)
      this.#backward = new ObservedBlocks(
        parts,
        (outline, kind, sizes) =>
          observeGradients(outline, kind, { ...sizes, hessianBlock, outputBlock }),
        shape,
      );
    const tally = this.#tally;
    this.#head = new HeadObserver({ ...parts, tally, shape, seed, gradients, hessianBlock });
    this.#embedding = new EmbeddingTally(model);
    this.#blocks = this.#forward.programs.kinds.length;
  }

  async run(): Promise<Collected> {
    this.#declare();
    const tokens = this.#windows.length * this.#shape.length;
    const products = this.#products.sources(tokens, this.#store);
    if (products.hessians && !this.#options.singular) demandRank(tokens, products.hessians.shapes);
    const sums = [
      ...this.#tally.arrays,
      ...this.#products.weights.values(),
      ...(this.#backward ? this.#embedding.arrays : []),
    ];
    let done = await this.#store.open({ hessians: this.#products.layout, sums });
    this.#steps = done * this.#stepsOfWindow;
    while (done < this.#windows.length) {
      const next = this.#windows.slice(done, done + this.#windowsAtOnce);
      const start = done;
      await this.#pass(next.map((of, at) => ({ number: start + at, tokens: of, activations: [] })));
      done += next.length;
      await this.#store.commit(done);
    }
    return {
      tokens,
      windowTokens: this.#shape.length,
      tensors: this.#tally.result(),
      ...(this.#backward && { embedding: this.#embedding.result() }),
      ...products,
    };
  }

  async close(): Promise<void> {
    await this.#forward.programs.close();
    await this.#backward?.programs.close();
    await this.#head.close();
  }

  async #pass(windows: readonly Passing[]): Promise<void> {
    try {
      await this.#passForward(windows);
      await this.#passHead(windows);
      await this.#head.release();
      await this.#passBack(windows);
    } finally {
      for (const { activations, gradient } of windows)
        for (const stored of [...activations, ...(gradient ? [gradient] : [])])
          await stored.release();
      for (let index = 0; index < this.#blocks; index++)
        await this.#forward.programs.release(index);
    }
  }

  async #passForward(windows: readonly Passing[]): Promise<void> {
    const { programs } = this.#forward;
    for (const { tokens, activations } of windows) {
      const batch = tokenBatch(this.#shape, [{ tokens }]);
      const { kept } = await programs.embed(batch, { outputs: [], keep: ['hidden'] });
      activations.push(kept['hidden']!);
    }
    let ahead = programs.loadAhead(0, this.#shape);
    for (let index = 0; index < this.#blocks; index++) {
      await ahead;
      ahead = programs.loadAhead(index + 1, this.#shape);
      await this.#withHessians(this.#forward.products(index), windows.length, async (hessians) => {
        for (const window of windows) await this.#blockForward(index, window, hessians);
      });
      await programs.release(index);
    }
    await ahead;
  }

  async #blockForward(
    index: number,
    { activations }: Passing,
    hessians: RunningHessians,
  ): Promise<void> {
    this.#step(`blk.${index}`);
    const input = activations.at(-1)!;
    const { outputs, kept } = await hessians.add((inputs, wanted) =>
      this.#forward.programs.run(
        index,
        this.#shape,
        { ...inputs, input },
        {
          outputs: [...this.#forward.sums(index), ...wanted.outputs],
          keep: ['hidden', ...wanted.keep],
        },
      ),
    );
    activations.push(kept['hidden']!);
    if (!this.#backward) await activations.shift()!.release();
    this.#tally.add(this.#forward.matrices(index), this.#ranBlock(index, outputs));
  }

  async #passHead(windows: readonly Passing[]): Promise<void> {
    const runs = windows.length * this.#head.runs;
    await this.#withHessians(this.#head.products, runs, async (hessians) => {
      for (const window of windows) {
        this.#step('output');
        const hidden = window.activations.at(-1)!;
        const gradient = await this.#head.observe(hidden, window.number, hessians);
        if (gradient) window.gradient = gradient;
        await window.activations.pop()!.release();
      }
    });
    await this.#head.release();
  }

  async #passBack(windows: readonly Passing[]): Promise<void> {
    const backward = this.#backward;
    if (!backward) return;
    const { programs } = backward;
    let ahead = programs.loadAhead(this.#blocks - 1, this.#shape);
    for (let index = this.#blocks - 1; index >= 0; index--) {
      await ahead;
      ahead = programs.loadAhead(index - 1, this.#shape);
      await this.#withHessians(backward.products(index), windows.length, async (hessians) => {
        for (const window of windows) await this.#blockBack(backward, index, { window, hessians });
      });
      await programs.release(index);
    }
    await ahead;
  }

  async #blockBack(
    backward: ObservedBlocks,
    index: number,
    { window, hessians }: { window: Passing; hessians: RunningHessians },
  ): Promise<void> {
    this.#step(`blk.${index} gradients`);
    const input = window.activations.at(-1)!;
    const after = window.gradient!;
    const isFirst = index === 0;
    const { outputs, kept } = await hessians.add((inputs, wanted) =>
      backward.programs.run(
        index,
        this.#shape,
        { ...inputs, input, [gradientName('hidden')]: after },
        {
          outputs: [
            ...backward.sums(index),
            ...(isFirst ? [inputGradient] : []),
            ...wanted.outputs,
          ],
          keep: [...(isFirst ? [] : [inputGradient]), ...wanted.keep],
        },
      ),
    );
    await window.activations.pop()!.release();
    await after.release();
    if (isFirst) {
      delete window.gradient;
      this.#embedding.add(window.tokens, outputs[inputGradient] as Float32Array);
    } else window.gradient = kept[inputGradient]!;
    this.#tally.add(backward.matrices(index), this.#ranBlock(index, outputs));
  }

  async #withHessians(
    observed: readonly NamedHessian[],
    runs: number,
    run: (hessians: RunningHessians) => Promise<void>,
  ): Promise<void> {
    const { weights } = this.#products;
    const places = { engine: this.#parts.engine, store: this.#store, weights };
    const hessians = await RunningHessians.begin(observed, places, runs);
    try {
      await run(hessians);
    } finally {
      await hessians.release();
    }
  }

  #ranBlock(index: number, outputs: ObservedRun['outputs']): ObservedRun {
    return { nameOf: ObservedBlocks.nameOf(index), outputs, tokens: this.#shape.length };
  }

  /** Makes sums of 0 for everything, and tells products in the order in which they are put. */
  #declare(): void {
    for (let index = 0; index < this.#blocks; index++) {
      const nameOf = ObservedBlocks.nameOf(index);
      this.#tally.declare(this.#forward.matrices(index), nameOf);
      if (this.#backward) this.#tally.declare(this.#backward.matrices(index), nameOf);
      this.#products.declare(this.#forward.products(index));
    }
    this.#head.declare();
    this.#products.declare(this.#head.products);
    for (let index = this.#blocks - 1; this.#backward && index >= 0; index--)
      this.#products.declare(this.#backward.products(index));
  }

  get #windowsAtOnce(): number {
    const { activationBytes = defaultBytes, windowsAtOnce = Infinity } = this.#options;
    const width = requiredParameter(this.#parts.model, 'embedding_length');
    const waiting = 4 * width * this.#shape.length * (this.#backward ? this.#blocks + 2 : 1);
    return Math.max(1, Math.min(windowsAtOnce, Math.floor(activationBytes / waiting)));
  }

  get #stepsOfWindow(): number {
    return this.#blocks * (this.#backward ? 2 : 1) + 1;
  }

  /** Counts a window through a part of the model. */
  #step(label: string): void {
    const { signal, onProgress } = this.#options;
    if (signal?.aborted) throw new PithError('cancelled', 'Calibration was cancelled.');
    const total = this.#stepsOfWindow * this.#windows.length;
    onProgress?.({ label, done: this.#steps++, total, unit: 'steps' });
  }
}

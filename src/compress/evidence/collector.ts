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
import { hessianRows, hessianSource, type HessianSource } from './hessian.ts';
import { observeGradients } from './observe-gradients.ts';
import { observeInputs } from './observe-inputs.ts';
import { ObservedBlocks } from './observed-blocks.ts';
import { RunningHessians, type NamedHessian } from './running-hessians.ts';
import { Tally } from './tally.ts';

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
  readonly #blocks: number;
  #steps = 0;

  constructor(parts: CollectorParts, windows: readonly Int32Array[], options: CollectOptions) {
    const { model } = parts;
    const { gradients = true, seed = 1, hessianBlock, store = new MemoryStore() } = options;
    this.#parts = parts;
    this.#windows = windows;
    this.#options = options;
    this.#store = store;
    const shape = { batch: 1, length: windows[0]!.length };
    this.#shape = shape;
    this.#forward = new ObservedBlocks(
      parts,
      (outline, kind, sizes) => observeInputs(outline, kind, { ...sizes, hessianBlock }),
      shape,
    );
    this.#backward = gradients ? new ObservedBlocks(parts, observeGradients, shape) : undefined;
    this.#head = new HeadObserver({ ...parts, tally: this.#tally, shape, seed, hessianBlock });
    this.#embedding = new EmbeddingTally(model);
    this.#blocks = this.#forward.programs.kinds.length;
  }

  async run(): Promise<Collected> {
    const hessians = this.#declare();
    const tokens = this.#windows.length * this.#shape.length;
    const kept = keptHessians(hessians, tokens, this.#store);
    demandRank(tokens, kept.shapes);
    const layout = hessians.map((of) => ({
      name: of.name,
      length: hessianRows(of) * of.blockSize,
    }));
    const sums = [...this.#tally.arrays, ...(this.#backward ? this.#embedding.arrays : [])];
    let done = await this.#store.open({ hessians: layout, sums });
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
      ...(hessians.length > 0 && { hessians: kept }),
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
      await this.#withHessians(this.#forward.hessians(index), windows, (window, hessians) =>
        this.#blockForward(index, window, hessians),
      );
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
    const run = { index, outputs, tokens: this.#shape.length };
    this.#tally.addBlock('inputs', this.#forward.matrices(index), run);
  }

  async #passHead(windows: readonly Passing[]): Promise<void> {
    await this.#withHessians(this.#head.hessians, windows, async (window, hessians) => {
      this.#step('output');
      const hidden = window.activations.at(-1)!;
      await this.#head.observe(hidden, hessians);
      if (this.#backward) window.gradient = await this.#head.pullBack(hidden, window.number);
      await window.activations.pop()!.release();
    });
    await this.#head.release();
  }

  async #passBack(windows: readonly Passing[]): Promise<void> {
    if (!this.#backward) return;
    const { programs } = this.#backward;
    let ahead = programs.loadAhead(this.#blocks - 1, this.#shape);
    for (let index = this.#blocks - 1; index >= 0; index--) {
      await ahead;
      ahead = programs.loadAhead(index - 1, this.#shape);
      for (const window of windows) await this.#blockBack(this.#backward, index, window);
      await programs.release(index);
    }
    await ahead;
  }

  async #blockBack(backward: ObservedBlocks, index: number, window: Passing): Promise<void> {
    this.#step(`blk.${index} gradients`);
    const input = window.activations.at(-1)!;
    const after = window.gradient!;
    const isFirst = index === 0;
    const { outputs, kept } = await backward.programs.run(
      index,
      this.#shape,
      { input, [gradientName('hidden')]: after },
      {
        outputs: [...backward.sums(index), ...(isFirst ? [inputGradient] : [])],
        keep: isFirst ? [] : [inputGradient],
      },
    );
    await window.activations.pop()!.release();
    await after.release();
    if (isFirst) {
      delete window.gradient;
      this.#embedding.add(window.tokens, outputs[inputGradient] as Float32Array);
    } else window.gradient = kept[inputGradient]!;
    const run = { index, outputs, tokens: this.#shape.length };
    this.#tally.addBlock('outputs', backward.matrices(index), run);
  }

  async #withHessians(
    observed: readonly NamedHessian[],
    windows: readonly Passing[],
    run: (window: Passing, hessians: RunningHessians) => Promise<void>,
  ): Promise<void> {
    const places = { engine: this.#parts.engine, store: this.#store };
    const hessians = await RunningHessians.begin(observed, places, windows.length);
    try {
      for (const window of windows) await run(window, hessians);
    } finally {
      await hessians.release();
    }
  }

  /** Makes sums of 0 for everything, and tells the Hessians in the order in which they are put. */
  #declare(): NamedHessian[] {
    const hessians: NamedHessian[] = [];
    for (let index = 0; index < this.#blocks; index++) {
      this.#tally.declareBlock('inputs', this.#forward.matrices(index), index);
      if (this.#backward)
        this.#tally.declareBlock('outputs', this.#backward.matrices(index), index);
      hessians.push(...this.#forward.hessians(index));
    }
    this.#head.declare(this.#backward !== undefined);
    return [...hessians, ...this.#head.hessians];
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

function keptHessians(
  hessians: readonly NamedHessian[],
  tokens: number,
  store: CollectionStore,
): HessianSource {
  const keptAs = new Map(
    hessians.flatMap(({ name, sharers }) => sharers.map((of) => [of, name] as const)),
  );
  const shapes = hessians.map(
    ({ name, columns, blockSize }) => [name, { columns, blockSize, tokens }] as const,
  );
  return hessianSource(keptAs, new Map(shapes), async (name) => (await store.get(name))!);
}

import type { StoredTensor } from '../../graph/engine.ts';
import { gradientName } from '../../graph/differentiate.ts';
import { tokenBatch, type WindowShape } from '../../evaluate/onnx/window-batch.ts';
import { requiredParameter } from '../../models/hyper-parameters.ts';
import { PithError } from '../../util/errors.ts';
import type { Collected, CollectOptions, CollectorParts } from './collection.ts';
import { EmbeddingTally } from './embedding-tally.ts';
import { HeadObserver } from './head-observer.ts';
import { observeGradients } from './observe-gradients.ts';
import { observeInputs } from './observe-inputs.ts';
import { ObservedBlocks } from './observed-blocks.ts';
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
  readonly #windows: readonly Int32Array[];
  readonly #options: CollectOptions;
  readonly #shape: WindowShape;
  readonly #windowsAtOnce: number;
  readonly #forward: ObservedBlocks;
  readonly #backward: ObservedBlocks | undefined;
  readonly #head: HeadObserver;
  readonly #tally = new Tally();
  readonly #embedding: EmbeddingTally;
  readonly #blocks: number;
  #steps = 0;

  constructor(parts: CollectorParts, windows: readonly Int32Array[], options: CollectOptions) {
    const { model } = parts;
    const { gradients = true, seed = 1, activationBytes = defaultBytes, hessianBlock } = options;
    this.#windows = windows;
    this.#options = options;
    this.#shape = { batch: 1, length: windows[0]!.length };
    this.#forward = new ObservedBlocks(
      parts,
      (outline, kind, shape) => observeInputs(outline, kind, { ...shape, hessianBlock }),
      this.#shape,
    );
    this.#backward = gradients
      ? new ObservedBlocks(parts, observeGradients, this.#shape)
      : undefined;
    this.#head = new HeadObserver({ ...parts, tally: this.#tally, seed, hessianBlock });
    this.#embedding = new EmbeddingTally(model);
    this.#blocks = this.#forward.programs.kinds.length;
    const width = requiredParameter(model, 'embedding_length');
    const waiting = 4 * width * this.#shape.length * (gradients ? this.#blocks + 2 : 1);
    this.#windowsAtOnce = Math.max(1, Math.floor(activationBytes / waiting));
  }

  async run(): Promise<Collected> {
    for (let first = 0; first < this.#windows.length; first += this.#windowsAtOnce) {
      const tokens = this.#windows.slice(first, first + this.#windowsAtOnce);
      await this.#pass(
        tokens.map((of, at) => ({ number: first + at, tokens: of, activations: [] })),
      );
    }
    const windowTokens = this.#shape.length;
    return {
      tokens: this.#windows.length * windowTokens,
      windowTokens,
      tensors: this.#tally.result(),
      ...(this.#backward && { embedding: this.#embedding.result() }),
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
      for (const window of windows) await this.#passHead(window);
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
      for (const window of windows) await this.#blockForward(index, window);
      await programs.release(index);
    }
    await ahead;
  }

  async #blockForward(index: number, { activations }: Passing): Promise<void> {
    this.#step(`blk.${index}`);
    const input = activations.at(-1)!;
    const { outputs, kept } = await this.#forward.programs.run(
      index,
      this.#shape,
      { input },
      { outputs: this.#forward.sums(index), keep: ['hidden'] },
    );
    activations.push(kept['hidden']!);
    if (!this.#backward) await activations.shift()!.release();
    const run = { index, outputs, tokens: this.#shape.length };
    this.#tally.addBlock('inputs', this.#forward.matrices(index), run);
  }

  async #passHead(window: Passing): Promise<void> {
    this.#step('output');
    const hidden = window.activations.at(-1)!;
    await this.#head.observe(hidden, this.#shape);
    if (this.#backward)
      window.gradient = await this.#head.pullBack(hidden, this.#shape, window.number);
    await window.activations.pop()!.release();
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

  /** Counts a window through a part of the model. */
  #step(label: string): void {
    const { signal, onProgress } = this.#options;
    if (signal?.aborted)
      throw new PithError('cancelled', 'Calibration was cancelled; nothing was written.');
    const parts = this.#blocks * (this.#backward ? 2 : 1) + 1;
    const total = parts * this.#windows.length;
    onProgress?.({ label, done: this.#steps++, total, unit: 'steps' });
  }
}

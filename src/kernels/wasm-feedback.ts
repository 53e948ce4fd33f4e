import type { BlockCoder } from './feedback/block-coder.ts';
import { thresholdsOf } from './feedback/choose-code.ts';
import type { FactorBlock } from './feedback/factors.ts';
import type { FeedbackMath } from './feedback/feedback-math.ts';
import type { CodebookGrid, ScalarGrid } from './feedback/grid.ts';
import { groupMetrics } from './feedback/group-metrics.ts';
import type { WasmMemory } from './wasm-memory.ts';
import { wasmProducts } from './wasm-products.ts';

/** Columns of a factor that fit into wasm memory; the most weights of a block, and numbers of its arrays. */
const most = 256;

type CodeLevels = (column: number, weights: number, reach: number, thresholds: number) => void;

type CodeEntries = (
  column: number,
  width: number,
  evenSigns: number,
  ...rest: [reach: number, levels: number, offset: number, step: number]
) => void;

/** Error feedback by SIMD; equals the plain loops bit for bit. */
export function wasmFeedback(memory: WasmMemory): FeedbackMath {
  const blocks = new BlockMemory(memory);
  return {
    subtractProducts: wasmProducts(memory),
    blockCoder: (grid) =>
      grid.kind === 'scalar' ? scalarCoder(grid, blocks) : codebookCoder(grid, blocks),
  };
}

function scalarCoder(grid: ScalarGrid, memory: BlockMemory): BlockCoder {
  const { weights, levels } = grid;
  const thresholds = thresholdsOf(levels);
  return ({ targets, errors, values, bytes, at }, factor, column) => {
    const { arrays } = memory;
    const codes = arrays.codes.subarray(0, weights);
    const start = memory.loadFactor(factor, column, targets.length);
    memory.loadLevels(levels, thresholds);
    grid.readScales(bytes, at, arrays.scales, arrays.offsets);
    arrays.targets.set(targets);
    memory.codeLevels(column - start, weights, targets.length, thresholds.length);
    grid.writeCodes(codes, bytes, at);
    errors.set(arrays.errors.subarray(0, weights));
    values.set(arrays.values.subarray(0, weights));
    targets.set(arrays.targets.subarray(0, targets.length));
  };
}

/** Of a codebook that encoding a block of the type has just put into wasm memory. */
function codebookCoder(grid: CodebookGrid, memory: BlockMemory): BlockCoder {
  const { weights, lists, evenSigns } = grid;
  const { width, levels, offset, step } = lists;
  return ({ targets, errors, values, bytes, at }, factor, column) => {
    const { arrays } = memory;
    const start = memory.loadFactor(factor, column, targets.length);
    memory.loadMetrics(groupMetrics(factor, column, { weights, width }));
    grid.readScales(bytes, at, arrays.scales, arrays.offsets);
    arrays.targets.set(targets);
    const reach = targets.length;
    memory.codeEntries(column - start, width, Number(evenSigns), reach, levels, offset, step);
    grid.writeEntries(arrays.entries.subarray(0, weights / width), arrays.signs, bytes, at);
    errors.set(arrays.errors);
    values.set(arrays.values);
    targets.set(arrays.targets.subarray(0, reach));
  };
}

/** The arrays of one block, as assembly/feedback.ts lays them out. */
interface BlockArrays {
  readonly targets: Float32Array;
  readonly scales: Float32Array;
  readonly offsets: Float32Array;
  readonly thresholds: Float32Array;
  readonly levels: Float32Array;
  readonly values: Float32Array;
  readonly errors: Float32Array;
  readonly codes: Uint8Array;
  /** In place of thresholds. */
  readonly entries: Uint16Array;
  readonly signs: Uint8Array;
  /** `[width, width]` a group. */
  readonly metrics: Float32Array;
}

/** Where wasm looks for the block at hand and for the factor of the columns around it. */
class BlockMemory {
  readonly #memory: WasmMemory;
  readonly #factorAt: number;
  readonly #blockAt: number;
  readonly #metricsAt: number;
  readonly codeLevels: CodeLevels;
  readonly codeEntries: CodeEntries;
  #arrays: BlockArrays | undefined;
  #factor: FactorBlock | undefined;
  #columns = { start: 0, end: 0 };
  #levels: Float32Array | undefined;
  #metrics: readonly Float32Array[] | undefined;

  constructor(memory: WasmMemory) {
    this.#memory = memory;
    this.#factorAt = memory.function<() => number>('feedbackFactor')();
    this.#blockAt = memory.function<() => number>('feedbackBlock')();
    this.#metricsAt = memory.function<() => number>('feedbackMetrics')();
    this.codeLevels = memory.function('codeLevels');
    this.codeEntries = memory.function('codeEntries');
  }

  /** Valid until memory grows. */
  get arrays(): BlockArrays {
    const known = this.#arrays;
    if (known?.codes.buffer === this.#memory.buffer) return known;
    const numbers = (index: number) =>
      this.#memory.view(Float32Array, this.#blockAt + index * most * 4, most);
    return (this.#arrays = {
      targets: numbers(0),
      scales: numbers(1),
      offsets: numbers(2),
      thresholds: numbers(3),
      levels: numbers(4),
      values: numbers(5),
      errors: numbers(6),
      codes: this.#memory.view(Uint8Array, this.#blockAt + 7 * most * 4, most),
      entries: this.#memory.view(Uint16Array, this.#blockAt + 3 * most * 4, most),
      signs: this.#memory.view(Uint8Array, this.#blockAt + 3 * most * 4 + 512, most / 8),
      metrics: this.#memory.view(Float32Array, this.#metricsAt, most * 8),
    });
  }

  loadLevels(levels: Float32Array, thresholds: Float32Array): void {
    if (this.#levels === levels) return;
    this.arrays.levels.set(levels);
    this.arrays.thresholds.set(thresholds);
    this.#levels = levels;
  }

  loadMetrics(metrics: readonly Float32Array[]): void {
    // Entries lie where thresholds were.
    this.#levels = undefined;
    if (this.#metrics === metrics) return;
    for (const [group, metric] of metrics.entries())
      this.arrays.metrics.set(metric, group * metric.length);
    this.#metrics = metrics;
  }

  /** Brings `reach` columns from `column` on, unless they are there; returns the first column that is. */
  loadFactor(factor: FactorBlock, column: number, reach: number): number {
    const { start, end } = this.#columns;
    if (this.#factor === factor && column >= start && column + reach <= end) return start;
    const { values, stride } = factor;
    const square = this.#memory.view(Float32Array, this.#factorAt, most * most);
    for (let row = 0; row < reach; row++) {
      const from = (column + row) * stride + column;
      square.set(values.subarray(from, from + reach), row * most);
    }
    this.#factor = factor;
    this.#columns = { start: column, end: column + reach };
    return column;
  }
}

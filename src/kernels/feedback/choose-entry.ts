import { listed, type CodebookLists } from '../scalar/codebook-lists.ts';
import { roundSmall } from '../scalar/symmetric-fit.ts';

const f = Math.fround;

/** A group of neighbouring weights, what their errors cost, and the scale they share. */
export interface GroupTarget {
  readonly values: Float32Array;
  /** Index of the first weight. */
  readonly at: number;
  /** `[width, width]`, symmetric: the cost of errors e is eᵀ · metric · e. */
  readonly metric: Float32Array;
  readonly scale: number;
}

/** The entry and the signs (bit j: weight j is negative) that were chosen. */
export interface GroupCode {
  entry: number;
  signs: number;
}

/** Chooses entries of one codebook; holds the memory that a choice needs. */
export class EntryChooser {
  readonly #lists: CodebookLists;
  readonly #ratios: Float32Array;
  readonly #errors: Float32Array;
  readonly code: GroupCode = { entry: 0, signs: 0 };
  #least = Infinity;

  constructor(lists: CodebookLists) {
    this.#lists = lists;
    this.#ratios = new Float32Array(lists.width);
    this.#errors = new Float32Array(lists.width);
  }

  /**
   * Leaves the best of the listed entries in `code`, with the signs of the weights; `parity` 0 or 1 asks for that
   * number of negative weights (mod 2), reached by the wrong sign that costs least with its entry.
   *
   * @see {@link codebookLists}: sixteen entries a cell are looked at, as in plain encoding.
   */
  choose({ values, at, metric, scale }: GroupTarget, parity: number | undefined): void {
    const { width } = this.#lists;
    const inverse = scale === 0 ? 0 : f(1 / scale);
    let signs = 0;
    let odd = 0;
    for (let j = 0; j < width; j++) {
      const ratio = f(values[at + j]! * inverse);
      this.#ratios[j] = ratio;
      if (ratio < 0) {
        signs |= 1 << j;
        odd ^= 1;
      }
    }
    const listAt = this.#cell() * listed;
    this.#least = Infinity;
    if (parity === undefined || odd === parity) this.#try(signs, listAt, metric);
    else for (let j = 0; j < width; j++) this.#try(signs ^ (1 << j), listAt, metric);
  }

  #try(signs: number, listAt: number, metric: Float32Array): void {
    const { nearest } = this.#lists;
    for (let k = 0; k < listed; k++) {
      const entry = nearest[listAt + k]!;
      const cost = this.#cost(entry, signs, metric);
      if (cost >= this.#least) continue;
      this.#least = cost;
      this.code.entry = entry;
      this.code.signs = signs;
    }
  }

  #cost(entry: number, signs: number, metric: Float32Array): number {
    const { width, entries } = this.#lists;
    const errors = this.#errors;
    for (let j = 0; j < width; j++) {
      const level = entries[entry * width + j]!;
      errors[j] = this.#ratios[j]! - ((signs >> j) & 1 ? -level : level);
    }
    let cost = 0;
    for (let i = 0; i < width; i++) {
      let sum = 0;
      for (let j = 0; j < i; j++) sum += metric[i * width + j]! * errors[j]!;
      cost += errors[i]! * (2 * sum + metric[i * width + i]! * errors[i]!);
    }
    return cost;
  }

  #cell(): number {
    const { width, levels, offset, step } = this.#lists;
    let cell = 0;
    for (let j = width - 1; j >= 0; j--) {
      const steps = f(f(Math.abs(this.#ratios[j]!) / step) - offset);
      cell = cell * levels + roundSmall(Math.min(Math.max(steps, 0), levels - 1));
    }
    return cell;
  }
}

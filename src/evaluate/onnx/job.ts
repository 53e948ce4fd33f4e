import type { ScoreOptions, TokenWindow, WindowScores } from '../scorer.ts';
import type { HeadRow, HeadScores } from './head.ts';

/** A window to score, and who waits for it. */
export interface Job {
  readonly window: TokenWindow;
  readonly options: ScoreOptions;
  resolve(scores: WindowScores): void;
  reject(error: unknown): void;
}

/** Tokens of `ScoreOptions.at` a scored token. */
export function atWidth({ window: { tokens, first }, options: { at } }: Job): number {
  return at ? at.length / (tokens.length - first) : 0;
}

/** What the head is asked for one window, which lies at row `offset` of the batch's tokens. */
export function headRows(job: Job, offset: number): HeadRow[] {
  const { tokens, first } = job.window;
  const width = atWidth(job);
  const none = new Int32Array();
  return Array.from(tokens.subarray(first), (target, row) => ({
    position: offset + first + row - 1,
    target,
    at: job.options.at?.subarray(row * width, (row + 1) * width) ?? none,
  }));
}

/** Scores of one window, put together chunk by chunk. */
export class CollectedScores {
  readonly #top: number;
  readonly #width: number;
  readonly #logProbs: Float32Array;
  readonly #best: Int32Array;
  readonly #topIds: Int32Array;
  readonly #topLogProbs: Float32Array;
  readonly #at: Float32Array;
  #rows = 0;

  constructor(job: Job) {
    const count = job.window.tokens.length - job.window.first;
    this.#top = job.options.top ?? 0;
    this.#width = atWidth(job);
    this.#logProbs = new Float32Array(count);
    this.#best = new Int32Array(count);
    this.#topIds = new Int32Array(count * this.#top);
    this.#topLogProbs = new Float32Array(count * this.#top);
    this.#at = new Float32Array(count * this.#width);
  }

  /** Rows that are still missing. */
  get missing(): number {
    return this.#logProbs.length - this.#rows;
  }

  /** Takes `count` rows of a chunk from `first` on. */
  add(chunk: HeadScores, first: number, count: number): void {
    const [top, width, row] = [this.#top, this.#width, this.#rows];
    const last = first + count;
    this.#logProbs.set(chunk.logProbs.subarray(first, last), row);
    this.#best.set(Int32Array.from(chunk.best.subarray(first, last), Number), row);
    const ids = Int32Array.from(chunk.topIds.subarray(first * top, last * top), Number);
    this.#topIds.set(ids, row * top);
    this.#topLogProbs.set(chunk.topLogProbs.subarray(first * top, last * top), row * top);
    this.#at.set(chunk.at.subarray(first * width, last * width), row * width);
    this.#rows += count;
  }

  /** The scored token whose probability is NaN, if any. */
  get firstNaN(): number {
    return this.#logProbs.findIndex(Number.isNaN);
  }

  get scores(): WindowScores {
    return {
      logProbs: this.#logProbs,
      best: this.#best,
      ...(this.#top > 0 && { top: { ids: this.#topIds, logProbs: this.#topLogProbs } }),
      ...(this.#width > 0 && { at: this.#at }),
    };
  }
}

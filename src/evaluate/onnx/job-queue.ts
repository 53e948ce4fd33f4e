import type { Job } from './job.ts';

/** How jobs are taken together. */
export interface QueueOptions {
  /** Jobs of one pass, of those that wait, in order; at least one. */
  readonly pick: (waiting: readonly Job[]) => readonly Job[];
  /** Does a pass; settles its jobs itself. */
  readonly work: (jobs: readonly Job[]) => Promise<void>;
  /** A pass waits until this many jobs are there, or none came for `quietMs`. */
  readonly worthwhile: number;
  readonly quietMs: number;
}

/** Collects calls that are under way at once into passes, one pass at a time. */
export class JobQueue {
  readonly #options: QueueOptions;
  #waiting: Job[] = [];
  #working: Promise<void> | undefined;

  constructor(options: QueueOptions) {
    this.#options = options;
  }

  add(job: Job): void {
    this.#waiting.push(job);
    this.#working ??= this.#run();
  }

  /** Resolves when nothing waits and nothing is under way. */
  async idle(): Promise<void> {
    await this.#working;
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      await this.#quiet();
      const jobs = this.#options.pick(this.#waiting);
      this.#waiting = this.#waiting.filter((job) => !jobs.includes(job));
      await this.#options.work(jobs);
    }
    this.#working = undefined;
  }

  /** Lets others add what belongs into the same pass. */
  async #quiet(): Promise<void> {
    const { worthwhile, quietMs } = this.#options;
    for (let before = -1; before < this.#waiting.length;) {
      before = this.#waiting.length;
      if (before >= worthwhile) return;
      await new Promise((resolve) => setTimeout(resolve, quietMs));
    }
  }
}

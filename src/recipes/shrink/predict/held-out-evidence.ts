import { rm } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { Evidence } from '../../../compress/evidence/evidence.ts';
import { OpenThings } from '../../../util/closing.ts';
import { measure } from '../../calibrate/measure.ts';
import type { Job } from '../job.ts';
import { hessianBlock } from './evidence.ts';

/** Evidence of the held-out part of a job's text: measured when first asked for, once for all of its files. */
export class HeldOut {
  readonly #job: Job;
  readonly #opened = new OpenThings();
  #evidence: Promise<Evidence> | undefined;

  constructor(job: Job) {
    this.#job = job;
  }

  /** @throws PithError what running the model throws; `cancelled`. */
  evidence(): Promise<Evidence> {
    this.#evidence ??= this.#measure();
    return this.#evidence;
  }

  close(): Promise<void> {
    return this.#opened.close();
  }

  /** Closes it, and removes what an interrupted job would have continued with. */
  async finish(): Promise<void> {
    await this.close();
    await rm(`${this.#path}.state`, { force: true });
  }

  get #path(): string {
    return join(this.#job.target.output, 'held-out');
  }

  async #measure(): Promise<Evidence> {
    const { model, split, target } = this.#job;
    const { threads = availableParallelism(), onProgress, signal } = target;
    const text = { ...split, windows: split.heldOut, documents: 1 };
    const { evidence } = await measure(model, text, {
      request: { model: this.#job.request.model, hessianBlock },
      target: { output: this.#path, threads, onProgress, signal },
      opened: this.#opened,
      singular: true,
    });
    return evidence;
  }
}

import { unlink } from 'node:fs/promises';
import type { Model } from '../../models/model.ts';
import { attempt, ignoreMissing } from '../../storage/system-error.ts';
import { modelHash, type HashOptions } from './model-hash.ts';

/**
 * What the evaluations of one command share.
 *
 * Each model is hashed once. Finished scores and answers of candidates stay on the disk until everything
 * is done, so that the same command, interrupted later, does not compute them again.
 */
export class EvaluationSession {
  readonly #hashes = new Map<string, string>();
  readonly #finished = new Set<string>();

  /** {@link modelHash}, by the model's source. */
  async hashOf(model: Model, options: HashOptions): Promise<string> {
    const hash = this.#hashes.get(model.source) ?? (await modelHash(model, options));
    this.#hashes.set(model.source, hash);
    return hash;
  }

  /** Notes a file that is of no use once everything is done. */
  keep(path: string): void {
    this.#finished.add(path);
  }

  /** Everything is done: removes what was kept. */
  async end(): Promise<void> {
    for (const path of this.#finished)
      await attempt('remove', path, () => unlink(path).catch(ignoreMissing));
    this.#finished.clear();
  }
}

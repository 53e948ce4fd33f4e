import type { StoredTensor } from '../../graph/engine.ts';
import type { OnProgress } from '../../util/progress.ts';
import type { TokenBatch } from './window-batch.ts';

/** How a pass is watched and stopped. */
export interface PassControl {
  /** Throws when nobody waits for the results any more; called between runs. */
  readonly check: () => void;
  readonly onProgress: OnProgress | undefined;
}

/** A model without its head: tokens in, the last block's output out. */
export interface Forward {
  /** `hidden` `[B,T,C]` of each batch, in order; the caller releases them. */
  run(batches: readonly TokenBatch[], control: PassControl): AsyncGenerator<StoredTensor>;
  close(): Promise<void>;
}

import type { Engine } from '../../graph/engine.ts';
import type { WeightStore } from '../../evaluate/onnx/weight-store.ts';
import type { Model } from '../../models/model.ts';
import type { OnProgress } from '../../util/progress.ts';
import type { CollectionStore } from './collection-store.ts';
import type { Evidence } from './evidence.ts';

/** What runs. */
export interface CollectorParts {
  readonly model: Model;
  readonly engine: Engine;
  readonly weights: WeightStore;
}

/** What is measured, and how. */
export interface CollectOptions {
  /** Also the gradients, by one backward pass. Default true. */
  readonly gradients?: boolean;
  /** Also Hessians of so many neighbouring input columns, `Infinity` for full ones. Default none; experts have them with gradients. */
  readonly hessianBlock?: number | undefined;
  /** Hessians may lack full rank: errors are to be judged by them, not made up for. Default false. */
  readonly singular?: boolean | undefined;
  /** Most output rows of a block of the Gram matrices that Hessians with gradients bring along. Default 1024. */
  readonly outputBlock?: number | undefined;
  /** For sampled labels. Default 1. */
  readonly seed?: number;
  /** Activations that wait between blocks. Default 256 MiB; more means fewer passes over the weights. */
  readonly activationBytes?: number;
  /** Where sums wait between passes. Default: in memory, Hessians of all blocks. */
  readonly store?: CollectionStore | undefined;
  /** The store's sums are committed after every pass; none takes more windows than this. Default: no limit. */
  readonly windowsAtOnce?: number | undefined;
  readonly onProgress?: OnProgress | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What `collectEvidence` finds: evidence without its source; Hessians and Gram matrices are read from the store. */
export type Collected = Omit<Evidence, 'source' | 'warnings'>;

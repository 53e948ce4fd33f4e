/** What a collection adds up. */
export interface CollectionLayout {
  /** Hessians by name, with their floats, in the order in which every pass puts them. */
  readonly hessians: readonly { readonly name: string; readonly length: number }[];
  /** All other sums: they grow while windows pass. */
  readonly sums: readonly Float64Array[];
}

/**
 * Where the sums of a collection wait between passes, so that Hessians of all blocks need not lie in memory, and an
 * interrupted run can go on.
 */
export interface CollectionStore {
  /** Begins, or goes on: fills `layout.sums` with what was committed. Returns the windows that those hold. */
  open(layout: CollectionLayout): Promise<number>;
  /** A Hessian as it was committed; undefined before the first commit. */
  get(name: string): Promise<Float32Array<ArrayBuffer> | undefined>;
  /** Takes over a Hessian for the next commit. */
  put(name: string, sums: Float32Array<ArrayBuffer>): Promise<void>;
  /** Keeps what was put, and the sums of the layout as they are now: those of the first `windows` windows. */
  commit(windows: number): Promise<void>;
}

/** Keeps everything in memory: 4 bytes a column and column of a block, for every matrix. */
export class MemoryStore implements CollectionStore {
  readonly #hessians = new Map<string, Float32Array<ArrayBuffer>>();

  open(): Promise<number> {
    return Promise.resolve(0);
  }

  get(name: string): Promise<Float32Array<ArrayBuffer> | undefined> {
    return Promise.resolve(this.#hessians.get(name));
  }

  put(name: string, sums: Float32Array<ArrayBuffer>): Promise<void> {
    this.#hessians.set(name, sums);
    return Promise.resolve();
  }

  commit(): Promise<void> {
    return Promise.resolve();
  }
}

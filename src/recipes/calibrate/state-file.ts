import { rm } from 'node:fs/promises';
import type {
  CollectionLayout,
  CollectionStore,
} from '../../compress/evidence/collection-store.ts';
import { openFile } from '../../storage/file-source.ts';
import { openOutput } from '../../storage/output-file.ts';
import type { Output } from '../../storage/output-writer.ts';
import { attempt } from '../../storage/system-error.ts';
import type { ByteSource } from '../../util/byte-source.ts';
import { PithError } from '../../util/errors.ts';

const headBytes = 128;
const noLayout: CollectionLayout = { hessians: [], sums: [] };

/**
 * The sums of a collection in a file beside its output, so that an interrupted one goes on: a line that says what
 * it is of, Hessians (f32), sums (f64) and the number of windows. Every commit writes it anew under another name
 * and renames it, so that kill -9 at any moment leaves a whole one.
 *
 * @remarks On the disk twice while it is written. In memory: nothing but what is asked for.
 */
export class StateFile implements CollectionStore {
  readonly path: string;
  readonly key: string;
  /** What was found when it was opened. */
  readonly notes: string[] = [];
  readonly #head: Buffer;
  #layout = noLayout;
  /** Where each Hessian begins, and its floats. */
  #places = new Map<string, { readonly offset: number; readonly length: number }>();
  #committed: ByteSource | undefined;
  #next: Output | undefined;
  /** Windows in the file. */
  windows = 0;

  /** @param key - Stands for model, data and everything else that determines the sums. */
  constructor(path: string, key: string) {
    this.path = path;
    this.key = key;
    this.#head = Buffer.from(`pith evidence state 1 ${key}`.padEnd(headBytes - 1).concat('\n'));
  }

  async open(layout: CollectionLayout): Promise<number> {
    this.#layout = layout;
    let offset = headBytes;
    for (const { name, length } of layout.hessians) {
      this.#places.set(name, { offset, length });
      offset += 4 * length;
    }
    await this.#openCommitted();
    if (!this.#committed) return 0;
    for (const sums of layout.sums) {
      await this.#read(this.#committed, offset, sums);
      offset += sums.byteLength;
    }
    const windows = new Float64Array(1);
    await this.#read(this.#committed, offset, windows);
    this.windows = windows[0]!;
    this.notes.push(`Continued an interrupted run after ${this.windows} windows.`);
    return this.windows;
  }

  async get(name: string): Promise<Float32Array<ArrayBuffer> | undefined> {
    const { offset, length } = this.#places.get(name)!;
    if (!this.#committed) return undefined;
    const sums = new Float32Array(length);
    await this.#read(this.#committed, offset, sums);
    return sums;
  }

  async put(_: string, sums: Float32Array<ArrayBuffer>): Promise<void> {
    await (await this.#opened()).write(bytesOf(sums));
  }

  async commit(windows: number): Promise<void> {
    const output = await this.#opened();
    for (const sums of [...this.#layout.sums, Float64Array.of(windows)])
      await output.write(bytesOf(sums));
    await this.#closeCommitted();
    await output.finish();
    this.#next = undefined;
    this.windows = windows;
    await this.#openCommitted();
  }

  /** Removes the file, which nobody needs any more, if there is one. */
  async remove(): Promise<void> {
    await this.close();
    await attempt('remove', this.path, () => rm(this.path, { force: true }));
  }

  /** Keeps what was committed. */
  async close(): Promise<void> {
    const output = this.#next;
    this.#next = undefined;
    await output?.discard();
    await this.#closeCommitted();
  }

  async #opened(): Promise<Output> {
    if (this.#next) return this.#next;
    const planHash = this.#head.toString();
    const plan = { planHash, totalBytes: this.#totalBytes, force: true };
    this.#next = await openOutput(this.path, plan);
    await this.#next.write(this.#head);
    return this.#next;
  }

  async #openCommitted(): Promise<void> {
    const source = await openFile(this.path).catch((error: unknown) => {
      if (error instanceof PithError && error.code === 'not-found') return undefined;
      throw error;
    });
    const fits =
      source?.byteLength === this.#totalBytes && this.#head.equals(await source.read(0, headBytes));
    if (fits) this.#committed = source;
    else if (source) {
      await source.close();
      this.notes.push(`${this.path} was of another run and is replaced.`);
    }
  }

  async #closeCommitted(): Promise<void> {
    const source = this.#committed;
    this.#committed = undefined;
    await source?.close();
  }

  async #read(source: ByteSource, offset: number, to: Float32Array | Float64Array): Promise<void> {
    const into = bytesOf(to);
    const found = await source.read(offset, to.byteLength, into);
    if (found.buffer !== into.buffer) into.set(found);
  }

  get #totalBytes(): number {
    const { hessians, sums } = this.#layout;
    const floats = hessians.reduce((total, { length }) => total + length, 0);
    const doubles = sums.reduce((total, { length }) => total + length, 1);
    return headBytes + 4 * floats + 8 * doubles;
  }
}

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array | Float64Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

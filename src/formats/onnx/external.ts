import type { ByteSource } from '../../util/byte-source.ts';
import { PithError } from '../../util/errors.ts';
import { sliceSource } from '../../util/slice-source.ts';
import { corrupt } from './errors.ts';
import type { Message } from './schema.ts';

/** Opens a file of weights by its location, which is a plain path relative to the model's folder. */
export type OpenExternal = (location: string) => Promise<ByteSource>;

/** The files of weights beside a model; each is opened once. */
export class ExternalFiles {
  readonly #model: string;
  readonly #open: OpenExternal | undefined;
  readonly #sources = new Map<string, ByteSource>();

  /** @param model - Name of the model's file, for messages. */
  constructor(model: string, open: OpenExternal | undefined) {
    this.#model = model;
    this.#open = open;
  }

  /**
   * The data of a tensor that lies in another file.
   *
   * @param entries - Its `external_data`: location, offset, length; other keys are of no use here.
   * @throws {@link PithError} `corrupt` for a location that is no plain path in the folder, or the
   * model itself, and for an offset or length that is no number or not `byteLength`; `truncated` when
   * the file is too short; `not-found` when there is nothing to open files with.
   */
  async data(
    what: string,
    entries: readonly Message<'Entry'>[],
    byteLength: number,
  ): Promise<ByteSource> {
    const values = new Map(entries.map(({ key, value }) => [key ?? '', value ?? '']));
    if (values.size < entries.length) throw corrupt(what, 'a key of its external data comes twice');
    const location = values.get('location') ?? '';
    if (!this.#isBeside(location)) {
      throw corrupt(what, `its data lie in ${JSON.stringify(location)}, no file in this folder`);
    }
    const offset = count(what, 'offset', values.get('offset') ?? '0');
    const length = count(what, 'length', values.get('length') ?? `${byteLength}`);
    if (length !== byteLength) {
      throw corrupt(what, `${length} bytes in ${location}, but its shape takes ${byteLength}`);
    }
    return sliceSource(await this.#source(location), offset, length, what);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#sources.values()].map((source) => source.close()));
  }

  async #source(location: string): Promise<ByteSource> {
    const known = this.#sources.get(location);
    if (known !== undefined) return known;
    if (this.#open === undefined) {
      const problem = `${this.#model} keeps weights in ${location}, which was not given`;
      throw new PithError('not-found', `${problem}.`, 'Open the model from its folder.');
    }
    const source = await this.#open(location);
    this.#sources.set(location, source);
    return source;
  }

  #isBeside(location: string): boolean {
    const parts = location.split('/');
    const plain = parts.every((part) => part !== '' && part !== '.' && part !== '..');
    return plain && !/[\\:\0]/.test(location) && location !== this.#model.split(/[/\\]/).at(-1);
  }
}

function count(what: string, key: string, text: string): number {
  const value = /^\d{1,15}$/.test(text) ? Number(text) : NaN;
  if (Number.isSafeInteger(value)) return value;
  throw corrupt(what, `the ${key} of its external data is ${JSON.stringify(text)}`);
}

import type { Couplings } from '../../../compress/feedback/couplings.ts';
import type { Imatrix } from '../../../compress/quantize/importance.ts';
import { coupled } from '../../../compress/quantize/coupled-tensor.ts';
import { slabsOf } from '../../../compress/quantize/slabs.ts';
import { tensorBytes } from '../../../formats/stored-tensor.ts';
import type { EncodableType } from '../../../kernels/kernels.ts';
import type { Transcoder } from '../../../kernels/transcoder.ts';
import type { Model } from '../../../models/model.ts';
import { columnsOf, rowsOf, weightsOf, type Tensor } from '../../../tensor/tensor.ts';
import { inOrder } from '../../../util/in-order.ts';

/** What tensors are encoded with. */
export interface Encoding {
  readonly model: Model;
  readonly imatrix: Imatrix;
  readonly couplings: Couplings;
  readonly transcoder: Transcoder;
}

/**
 * Tensors as the types that they are tried as, with errors fed back as in the file that is to be written. Encoding
 * with feedback takes some ten times what decoding takes, and probes come back to types: what was encoded last is
 * held, of at most one byte a weight of the model.
 */
export class EncodedTensors {
  readonly #encoding: Encoding;
  readonly #held = new Map<string, Uint8Array>();
  #room: number;

  constructor(encoding: Encoding) {
    this.#encoding = encoding;
    const tensors = [...encoding.model.tensors.values()];
    this.#room = tensors.reduce((sum, { shape }) => sum + weightsOf(shape), 0);
  }

  /** A tensor's weights as they are read back from a type. */
  async rounded(name: string, from: EncodableType): Promise<Float32Array<ArrayBuffer>> {
    const { model, transcoder } = this.#encoding;
    const tensor = model.tensors.get(name)!;
    const encoded = await this.#bytesOf(tensor, from);
    const columns = columnsOf(tensor.shape);
    const rowBytes = encoded.length / rowsOf(tensor.shape);
    const values = new Float32Array(weightsOf(tensor.shape));
    const slabs = slabsOf([{ name }], model.tensors);
    const decoded = inOrder(slabs, 2 * transcoder.threads, async ({ first, rows }) => {
      const bytes = encoded.subarray(first * rowBytes, (first + rows) * rowBytes);
      const { out, release } = await transcoder.transcode({ from, to: 'F32', columns, bytes });
      new Uint8Array(values.buffer).set(out, 4 * first * columns);
      release();
    });
    for await (const _ of decoded);
    return values;
  }

  async #bytesOf(tensor: Tensor, type: EncodableType): Promise<Uint8Array> {
    const key = `${tensor.name} ${type}`;
    const found = this.#held.get(key) ?? (await this.#encode(tensor, type));
    this.#forget(key);
    this.#held.set(key, found);
    this.#room -= found.length;
    for (const oldest of this.#held.keys()) {
      if (this.#room >= 0) break;
      this.#forget(oldest);
    }
    return found;
  }

  #forget(key: string): void {
    this.#room += this.#held.get(key)?.length ?? 0;
    this.#held.delete(key);
  }

  async #encode(tensor: Tensor, to: EncodableType): Promise<Uint8Array> {
    const { model, imatrix, couplings, transcoder } = this.#encoding;
    const { name, shape, type: from } = tensor;
    const columns = columnsOf(shape);
    const encoded = new Uint8Array(tensorBytes(name, shape, to));
    const rowBytes = encoded.length / rowsOf(shape);
    const importance = imatrix.entries.get(name)?.values;
    const own = { name, from, to, ...(importance && { importance }) };
    const slabs = slabsOf([coupled(own, couplings)], model.tensors);
    const done = inOrder(slabs, 2 * transcoder.threads, async (slab) => {
      const { planned, first, rows, importance: weights } = slab;
      const bytes = await tensor.read(first, rows);
      const coupling = planned.isCoupled && (await couplings.couplingOf(name, first));
      const how = { ...(weights && { importance: weights }), ...(coupling && { coupling }) };
      const { out, release } = await transcoder.transcode({ from, to, columns, bytes, ...how });
      encoded.set(out, first * rowBytes);
      release();
    });
    for await (const _ of done);
    return encoded;
  }
}

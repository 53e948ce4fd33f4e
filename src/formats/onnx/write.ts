import type { ByteSink } from '../../util/byte-source.ts';
import { PithError } from '../../util/errors.ts';
import { memorySource } from '../../util/memory-source.ts';
import type { OnProgress } from '../../util/progress.ts';
import type { OnnxModel } from './model.ts';
import { planOnnx, type OnnxFilePlan } from './plan.ts';

/** Bytes that are read and written at once. */
const chunkBytes = 2 ** 22;

/** How to stream a planned file. */
export interface OnnxStreamOptions {
  /** Leaves out this many bytes, which an earlier attempt has written. */
  readonly from?: number;
  readonly onProgress?: OnProgress;
  readonly signal?: AbortSignal;
}

/**
 * The bytes of an ONNX model file that holds its weights too.
 *
 * @throws {@link PithError} as `planOnnx`; `unsupported` when the model exceeds 2^31 − 1 bytes:
 * stream it with `planOnnx` and `streamOnnx`.
 */
export async function writeOnnx(model: OnnxModel): Promise<Uint8Array> {
  const plan = await planOnnx(model);
  if (plan.weights !== undefined) {
    const bytes = plan.model.totalBytes + plan.weights.totalBytes;
    const hint = 'Write it as two files: planOnnx, then streamOnnx for each.';
    throw new PithError('unsupported', `A model of ${bytes} bytes does not fit one file.`, hint);
  }
  const all = new Uint8Array(plan.model.totalBytes);
  let at = 0;
  const write = async (bytes: Uint8Array) => {
    all.set(bytes, at);
    at += bytes.length;
  };
  await streamOnnx(plan.model, { write });
  return all;
}

/**
 * Streams a planned file in the memory of one 4 MiB chunk.
 *
 * @throws {@link PithError} `cancelled`; whatever the sources of the weights throw.
 */
export async function streamOnnx(
  file: OnnxFilePlan,
  sink: ByteSink,
  { from = 0, onProgress, signal }: OnnxStreamOptions = {},
): Promise<void> {
  let at = from;
  for (const { offset, data } of file.pieces) {
    if (offset + data.byteLength <= at) continue;
    if (offset > at) await sink.write(new Uint8Array(offset - at));
    at = Math.max(at, offset);
    const source = data instanceof Uint8Array ? memorySource(data) : data;
    while (at < offset + data.byteLength) {
      if (signal?.aborted) throw new PithError('cancelled', 'Writing the model was stopped.');
      const length = Math.min(chunkBytes, offset + data.byteLength - at);
      await sink.write(await source.read(at - offset, length));
      at += length;
      onProgress?.({ label: source.name, done: at, total: file.totalBytes, unit: 'bytes' });
    }
  }
}

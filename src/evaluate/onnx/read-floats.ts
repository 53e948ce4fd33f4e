import type { Transcoder } from '../../kernels/transcoder.ts';
import { columnsOf, rowSlabs, weightsOf, type Rows, type Tensor } from '../../tensor/tensor.ts';
import { PithError } from '../../util/errors.ts';
import { inOrder } from '../../util/in-order.ts';

/** Weights that are read and decoded at once: 1 MB as f32. */
const slabWeights = 2 ** 18;

/**
 * Reads a tensor as f32 `[rows, columns]`, whatever its storage type, on the threads of `transcoder`.
 *
 * @throws PithError `not-finite` naming the tensor, for types other than F32; whatever reading throws.
 * @remarks Besides the result, memory of two slabs of 2^18 weights a thread.
 */
export async function readFloats(
  tensor: Tensor,
  transcoder: Transcoder,
): Promise<Float32Array<ArrayBuffer>> {
  const values = new Float32Array(weightsOf(tensor.shape));
  const columns = columnsOf(tensor.shape);
  const decoded = inOrder(rowSlabs(tensor.shape, slabWeights), 2 * transcoder.threads, (rows) => {
    const place = values.subarray(rows.first * columns, (rows.first + rows.count) * columns);
    return readRows(tensor, rows, transcoder, place);
  });
  for await (const _ of decoded);
  return values;
}

/** Reads the rows at `indexes`, each on its own, in their order. */
export async function readRowsAt(
  tensor: Tensor,
  indexes: readonly number[],
  transcoder: Transcoder,
): Promise<Float32Array<ArrayBuffer>> {
  const columns = columnsOf(tensor.shape);
  const values = new Float32Array(indexes.length * columns);
  for (const [at, row] of indexes.entries())
    await readRows(
      tensor,
      { first: row, count: 1 },
      transcoder,
      values.subarray(at * columns, (at + 1) * columns),
    );
  return values;
}

async function readRows(
  tensor: Tensor,
  { first, count }: Rows,
  transcoder: Transcoder,
  values: Float32Array<ArrayBuffer>,
): Promise<void> {
  if (tensor.type === 'F32') {
    const place = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    const bytes = await tensor.read(first, count, place);
    if (bytes.buffer !== place.buffer || bytes.byteOffset !== place.byteOffset) place.set(bytes);
    return;
  }
  const bytes = await tensor.read(first, count);
  const columns = columnsOf(tensor.shape);
  const slab = { from: tensor.type, to: 'F32', columns, bytes } as const;
  const { out, release } = await transcoder.transcode(slab).catch((error: unknown) => {
    throw naming(tensor.name, error);
  });
  values.set(new Float32Array(out.buffer, out.byteOffset, values.length));
  release();
}

function naming(name: string, error: unknown): unknown {
  if (!(error instanceof PithError)) return error;
  return new PithError(error.code, `${name}: ${error.message}`, error.hint, { cause: error });
}

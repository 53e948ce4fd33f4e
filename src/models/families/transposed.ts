import { unitOf } from '../../tensor/dtypes.ts';
import type { Tensor } from '../../tensor/tensor.ts';

/** Of a transposed matrix, what is kept while a reader goes through it, and what is read at once. */
const limits = { stripeBytes: 2 ** 24, chunkBytes: 2 ** 20 };

/** Rows `first … first + count` of the transposed matrix. */
interface Stripe {
  readonly first: number;
  readonly count: number;
  readonly bytes: Promise<Uint8Array>;
}

/**
 * A matrix `[in, out]` as `[out, in]`: GPT-2 stores its matrices that way round.
 *
 * Every row is spread over the whole stored matrix, so rows are gathered a stripe of 16 MiB at a
 * time, in one pass over the matrix. One stripe is kept until the last row was read.
 */
export function transposed(tensor: Tensor): Tensor {
  return transposedWithin(tensor, limits);
}

/** The same with other limits. */
export function transposedWithin(
  tensor: Tensor,
  { stripeBytes, chunkBytes }: typeof limits,
): Tensor {
  const [stored, rows] = tensor.shape as readonly [number, number];
  const rowBytes = stored * unitOf(tensor.type).bytes;
  const perStripe = Math.max(1, Math.floor(stripeBytes / rowBytes));
  let kept: Stripe | undefined;
  const stripeAt = (row: number): Stripe => {
    if (kept && row >= kept.first && row < kept.first + kept.count) return kept;
    const first = row - (row % perStripe);
    const count = Math.min(perStripe, rows - first);
    kept = { first, count, bytes: gather(tensor, { first, count, chunkBytes }) };
    return kept;
  };
  return {
    ...tensor,
    shape: [rows, stored],
    async read(first, count, into) {
      const out = into?.subarray(0, count * rowBytes) ?? new Uint8Array(count * rowBytes);
      let row = first;
      while (row < first + count) {
        const stripe = stripeAt(row);
        const next = Math.min(stripe.first + stripe.count, first + count);
        const from = (row - stripe.first) * rowBytes;
        const bytes = await stripe.bytes;
        out.set(bytes.subarray(from, from + (next - row) * rowBytes), (row - first) * rowBytes);
        row = next;
      }
      if (row === rows) kept = undefined;
      return out;
    },
  };
}

/** Columns `first … first + count` of a stored matrix, each as a row. */
async function gather(
  tensor: Tensor,
  { first, count, chunkBytes }: { first: number; count: number; chunkBytes: number },
): Promise<Uint8Array> {
  const [rows, columns] = tensor.shape as readonly [number, number];
  const { bytes: width } = unitOf(tensor.type);
  const perChunk = Math.max(1, Math.floor(chunkBytes / (columns * width)));
  const out = new Uint8Array(count * rows * width);
  for (let row = 0; row < rows; row += perChunk) {
    const height = Math.min(perChunk, rows - row);
    const bytes = await tensor.read(row, height);
    for (let at = 0; at < height; at++) {
      for (let column = 0; column < count; column++) {
        const from = (at * columns + first + column) * width;
        const to = (column * rows + row + at) * width;
        for (let byte = 0; byte < width; byte++) out[to + byte] = bytes[from + byte]!;
      }
    }
  }
  return out;
}

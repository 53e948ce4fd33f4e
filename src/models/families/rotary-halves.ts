import { unitOf } from '../../tensor/dtypes.ts';
import { columnsOf, type Tensor } from '../../tensor/tensor.ts';

/**
 * A query or key matrix `[heads · D, C]`, or its bias `[heads · D]`, with the two halves of each
 * head's rotary pairs interleaved: new row 2i is old row i of the head, new row 2i + 1 is old row
 * i + D/2. Bytes are moved when they are read, head by head.
 *
 * @see LlamaModel.permute in conversion/llama.py, llama.cpp v0.5.0, which does the same to a whole
 *   tensor.
 */
export function rotaryHalves(tensor: Tensor, { headWidth }: { headWidth: number }): Tensor {
  const bytes = unitOf(tensor.type).bytes;
  if (tensor.shape.length === 1) {
    return {
      ...tensor,
      async read(first, count) {
        const source = await tensor.read(first, count);
        const items = { first: 0, count: columnsOf(tensor.shape) * count, bytes };
        return gatherInterleaved(source, 0, items, headWidth);
      },
    };
  }
  const rowBytes = columnsOf(tensor.shape) * bytes;
  return {
    ...tensor,
    async read(first, count) {
      const start = Math.floor(first / headWidth) * headWidth;
      const end = Math.ceil((first + count) / headWidth) * headWidth;
      const source = await tensor.read(start, end - start);
      return gatherInterleaved(source, start, { first, count, bytes: rowBytes }, headWidth);
    },
  };
}

/** Picks the items `first … first + count` of the new order out of whole heads from item `start`. */
function gatherInterleaved(
  source: Uint8Array,
  start: number,
  items: { readonly first: number; readonly count: number; readonly bytes: number },
  headWidth: number,
): Uint8Array {
  const { first, count, bytes } = items;
  const out = new Uint8Array(count * bytes);
  for (let item = first; item < first + count; item++) {
    const place = item % headWidth;
    const from = item - place + (place >> 1) + (place % 2) * (headWidth / 2) - start;
    out.set(source.subarray(from * bytes, (from + 1) * bytes), (item - first) * bytes);
  }
  return out;
}

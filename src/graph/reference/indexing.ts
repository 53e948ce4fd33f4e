import { PithError } from '../../util/errors.ts';
import { sizeOf } from '../shapes.ts';
import type { Shape } from '../value.ts';
import type { Kernels } from './kernel.ts';
import { linesOf } from './lines.ts';
import { type Numbers, offsets, stridesOf } from './numbers.ts';

/** Elements by their index. */
export const indexing: Kernels<
  'gather' | 'gatherElements' | 'scatterAdd' | 'scatterElementsAdd' | 'topK' | 'argMax'
> = {
  gather: ([{ shape, data }, indices], { axis }, [result]) => {
    const size = shape[axis]!;
    const block = sizeOf(shape.slice(axis + 1));
    const picked = indices.data.map((index) => checked('gather', index, size));
    const y = new Float64Array(sizeOf(result!.shape));
    for (let i = 0; i < y.length; i++) {
      const line = Math.floor(i / block);
      const before = Math.floor(line / picked.length);
      const index = picked[line % picked.length]!;
      y[i] = data[(before * size + index) * block + (i % block)]!;
    }
    return [y];
  },
  gatherElements: ([x, indices], { axis }) => [
    places('gatherElements', x.shape, indices, axis).map((place) => x.data[place]!),
  ],
  scatterAdd: ([base, indices, updates]) => {
    const block = sizeOf(base.shape.slice(1));
    const y = base.data.slice();
    for (let i = 0; i < updates.data.length; i++) {
      const index = indices.data[Math.floor(i / block)]!;
      y[checked('scatterAdd', index, base.shape[0]!) * block + (i % block)]! += updates.data[i]!;
    }
    return [y];
  },
  scatterElementsAdd: ([base, indices, updates], { axis }) => {
    const to = places('scatterElementsAdd', base.shape, indices, axis);
    const y = base.data.slice();
    for (let i = 0; i < to.length; i++) y[to[i]!]! += updates.data[i]!;
    return [y];
  },
  topK: ([{ shape, data }], { k, axis }, [result]) => {
    const values = new Float64Array(sizeOf(result!.shape));
    const indices = new Float64Array(values.length);
    const to = linesOf(result!.shape, axis);
    const from = linesOf(shape, axis);
    for (const [line, start] of from.starts.entries()) {
      const element = (index: number) => data[start + index * from.step]!;
      const order = [...Array(from.size).keys()].sort((a, b) => element(b) - element(a));
      for (const [rank, index] of order.slice(0, k).entries()) {
        const place = to.starts[line]! + rank * to.step;
        values[place] = element(index);
        indices[place] = index;
      }
    }
    return [values, indices];
  },
  argMax: ([{ shape, data }], { axis }) => {
    const { starts, size, step } = linesOf(shape, axis);
    return [
      starts.map((start) => {
        let best = 0;
        for (let i = 1; i < size; i++)
          if (data[start + i * step]! > data[start + best * step]!) best = i;
        return best;
      }),
    ];
  },
};

/** Where in an array of `shape` each index along `axis` points. */
function places(op: string, shape: Shape, indices: Numbers, axis: number): Float64Array {
  const strides = stridesOf(shape);
  const start = offsets(indices.shape, strides.with(axis, 0));
  return start.map(
    (place, i) => place + checked(op, indices.data[i]!, shape[axis]!) * strides[axis]!,
  );
}

function checked(op: string, index: number, size: number): number {
  if (index >= 0 && index < size) return index;
  throw new PithError('shape', `${op}: index ${index} is not within 0 to ${size - 1}`);
}

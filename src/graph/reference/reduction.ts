import { sizeOf } from '../shapes.ts';
import type { Axes, Axis, One } from '../signatures.ts';
import type { Kernel, Kernels } from './kernel.ts';
import { linesOf } from './lines.ts';
import { type Numbers, offsets, stridesOf } from './numbers.ts';

/** Over whole axes. */
export const reduction: Kernels<'sum' | 'mean' | 'reduceMax' | 'softmax' | 'logSoftmax'> = {
  sum: ([x], attributes) => [reduce(x, attributes, 0, (sum, element) => sum + element)],
  mean: ([x], attributes) => {
    const sums = reduce(x, attributes, 0, (sum, element) => sum + element);
    const share = sums.length / x.data.length;
    return [sums.map((sum) => sum * share)];
  },
  reduceMax: ([x], attributes) => [reduce(x, attributes, -Infinity, Math.max)],
  softmax: normalized((x, largest, total) => Math.exp(x - largest) / total),
  logSoftmax: normalized((x, largest, total) => x - largest - Math.log(total)),
};

function reduce(
  { shape, data }: Numbers,
  { axes }: Axes,
  start: number,
  add: (sum: number, element: number) => number,
): Float64Array {
  const kept = shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
  const strides = stridesOf(kept).map((stride, axis) => (axes.includes(axis) ? 0 : stride));
  const to = offsets(shape, strides);
  const y = new Float64Array(sizeOf(kept)).fill(start);
  for (let i = 0; i < data.length; i++) y[to[i]!] = add(y[to[i]!]!, data[i]!);
  return y;
}

/** From an element, the largest of its line, and the sum of e^(x − largest). */
function normalized(
  compute: (x: number, largest: number, total: number) => number,
): Kernel<One<Axis>> {
  return ([{ shape, data }], { axis }) => {
    const { starts, size, step } = linesOf(shape, axis);
    const y = new Float64Array(data.length);
    for (const start of starts) {
      let largest = -Infinity;
      for (let i = 0; i < size; i++) largest = Math.max(largest, data[start + i * step]!);
      let total = 0;
      for (let i = 0; i < size; i++) total += Math.exp(data[start + i * step]! - largest);
      for (let i = 0; i < size; i++) {
        const place = start + i * step;
        y[place] = compute(data[place]!, largest, total);
      }
    }
    return [y];
  };
}

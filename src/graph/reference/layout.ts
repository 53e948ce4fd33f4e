import { sizeOf } from '../shapes.ts';
import type { Kernels } from './kernel.ts';
import { broadcastData, offsets, stridesOf } from './numbers.ts';

/** The same elements at other places. */
export const layout: Kernels<
  'reshape' | 'transpose' | 'expand' | 'concat' | 'slice' | 'pad' | 'split'
> = {
  reshape: ([{ data }]) => [data],
  transpose: ([{ shape, data }], { perm }, [result]) => {
    const strides = stridesOf(shape);
    const from = offsets(
      result!.shape,
      perm.map((axis) => strides[axis]!),
    );
    return [from.map((place) => data[place]!)];
  },
  expand: ([x], { shape }) => [broadcastData(x, shape)],
  concat: (values, { axis }, [result]) => {
    const strides = stridesOf(result!.shape);
    const y = new Float64Array(sizeOf(result!.shape));
    let at = 0;
    for (const { shape, data } of values) {
      const to = offsets(shape, strides, at * strides[axis]!);
      for (let i = 0; i < data.length; i++) y[to[i]!] = data[i]!;
      at += shape[axis]!;
    }
    return [y];
  },
  slice: ([{ shape, data }], { axis, start }, [result]) => {
    const strides = stridesOf(shape);
    const from = offsets(result!.shape, strides, start * strides[axis]!);
    return [from.map((place) => data[place]!)];
  },
  pad: ([{ shape, data }], { axis, before }, [result]) => {
    const strides = stridesOf(result!.shape);
    const to = offsets(shape, strides, before * strides[axis]!);
    const y = new Float64Array(sizeOf(result!.shape));
    for (let i = 0; i < data.length; i++) y[to[i]!] = data[i]!;
    return [y];
  },
  split: ([{ shape, data }], { axis }, results) => {
    const strides = stridesOf(shape);
    let at = 0;
    return results.map((result) => {
      const from = offsets(result.shape, strides, at * strides[axis]!);
      at += result.shape[axis]!;
      return from.map((place) => data[place]!);
    });
  },
};

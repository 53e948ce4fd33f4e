import { PithError } from '../../util/errors.ts';
import { broadcast, demandType, sameShape, show, sizeOf, withSize } from '../shapes.ts';
import { int, like, node, type Rows } from './rows.ts';

/** The same elements at other places. */
export const layout: Rows<
  'reshape' | 'transpose' | 'expand' | 'concat' | 'slice' | 'pad' | 'split'
> = {
  reshape: {
    infer: ([x], { shape }) => {
      if (sizeOf(x.shape) !== sizeOf(shape) || shape.some((size) => !Number.isInteger(size)))
        throw new PithError(
          'shape',
          `reshape: ${show(x.shape)} has ${sizeOf(x.shape)} elements, ${show(shape)} another number`,
        );
      return [{ type: x.type, shape }];
    },
    onnx: (call) => {
      const { shape } = call.attributes;
      const operands = [call.integers(shape)];
      // Without it, ONNX reads a size of 0 as "as it was".
      const attributes = { allowzero: int(1) };
      return [node('Reshape', call, { operands, ...(shape.includes(0) && { attributes }) })];
    },
    gradient: ({ g, dy, inputs: [x] }) => [g.reshape(dy, x.shape)],
  },
  transpose: {
    infer: ([x], { perm }) => {
      if (new Set(perm).size !== x.shape.length || perm.length !== x.shape.length)
        throw new PithError('shape', `transpose: ${show(perm)} does not permute ${show(x.shape)}`);
      return [{ type: x.type, shape: perm.map((axis) => x.shape[axis]!) }];
    },
    onnx: (call) => {
      const perm = { type: 'ints', value: call.attributes.perm } as const;
      return [node('Transpose', call, { attributes: { perm } })];
    },
    gradient: ({ g, dy, attributes: { perm } }) => [
      g.transpose(
        dy,
        perm.map((_, axis) => perm.indexOf(axis)),
      ),
    ],
  },
  expand: {
    infer: ([x], { shape }) => {
      if (!sameShape(broadcast('expand', x.shape, shape), shape))
        throw new PithError('shape', `expand: ${show(x.shape)} does not grow to ${show(shape)}`);
      return [{ type: x.type, shape }];
    },
    onnx: (call) => [node('Expand', call, { operands: [call.integers(call.attributes.shape)] })],
    gradient: ({ dy }) => [dy],
  },
  concat: {
    infer: (values, { axis }) => {
      const first = values[0]!;
      for (const value of values) {
        demandType('concat', value, [first.type]);
        const fits = withSize(value.shape, axis, first.shape[axis]!);
        if (value.shape.length !== first.shape.length || !sameShape(fits, first.shape))
          throw new PithError(
            'shape',
            `concat: ${show(first.shape)} and ${show(value.shape)} differ beside axis ${axis}`,
          );
      }
      const size = values.reduce((sum, { shape }) => sum + shape[axis]!, 0);
      return [{ type: first.type, shape: withSize(first.shape, axis, size) }];
    },
    onnx: (call) => [node('Concat', call, { attributes: { axis: int(call.attributes.axis) } })],
    gradient: ({ g, dy, inputs, attributes: { axis } }) =>
      g.split(
        dy,
        axis,
        inputs.map(({ shape }) => shape[axis]!),
      ),
  },
  slice: {
    infer: ([x], { axis, start, end }) => {
      if (start < 0 || start > end || end > x.shape[axis]!)
        throw new PithError(
          'shape',
          `slice: ${show(x.shape)} has no elements ${start} to ${end} on axis ${axis}`,
        );
      return [{ type: x.type, shape: withSize(x.shape, axis, end - start) }];
    },
    onnx: (call) => {
      const { axis, start, end } = call.attributes;
      const operands = [start, end, axis].map((value) => call.integers([value]));
      return [node('Slice', call, { operands })];
    },
    gradient: ({ g, dy, inputs: [x], attributes: { axis, start, end } }) => [
      g.pad(dy, axis, start, x.shape[axis]! - end),
    ],
  },
  pad: {
    infer: ([x], { axis, before, after }) => {
      demandType('pad', x, ['f32', 'i64']);
      if (before < 0 || after < 0)
        throw new PithError('shape', `pad: ${show(x.shape)} by ${before} and ${after}`);
      return [{ type: x.type, shape: withSize(x.shape, axis, x.shape[axis]! + before + after) }];
    },
    onnx: (call) => {
      const { axis, before, after } = call.attributes;
      const operands = [call.integers([before, after]), '', call.integers([axis])];
      return [node('Pad', call, { operands })];
    },
    gradient: ({ g, dy, inputs: [x], attributes: { axis, before } }) => [
      g.slice(dy, axis, before, before + x.shape[axis]!),
    ],
  },
  split: {
    infer: ([x], { axis, sizes }) => {
      const total = sizes.reduce((sum, size) => sum + size, 0);
      if (total !== x.shape[axis] || sizes.some((size) => size < 0))
        throw new PithError(
          'shape',
          `split: parts ${show(sizes)} of ${show(x.shape)} on axis ${axis} add up to ${total}`,
        );
      return sizes.map((size) => ({ ...like(x), shape: withSize(x.shape, axis, size) }));
    },
    onnx: (call) => {
      const { axis, sizes } = call.attributes;
      const operands = [call.integers(sizes)];
      return [node('Split', call, { operands, attributes: { axis: int(axis) } })];
    },
    gradient: ({ g, dys, attributes: { axis } }) => [g.concat(dys, axis)],
  },
};

import { PithError } from '../../util/errors.ts';
import { show, sizeOf } from '../shapes.ts';
import { elementTypeOf } from '../tensor-data.ts';
import type { Rows } from './rows.ts';

/** Data that is part of a graph. */
export const constant: Rows<'constant'> = {
  constant: {
    infer: (_, { data, shape }) => {
      if (data.length !== sizeOf(shape))
        throw new PithError('shape', `constant: ${data.length} elements for ${show(shape)}`);
      return [{ type: elementTypeOf(data), shape }];
    },
    // toOnnx writes an initializer.
    onnx: () => [],
    gradient: { none: 'it has no operand' },
  },
};

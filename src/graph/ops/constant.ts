import { PithError } from '../../util/errors.ts';
import { show, sizeOf } from '../shapes.ts';
import type { ElementType, TensorData } from '../value.ts';
import type { Rows } from './rows.ts';

/** Data that is part of a graph. */
export const constant: Rows<'constant'> = {
  constant: {
    infer: (_, { data, shape }) => {
      if (data.length !== sizeOf(shape))
        throw new PithError('shape', `constant: ${data.length} elements for ${show(shape)}`);
      return [{ type: typeOf(data), shape }];
    },
    // toOnnx writes an initializer.
    onnx: () => [],
    gradient: { none: 'it has no operand' },
  },
};

function typeOf(data: TensorData): ElementType {
  if (data instanceof Float32Array) return 'f32';
  return data instanceof BigInt64Array ? 'i64' : 'bool';
}

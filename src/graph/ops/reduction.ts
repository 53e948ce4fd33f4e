import type { Operations } from '../operations.ts';
import type { BackwardCall, Gradient, OpRow } from '../op-row.ts';
import { demandType, sizeOf, withSize } from '../shapes.ts';
import type { Axes, Axis, One } from '../signatures.ts';
import type { Shape, Value } from '../value.ts';
import { int, like, node, type Rows } from './rows.ts';

/** Over whole axes. */
export const reduction: Rows<'sum' | 'mean' | 'reduceMax' | 'softmax' | 'logSoftmax'> = {
  sum: reduce('sum', 'ReduceSum', (call) => [back(call, call.dy)]),
  mean: reduce('mean', 'ReduceMean', (call) => {
    const { g, dy, y, inputs } = call;
    const share = sizeOf(y.shape) / sizeOf(inputs[0].shape);
    return [back(call, g.mul(dy, g.scalar(share)))];
  }),
  // In equal shares to all that are largest, as torch.amax.
  reduceMax: reduce('reduceMax', 'ReduceMax', (call) => {
    const { g, dy, y, inputs, attributes } = call;
    const [x] = inputs;
    const largest = g.cast(g.equal(x, back(call, y)), 'f32');
    const count = g.sum(largest, attributes.axes, true);
    return [g.div(g.mul(largest, back(call, dy)), count)];
  }),
  softmax: normalized('softmax', 'Softmax', ({ g, dy, y, attributes: { axis } }) => {
    const weighted = g.mul(dy, y);
    return g.sub(weighted, g.mul(y, g.sum(weighted, axis, true)));
  }),
  logSoftmax: normalized('logSoftmax', 'LogSoftmax', ({ g, dy, y, attributes: { axis } }) =>
    g.sub(dy, g.mul(g.exp(y), g.sum(dy, axis, true))),
  ),
};

function reduce(op: string, opType: string, gradient: Gradient<One<Axes>>): OpRow<One<Axes>> {
  return {
    infer: ([x], attributes) => {
      demandType(op, x, ['f32']);
      return [{ type: 'f32', shape: reducedShape(x.shape, attributes) }];
    },
    onnx: (call) => {
      const { axes, keepDims } = call.attributes;
      // No axes would mean all of them to ONNX.
      if (axes.length === 0) return [node('Identity', call)];
      const operands = [call.integers(axes)];
      return [node(opType, call, { operands, attributes: { keepdims: int(keepDims) } })];
    },
    gradient,
  };
}

function normalized(
  op: string,
  opType: string,
  gradient: (call: BackwardCall<One<Axis>>) => Value,
): OpRow<One<Axis>> {
  return {
    infer: ([x]) => {
      demandType(op, x, ['f32']);
      return [like(x)];
    },
    onnx: (call) => [node(opType, call, { attributes: { axis: int(call.attributes.axis) } })],
    gradient: (call) => [gradient(call)],
  };
}

function reducedShape(shape: Shape, { axes, keepDims }: Axes): Shape {
  return keepDims
    ? axes.reduce((kept, axis) => withSize(kept, axis, 1), shape)
    : shape.filter((_, axis) => !axes.includes(axis));
}

/** A reduced value with the shape of the operand. */
function back(
  {
    g,
    inputs: [x],
    attributes: { axes },
  }: { g: Operations } & Pick<BackwardCall<One<Axes>>, 'inputs' | 'attributes'>,
  reduced: Value,
): Value {
  const kept = reducedShape(x.shape, { axes, keepDims: true });
  return g.expand(g.reshape(reduced, kept), x.shape);
}

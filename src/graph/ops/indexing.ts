import type { Operations } from '../operations.ts';
import { PithError } from '../../util/errors.ts';
import { demandType, sameShape, show, sizeOf, withSize } from '../shapes.ts';
import type { Shape, Value } from '../value.ts';
import { int, node, type Rows } from './rows.ts';

const add = { type: 'string', value: 'add' } as const;

/** Elements by their index. Indices are i64 from 0 to size - 1; engines refuse others. */
export const indexing: Rows<
  'gather' | 'gatherElements' | 'scatterAdd' | 'scatterElementsAdd' | 'topK' | 'argMax'
> = {
  gather: {
    infer: ([x, indices], { axis }) => {
      demandType('gather', indices, ['i64']);
      const shape = x.shape.toSpliced(axis, 1, ...indices.shape);
      return [{ type: x.type, shape }];
    },
    onnx: (call) => [node('Gather', call, { attributes: { axis: int(call.attributes.axis) } })],
    gradient: ({ g, dy, inputs: [x, indices], attributes: { axis } }) => {
      // scatterAdd adds along the first axis: bring ours there, and the axes of the indices in dy.
      const axes = [...x.shape.keys()];
      const toFront = [axis, ...axes.filter((other) => other !== axis)];
      const dyAxes = [...dy.shape.keys()];
      const ofIndices = dyAxes.slice(axis, axis + indices.shape.length);
      const rest = dyAxes.filter((other) => !ofIndices.includes(other));
      const front = zeros(
        g,
        toFront.map((from) => x.shape[from]!),
      );
      const updates = transposed(g, dy, [...ofIndices, ...rest]);
      const sum = g.scatterAdd(front, indices, updates);
      const back = axes.map((to) => toFront.indexOf(to));
      return [transposed(g, sum, back), null];
    },
  },
  gatherElements: {
    infer: ([x, indices], { axis }) => {
      demandType('gatherElements', indices, ['i64']);
      demandSameBeside('gatherElements', [x, indices], axis);
      return [{ type: x.type, shape: indices.shape }];
    },
    onnx: (call) => [
      node('GatherElements', call, { attributes: { axis: int(call.attributes.axis) } }),
    ],
    gradient: ({ g, dy, inputs: [x, indices], attributes: { axis } }) => [
      g.scatterElementsAdd(zeros(g, x.shape), indices, dy, axis),
      null,
    ],
  },
  scatterAdd: {
    infer: ([base, indices, updates]) => {
      demandType('scatterAdd', base, ['f32']);
      demandType('scatterAdd', indices, ['i64']);
      demandType('scatterAdd', updates, ['f32']);
      const wanted = [...indices.shape, ...base.shape.slice(1)];
      if (base.shape.length === 0 || !sameShape(updates.shape, wanted))
        throw new PithError(
          'shape',
          `scatterAdd: updates ${show(updates.shape)} at indices ${show(indices.shape)} of ${show(base.shape)}`,
        );
      return [base];
    },
    onnx: (call) => {
      // Not ScatterND: ONNX Runtime 1.30 adds its updates in parallel without a lock and loses some.
      const [base, indices, updates] = call.inputs;
      const [baseShape, indexShape] = call.node.inputs.map(({ shape }) => shape);
      const rest = baseShape!.slice(1);
      const count = sizeOf(indexShape!);
      const names = ['column', 'indices', 'updates'].map((hint) => call.between(hint));
      const column = call.integers([count, ...rest.map(() => 1)]);
      const rows = call.integers([count, ...rest]);
      return [
        { opType: 'Reshape', inputs: [indices, column], outputs: [names[0]!] },
        { opType: 'Expand', inputs: [names[0]!, rows], outputs: [names[1]!] },
        { opType: 'Reshape', inputs: [updates, rows], outputs: [names[2]!] },
        {
          opType: 'ScatterElements',
          inputs: [base, names[1]!, names[2]!],
          outputs: call.outputs,
          attributes: { axis: int(0), reduction: add },
        },
      ];
    },
    gradient: ({ g, dy, inputs: [, indices] }) => [dy, null, g.gather(dy, indices)],
  },
  scatterElementsAdd: {
    infer: ([base, indices, updates], { axis }) => {
      demandType('scatterElementsAdd', base, ['f32']);
      demandType('scatterElementsAdd', indices, ['i64']);
      demandType('scatterElementsAdd', updates, ['f32']);
      demandSameBeside('scatterElementsAdd', [base, indices], axis);
      if (!sameShape(indices.shape, updates.shape))
        throw new PithError(
          'shape',
          `scatterElementsAdd: ${show(indices.shape)} indices for ${show(updates.shape)} updates`,
        );
      return [base];
    },
    onnx: (call) => {
      const attributes = { axis: int(call.attributes.axis), reduction: add };
      return [node('ScatterElements', call, { attributes })];
    },
    gradient: ({ g, dy, inputs: [, indices], attributes: { axis } }) => [
      dy,
      null,
      g.gatherElements(dy, indices, axis),
    ],
  },
  topK: {
    infer: ([x], { k, axis }) => {
      demandType('topK', x, ['f32']);
      if (!(k >= 1 && k <= x.shape[axis]!))
        throw new PithError('shape', `topK: the ${k} largest on axis ${axis} of ${show(x.shape)}`);
      const shape = withSize(x.shape, axis, k);
      return [
        { type: 'f32', shape },
        { type: 'i64', shape },
      ];
    },
    onnx: (call) => {
      const { k, axis } = call.attributes;
      const operands = [call.integers([k])];
      return [node('TopK', call, { operands, attributes: { axis: int(axis) } })];
    },
    gradient: ({ g, dy, inputs: [x], outputs, attributes: { axis } }) => [
      g.scatterElementsAdd(zeros(g, x.shape), outputs[1]!, dy, axis),
    ],
  },
  argMax: {
    infer: ([x], { axis, keepDims }) => {
      demandType('argMax', x, ['f32']);
      const shape = keepDims ? withSize(x.shape, axis, 1) : x.shape.toSpliced(axis, 1);
      return [{ type: 'i64', shape }];
    },
    onnx: (call) => {
      const { axis, keepDims } = call.attributes;
      return [node('ArgMax', call, { attributes: { axis: int(axis), keepdims: int(keepDims) } })];
    },
    gradient: { none: 'an index moves in steps' },
  },
};

function zeros(g: Operations, shape: Shape): Value {
  return g.expand(g.scalar(0), shape);
}

function transposed(g: Operations, x: Value, perm: readonly number[]): Value {
  return perm.every((from, to) => from === to) ? x : g.transpose(x, perm);
}

function demandSameBeside(op: string, [x, indices]: readonly [Value, Value], axis: number): void {
  const fits =
    x.shape.length === indices.shape.length &&
    sameShape(withSize(indices.shape, axis, x.shape[axis]!), x.shape);
  if (!fits)
    throw new PithError(
      'shape',
      `${op}: indices ${show(indices.shape)} and ${show(x.shape)} differ beside axis ${axis}`,
    );
}

import type { OpRow } from '../op-row.ts';
import { broadcast, demandType } from '../shapes.ts';
import type { Two } from '../signatures.ts';
import type { ElementType } from '../value.ts';
import { onnxTypes } from './onnx-types.ts';
import { onnxElementTypes } from '../../formats/onnx/model.ts';
import { int, like, node, type Rows } from './rows.ts';

const truth = { none: 'a truth value moves in steps' };

/** Comparison, logic, choice and conversion. */
export const logic: Rows<'equal' | 'less' | 'greater' | 'and' | 'not' | 'where' | 'cast'> = {
  equal: pair('equal', 'Equal', ['f32', 'i64', 'bool']),
  less: pair('less', 'Less', ['f32', 'i64']),
  greater: pair('greater', 'Greater', ['f32', 'i64']),
  and: pair('and', 'And', ['bool']),
  not: {
    infer: ([x]) => {
      demandType('not', x, ['bool']);
      return [like(x)];
    },
    onnx: (call) => [node('Not', call)],
    gradient: truth,
  },
  where: {
    infer: ([condition, a, b]) => {
      demandType('where', condition, ['bool']);
      demandType('where', b, [a.type]);
      const shape = broadcast('where', condition.shape, broadcast('where', a.shape, b.shape));
      return [{ type: a.type, shape }];
    },
    onnx: (call) => [node('Where', call)],
    gradient: ({ g, dy, inputs: [condition] }) => [
      null,
      g.where(condition, dy, g.scalar(0)),
      g.where(condition, g.scalar(0), dy),
    ],
  },
  cast: {
    infer: ([x], { to }) => [{ type: to, shape: x.shape }],
    onnx: (call) => {
      const { id } = onnxElementTypes[onnxTypes[call.attributes.to]];
      return [node('Cast', call, { attributes: { to: int(id) } })];
    },
    gradient: { none: 'whole numbers and truth values move in steps' },
  },
};

function pair(op: string, opType: string, types: readonly ElementType[]): OpRow<Two> {
  return {
    infer: ([a, b]) => {
      demandType(op, a, types);
      demandType(op, b, [a.type]);
      return [{ type: 'bool', shape: broadcast(op, a.shape, b.shape) }];
    },
    onnx: (call) => [node(opType, call)],
    gradient: truth,
  };
}

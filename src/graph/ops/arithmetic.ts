import type { BackwardCall, Gradient, OpRow } from '../op-row.ts';
import { broadcast, demandType } from '../shapes.ts';
import type { Two } from '../signatures.ts';
import type { ElementType, Value } from '../value.ts';
import { node, type Rows } from './rows.ts';

const floats: readonly ElementType[] = ['f32'];
const numbers: readonly ElementType[] = ['f32', 'i64'];

/** Arithmetic of pairs, with broadcasting. */
export const arithmetic: Rows<'add' | 'sub' | 'mul' | 'div' | 'max' | 'min' | 'pow'> = {
  add: pair('add', 'Add', numbers, ({ dy }) => [dy, dy]),
  sub: pair('sub', 'Sub', numbers, ({ g, dy }) => [dy, g.neg(dy)]),
  mul: pair('mul', 'Mul', numbers, ({ g, dy, inputs: [a, b] }) => [g.mul(dy, b), g.mul(dy, a)]),
  div: pair('div', 'Div', floats, ({ g, dy, y, inputs: [, b] }) => {
    const da = g.div(dy, b);
    return [da, g.neg(g.mul(da, y))];
  }),
  max: pair('max', 'Max', numbers, (call) => toTheChosen(call, 'greater')),
  min: pair('min', 'Min', numbers, (call) => toTheChosen(call, 'less')),
  pow: pair('pow', 'Pow', floats, ({ g, dy, y, inputs: [a, b] }) => [
    g.mul(dy, g.mul(b, g.pow(a, g.sub(b, g.scalar(1))))),
    g.mul(dy, g.mul(y, g.log(a))),
  ]),
};

function pair(
  op: string,
  opType: string,
  types: readonly ElementType[],
  gradient: Gradient<Two>,
): OpRow<Two> {
  return {
    infer: ([a, b]) => {
      demandType(op, a, types);
      demandType(op, b, [a.type]);
      return [{ type: a.type, shape: broadcast(op, a.shape, b.shape) }];
    },
    onnx: (call) => [node(opType, call)],
    gradient,
  };
}

/** To the operand that was chosen, half to each of equals: as torch.maximum. */
function toTheChosen(call: BackwardCall<Two>, chosen: 'greater' | 'less'): [Value, Value] {
  const { g, dy, inputs } = call;
  const [a, b] = inputs;
  const shared = g.where(g.equal(a, b), g.mul(dy, g.scalar(0.5)), g.scalar(0));
  return [g.where(g[chosen](a, b), dy, shared), g.where(g[chosen](b, a), dy, shared)];
}

import type { BackwardCall, OpRow } from '../op-row.ts';
import { demandType } from '../shapes.ts';
import type { One } from '../signatures.ts';
import type { ElementType, Value } from '../value.ts';
import { like, node, type Rows } from './rows.ts';

type Function =
  | 'neg'
  | 'abs'
  | 'sqrt'
  | 'reciprocal'
  | 'exp'
  | 'log'
  | 'sin'
  | 'cos'
  | 'sigmoid'
  | 'tanh'
  | 'erf';

const floats: readonly ElementType[] = ['f32'];
const numbers: readonly ElementType[] = ['f32', 'i64'];

/** Functions of one element. */
export const functions: Rows<Function> = {
  neg: single('neg', 'Neg', numbers, ({ g, dy }) => g.neg(dy)),
  abs: single('abs', 'Abs', numbers, ({ g, dy, inputs: [x] }) => {
    const zero = g.scalar(0);
    const sign = g.sub(g.cast(g.greater(x, zero), 'f32'), g.cast(g.less(x, zero), 'f32'));
    return g.mul(dy, sign);
  }),
  sqrt: single('sqrt', 'Sqrt', floats, ({ g, dy, y }) => g.div(dy, g.add(y, y))),
  reciprocal: single('reciprocal', 'Reciprocal', floats, ({ g, dy, y }) =>
    g.neg(g.mul(dy, g.mul(y, y))),
  ),
  exp: single('exp', 'Exp', floats, ({ g, dy, y }) => g.mul(dy, y)),
  log: single('log', 'Log', floats, ({ g, dy, inputs: [x] }) => g.div(dy, x)),
  sin: single('sin', 'Sin', floats, ({ g, dy, inputs: [x] }) => g.mul(dy, g.cos(x))),
  cos: single('cos', 'Cos', floats, ({ g, dy, inputs: [x] }) => g.neg(g.mul(dy, g.sin(x)))),
  sigmoid: single('sigmoid', 'Sigmoid', floats, ({ g, dy, y }) =>
    g.mul(dy, g.mul(y, g.sub(g.scalar(1), y))),
  ),
  tanh: single('tanh', 'Tanh', floats, ({ g, dy, y }) =>
    g.mul(dy, g.sub(g.scalar(1), g.mul(y, y))),
  ),
  // d erf(x) / dx = 2 / √π · e^(-x²)
  erf: single('erf', 'Erf', floats, ({ g, dy, inputs: [x] }) =>
    g.mul(g.mul(dy, g.scalar(2 / Math.sqrt(Math.PI))), g.exp(g.neg(g.mul(x, x)))),
  ),
};

function single(
  op: string,
  opType: string,
  types: readonly ElementType[],
  gradient: (call: BackwardCall<One>) => Value,
): OpRow<One> {
  return {
    infer: ([x]) => {
      demandType(op, x, types);
      return [like(x)];
    },
    onnx: (call) => [node(opType, call)],
    gradient: (call) => [gradient(call)],
  };
}

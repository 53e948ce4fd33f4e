import type { One, Two } from '../signatures.ts';
import { erf } from './erf.ts';
import type { Kernel, Kernels } from './kernel.ts';
import { broadcastData } from './numbers.ts';

/** Pairs of elements. */
export const pairs: Kernels<
  'add' | 'sub' | 'mul' | 'div' | 'max' | 'min' | 'pow' | 'equal' | 'less' | 'greater' | 'and'
> = {
  add: pair((a, b) => a + b),
  sub: pair((a, b) => a - b),
  mul: pair((a, b) => a * b),
  div: pair((a, b) => a / b),
  max: pair(Math.max),
  min: pair(Math.min),
  pow: pair((a, b) => a ** b),
  equal: pair((a, b) => Number(a === b)),
  less: pair((a, b) => Number(a < b)),
  greater: pair((a, b) => Number(a > b)),
  and: pair((a, b) => a * b),
};

/** Single elements. */
export const singles: Kernels<
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
  | 'erf'
  | 'not'
> = {
  neg: single((x) => -x),
  abs: single(Math.abs),
  sqrt: single(Math.sqrt),
  reciprocal: single((x) => 1 / x),
  exp: single(Math.exp),
  log: single(Math.log),
  sin: single(Math.sin),
  cos: single(Math.cos),
  sigmoid: single((x) => 1 / (1 + Math.exp(-x))),
  tanh: single(Math.tanh),
  erf: single(erf),
  not: single((x) => 1 - x),
};

/** Choice and conversion. */
export const choices: Kernels<'where' | 'cast'> = {
  where: (inputs, _, [result]) => {
    const [condition, a, b] = inputs.map((input) => broadcastData(input, result!.shape));
    return [condition!.map((holds, i) => (holds === 1 ? a! : b!)[i]!)];
  },
  cast: ([{ data }], { to }) => {
    if (to === 'bool') return [data.map((x) => Number(x !== 0))];
    return [to === 'i64' ? data.map(Math.trunc) : data];
  },
};

function single(compute: (x: number) => number): Kernel<One> {
  return ([{ data }]) => [data.map((x) => compute(x))];
}

function pair(compute: (a: number, b: number) => number): Kernel<Two> {
  return (inputs, _, [result]) => {
    const [left, right] = inputs.map((input) => broadcastData(input, result!.shape));
    return [left!.map((a, i) => compute(a, right![i]!))];
  };
}

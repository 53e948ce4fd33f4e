import type { Operations } from '../operations.ts';
import { sizeOf } from '../shapes.ts';
import type { Op } from '../signatures.ts';
import { int64 } from '../tensor-data.ts';
import type { ElementType, Shape, Value } from '../value.ts';

/** An operand and how its elements are made from numbers spread over 0 to 1, no two alike. */
export interface Operand {
  readonly type: ElementType;
  readonly shape: Shape;
  readonly from: (spread: number) => number;
}

/** One use of an operator. */
export interface OpCase {
  readonly operands: readonly Operand[];
  readonly call: (g: Operations, ...values: Value[]) => Value | readonly Value[];
}

/** Elements of an operand: golden-ratio steps, other ones for each operand. */
export function elementsOf(operand: Operand, position: number): Float64Array {
  const spread = (i: number) => ((i + 1) * 0.6180339887498949 + position * 0.37) % 1;
  return Float64Array.from({ length: sizeOf(operand.shape) }, (_, i) => operand.from(spread(i)));
}

/** Away from 0, where abs and others bend: ±(0.3 to 1.3). */
const real = (...shape: number[]): Operand => ({
  type: 'f32',
  shape,
  from: (x) => Math.fround(x < 0.5 ? 2 * x - 1.3 : 2 * x - 0.7),
});
const positive = (...shape: number[]): Operand => ({
  type: 'f32',
  shape,
  from: (x) => Math.fround(0.3 + 2 * x),
});
const whole = (...shape: number[]): Operand => ({
  type: 'i64',
  shape,
  from: (x) => Math.floor(x * 5) - 2,
});
const truths = (...shape: number[]): Operand => ({ type: 'bool', shape, from: Math.round });
const indices = (size: number, ...shape: number[]): Operand => ({
  type: 'i64',
  shape,
  from: (x) => Math.floor(x * size),
});

type Pair = 'add' | 'sub' | 'mul' | 'max' | 'min' | 'less' | 'greater' | 'equal';
type Reduction = 'sum' | 'mean' | 'reduceMax';

const single = (call: (g: Operations, x: Value) => Value, operand = real): readonly OpCase[] =>
  [[], [7], [2, 3, 4]].map((shape) => ({ operands: [operand(...shape)], call }));

const shapesOfPairs: readonly [number[], number[]][] = [
  [[], []],
  [
    [2, 3],
    [2, 3],
  ],
  [[2, 3], [3]],
  [
    [2, 1, 4],
    [3, 1],
  ],
  [[], [5]],
  [
    [1, 1],
    [2, 3, 2],
  ],
];
const pairs = (
  call: (g: Operations, a: Value, b: Value) => Value,
  left = real,
  right = left,
): readonly OpCase[] =>
  shapesOfPairs.map(([a, b]) => ({ operands: [left(...a), right(...b)], call }));
const numberPairs = (op: Pair): readonly OpCase[] => [
  ...pairs((g, a, b) => g[op](a, b)),
  ...pairs((g, a, b) => g[op](a, b), whole),
];
const reductions = (op: Reduction): readonly OpCase[] => [
  { operands: [real()], call: (g, x) => g[op](x) },
  { operands: [real(2, 3, 4)], call: (g, x) => g[op](x) },
  { operands: [real(2, 3, 4)], call: (g, x) => g[op](x, -1, true) },
  { operands: [real(2, 3, 4)], call: (g, x) => g[op](x, [0, -2]) },
  { operands: [real(2, 3, 4)], call: (g, x) => g[op](x, [], true) },
];
const normalizations = (op: 'softmax' | 'logSoftmax'): readonly OpCase[] => [
  { operands: [real(5)], call: (g, x) => g[op](x) },
  { operands: [real(2, 3, 4)], call: (g, x) => g[op](x, 1) },
  { operands: [real(2, 3, 4)], call: (g, x) => g[op](x, -3) },
];

/** Uses of every operator: shapes that broadcast, no axes, negative axes. */
export const opCases: { readonly [O in Op]: readonly OpCase[] } = {
  constant: [
    { operands: [], call: (g) => g.constant(Float32Array.of(1, 2, 3, 4), [2, 2]) },
    { operands: [], call: (g) => g.constant(int64([7]), []) },
    { operands: [], call: (g) => g.constant(Uint8Array.of(1, 0)) },
  ],

  add: numberPairs('add'),
  sub: numberPairs('sub'),
  mul: numberPairs('mul'),
  div: pairs((g, a, b) => g.div(a, b)),
  max: numberPairs('max'),
  min: numberPairs('min'),
  pow: pairs((g, a, b) => g.pow(a, b), positive, real),

  neg: [...single((g, x) => g.neg(x)), ...single((g, x) => g.neg(x), whole)],
  abs: [...single((g, x) => g.abs(x)), ...single((g, x) => g.abs(x), whole)],
  sqrt: single((g, x) => g.sqrt(x), positive),
  reciprocal: single((g, x) => g.reciprocal(x)),
  exp: single((g, x) => g.exp(x)),
  log: single((g, x) => g.log(x), positive),
  sin: single((g, x) => g.sin(x)),
  cos: single((g, x) => g.cos(x)),
  sigmoid: single((g, x) => g.sigmoid(x)),
  tanh: single((g, x) => g.tanh(x)),
  erf: single((g, x) => g.erf(x)),

  equal: [...numberPairs('equal'), ...pairs((g, a, b) => g.equal(a, b), truths)],
  less: numberPairs('less'),
  greater: numberPairs('greater'),
  and: pairs((g, a, b) => g.and(a, b), truths),
  not: single((g, x) => g.not(x), truths),
  where: [
    { operands: [truths(), real(), real()], call: (g, c, a, b) => g.where(c, a, b) },
    { operands: [truths(2, 3), real(3), real()], call: (g, c, a, b) => g.where(c, a, b) },
    { operands: [truths(3), whole(2, 1), whole()], call: (g, c, a, b) => g.where(c, a, b) },
  ],
  cast: [
    { operands: [real(2, 3)], call: (g, x) => g.cast(x, 'i64') },
    { operands: [real()], call: (g, x) => g.cast(x, 'bool') },
    { operands: [whole(5)], call: (g, x) => g.cast(x, 'f32') },
    { operands: [truths(5)], call: (g, x) => g.cast(x, 'f32') },
    { operands: [truths(5)], call: (g, x) => g.cast(x, 'i64') },
    { operands: [whole(5)], call: (g, x) => g.cast(x, 'bool') },
  ],

  matmul: (
    [
      [
        [2, 3],
        [3, 4],
      ],
      [
        [2, 2, 3],
        [2, 3, 1],
      ],
      [
        [2, 1, 2, 3],
        [4, 3, 2],
      ],
      [
        [3, 2],
        [2, 2, 4],
      ],
    ] as const
  ).map(([a, b]) => ({ operands: [real(...a), real(...b)], call: (g, a, b) => g.matmul(a, b) })),
  gemm: [
    { operands: [real(2, 3), real(3, 4)], call: (g, a, b) => g.gemm(a, b) },
    {
      operands: [real(3, 2), real(3, 4)],
      call: (g, a, b) => g.gemm(a, b, { transA: true }),
    },
    {
      operands: [real(3, 2), real(4, 3)],
      call: (g, a, b) => g.gemm(a, b, { transA: true, transB: true }),
    },
    {
      operands: [real(2, 3), real(4, 3), real(4)],
      call: (g, a, b, bias) => g.gemm(a, b, { transB: true, bias: bias }),
    },
    {
      operands: [real(2, 2, 3), real(4, 3), real(4)],
      call: (g, x, weight, bias) => g.linear(x, weight, bias),
    },
  ],

  reshape: [
    { operands: [real(2, 3)], call: (g, x) => g.reshape(x, [3, -1]) },
    { operands: [real(1, 1)], call: (g, x) => g.reshape(x, []) },
    { operands: [whole()], call: (g, x) => g.reshape(x, [1, 1]) },
    { operands: [truths(4)], call: (g, x) => g.reshape(x, [2, 2]) },
  ],
  transpose: [
    { operands: [real(2, 3, 4)], call: (g, x) => g.transpose(x, [2, 0, 1]) },
    { operands: [real(2, 3)], call: (g, x) => g.transpose(x, [-1, -2]) },
    { operands: [whole(2, 3)], call: (g, x) => g.transpose(x, [1, 0]) },
    { operands: [real()], call: (g, x) => g.transpose(x, []) },
  ],
  expand: [
    { operands: [real()], call: (g, x) => g.expand(x, [2, 3]) },
    { operands: [real(2, 1, 3)], call: (g, x) => g.expand(x, [4, 2, 5, 3]) },
    { operands: [whole(1)], call: (g, x) => g.expand(x, [3]) },
    { operands: [truths(3, 1)], call: (g, x) => g.expand(x, [3, 2]) },
  ],
  concat: [
    { operands: [real(2, 3), real(2, 1)], call: (g, ...parts) => g.concat(parts, -1) },
    { operands: [real(1, 2), real(3, 2), real(1, 2)], call: (g, ...parts) => g.concat(parts, 0) },
    { operands: [whole(2), whole(3)], call: (g, ...parts) => g.concat(parts, 0) },
  ],
  slice: [
    { operands: [real(2, 5)], call: (g, x) => g.slice(x, -1, 1, 4) },
    { operands: [real(4, 3)], call: (g, x) => g.slice(x, 0, -3) },
    { operands: [whole(5)], call: (g, x) => g.slice(x, 0, 0, -1) },
  ],
  pad: [
    { operands: [real(2, 3)], call: (g, x) => g.pad(x, 1, 2, 1) },
    { operands: [real(2, 3)], call: (g, x) => g.pad(x, -2, 0, 1) },
    { operands: [whole(2)], call: (g, x) => g.pad(x, 0, 1, 0) },
  ],
  split: [
    { operands: [real(2, 5)], call: (g, x) => g.split(x, -1, [2, 3]) },
    { operands: [real(3, 2)], call: (g, x) => g.split(x, 0, [1, 1, 1]) },
    { operands: [real(3, 4)], call: (g, x) => g.split(x, 1, [1, 3])[1]! },
  ],

  gather: [
    { operands: [real(4, 3), indices(4, 6)], call: (g, x, at) => g.gather(x, at) },
    { operands: [real(4, 3), indices(4)], call: (g, x, at) => g.gather(x, at) },
    { operands: [real(2, 4, 3), indices(4, 2, 5)], call: (g, x, at) => g.gather(x, at, 1) },
    { operands: [real(2, 3), indices(3, 4)], call: (g, x, at) => g.gather(x, at, -1) },
    { operands: [whole(4), indices(4, 3)], call: (g, x, at) => g.gather(x, at) },
  ],
  gatherElements: [
    { operands: [real(3, 4), indices(4, 3, 2)], call: (g, x, at) => g.gatherElements(x, at, -1) },
    { operands: [real(3, 4), indices(3, 5, 4)], call: (g, x, at) => g.gatherElements(x, at, 0) },
  ],
  scatterAdd: [
    {
      operands: [real(4, 3), indices(4, 7), real(7, 3)],
      call: (g, base, at, updates) => g.scatterAdd(base, at, updates),
    },
    {
      operands: [real(3), indices(3, 2, 4), real(2, 4)],
      call: (g, base, at, updates) => g.scatterAdd(base, at, updates),
    },
    {
      operands: [real(3, 2), indices(3), real(2)],
      call: (g, base, at, updates) => g.scatterAdd(base, at, updates),
    },
  ],
  scatterElementsAdd: [
    {
      operands: [real(3, 4), indices(4, 3, 6), real(3, 6)],
      call: (g, base, at, updates) => g.scatterElementsAdd(base, at, updates, -1),
    },
    {
      operands: [real(3, 2), indices(3, 5, 2), real(5, 2)],
      call: (g, base, at, updates) => g.scatterElementsAdd(base, at, updates, 0),
    },
  ],
  topK: [
    { operands: [real(3, 5)], call: (g, x) => g.topK(x, 2) },
    { operands: [real(4, 2)], call: (g, x) => g.topK(x, 4, 0) },
  ],
  argMax: [
    { operands: [real(3, 5)], call: (g, x) => g.argMax(x, -1) },
    { operands: [real(3, 5)], call: (g, x) => g.argMax(x, 0, true) },
  ],

  sum: reductions('sum'),
  mean: reductions('mean'),
  reduceMax: reductions('reduceMax'),
  softmax: normalizations('softmax'),
  logSoftmax: normalizations('logSoftmax'),
};

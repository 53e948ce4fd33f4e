import { expect, test } from 'vitest';
import { GraphBuilder } from '../builder.ts';
import { evaluate } from '../reference/evaluate.ts';
import type { Value } from '../value.ts';
import { simplify } from './simplify.ts';

const elements = Float64Array.of(1, -2, 3, 4, 5, -6);

test.each<[string, (g: GraphBuilder, x: Value) => Value, string[]]>([
  ['x · 1', (g, x) => g.mul(x, g.scalar(1)), ['neg']],
  ['1 · x', (g, x) => g.mul(g.scalar(1), x), ['neg']],
  ['x + 0', (g, x) => g.add(x, g.scalar(0)), ['neg']],
  ['x / 1', (g, x) => g.div(x, g.scalar(1)), ['neg']],
  ['x¹', (g, x) => g.pow(x, g.scalar(1)), ['neg']],
  ['1 / x is not x', (g, x) => g.div(g.scalar(1), x), ['constant', 'div', 'neg']],
  ['0 − x is not x', (g, x) => g.sub(g.scalar(0), x), ['constant', 'sub', 'neg']],
  ['the same shape', (g, x) => g.reshape(x, [2, 3]), ['neg']],
  ['the same order', (g, x) => g.transpose(x, [0, 1]), ['neg']],
  [
    'another order',
    (g, x) => g.reshape(g.transpose(x, [1, 0]), [2, 3]),
    ['transpose', 'reshape', 'neg'],
  ],
  [
    '1 · x that grows',
    (g, x) => g.slice(g.mul(x, ones(g, [2, 2, 3])), 0, 0, 1),
    ['constant', 'mul', 'slice', 'neg'],
  ],
  ['2 − 1 is folded', (g, x) => g.pow(x, g.sub(g.scalar(2), g.scalar(1))), ['neg']],
  ['equal parts', (g, x) => g.mul(g.exp(x), g.exp(x)), ['exp', 'mul', 'neg']],
  [
    'equal constants',
    (g, x) => g.add(g.mul(x, of(g, 2)), of(g, 2)),
    ['constant', 'mul', 'add', 'neg'],
  ],
  ['a needless expand', (g, x) => g.add(x, g.expand(g.sum(x), [2, 3])), ['sum', 'add', 'neg']],
  [
    'an expand that counts',
    (g, x) => g.expand(g.add(g.sum(x), g.scalar(3)), [50, 50]),
    ['sum', 'constant', 'add', 'expand', 'neg'],
  ],
])('%s', (_, make, expected) => {
  const g = new GraphBuilder();
  g.output('y', g.neg(make(g, g.input('x', 'f32', [2, 3]))));
  const graph = g.build();
  const simple = simplify(graph);
  expect(simple.nodes.map(({ op }) => op)).toEqual(expected);
  expect(evaluate(simple, { x: elements })).toEqual(evaluate(graph, { x: elements }));
});

test('large constants are equal only when they are the same array', () => {
  const g = new GraphBuilder();
  const data = new Float32Array(100);
  const sum = (...values: Value[]) => values.reduce((total, value) => g.add(total, value));
  g.output(
    'y',
    sum(g.input('x', 'f32', [100]), g.constant(data), g.constant(data), g.constant(data.slice())),
  );
  expect(simplify(g.build()).nodes.filter(({ op }) => op === 'constant')).toHaveLength(2);
});

test('an output that is found to be an input keeps its name', () => {
  const g = new GraphBuilder();
  g.output('y', g.mul(g.input('x', 'f32', [6]), g.scalar(1)));
  const simple = simplify(g.build());
  expect(simple.nodes).toEqual([]);
  expect(evaluate(simple, { x: elements })).toEqual({ y: elements });
});

function of(g: GraphBuilder, number: number): Value {
  return g.constant(Float32Array.of(number), []);
}

function ones(g: GraphBuilder, shape: number[]): Value {
  return g.constant(new Float32Array(12).fill(1), shape);
}

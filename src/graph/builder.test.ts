import { expect, test } from 'vitest';
import { GraphBuilder } from './builder.ts';

test('linear is one Gemm that reads the weight [out,in] as it lies', () => {
  const g = new GraphBuilder();
  const weight = g.input('weight', 'f32', [5, 4]);
  const y = g.linear(g.input('x', 'f32', [2, 3, 4]), weight);
  g.output('y', y);
  expect(y.shape).toEqual([2, 3, 5]);
  const gemm = g.build().nodes.filter(({ op }) => op === 'gemm');
  expect(gemm).toMatchObject([{ attributes: { transA: false, transB: true } }]);
  expect(gemm[0]!.inputs[1]).toBe(weight);
});

test('build drops what no output needs and keeps every input', () => {
  const g = new GraphBuilder();
  const x = g.input('x', 'f32', [2]);
  g.exp(g.input('unused', 'f32', [2]));
  g.output('y', g.neg(x));
  const graph = g.build();
  expect(graph.nodes.map(({ op }) => op)).toEqual(['neg']);
  expect(graph.inputs.map(({ name }) => name)).toEqual(['x', 'unused']);
});

test.each<[string, (g: GraphBuilder) => unknown, string]>([
  ['matmul', (g) => g.matmul(f32(g, 2, 3), f32(g, 4, 5)), 'inner sizes differ, [2,3] × [4,5]'],
  ['add', (g) => g.add(f32(g, 2, 3), f32(g, 2)), '[2,3] and [2] do not broadcast'],
  ['linear', (g) => g.linear(f32(g, 2, 3), f32(g, 3, 2)), '[2,3] does not fit a weight [out,in]'],
  ['reshape', (g) => g.reshape(f32(g, 2, 3), [4, -1]), '[2,3] has 6 elements'],
  ['softmax', (g) => g.softmax(f32(g, 2, 3), 2), '[2,3] has no axis 2'],
  ['concat', (g) => g.concat([f32(g, 2, 3), f32(g, 3, 4)], 1), '[2,3] and [3,4] differ'],
  ['split', (g) => g.split(f32(g, 2, 3), -1, [1, 1]), 'add up to 2'],
  ['gather', (g) => g.gather(f32(g, 2, 3), f32(g, 1)), 'takes i64, not f32 [1]'],
  ['constant', (g) => g.constant(new Float32Array(3), [2, 2]), '3 elements for [2,2]'],
])('%s names the shapes that do not fit', (op, call, message) => {
  expect(() => call(new GraphBuilder())).toThrow(
    expect.objectContaining({ code: 'shape', message: expect.stringContaining(message) }),
  );
  expect(() => call(new GraphBuilder())).toThrow(`${op}: `);
});

test('a name is that of one input or output', () => {
  const g = new GraphBuilder();
  const x = g.input('x', 'f32', [1]);
  expect(() => g.input('x', 'f32', [1])).toThrow("inputs or outputs of a graph have the name 'x'");
  expect(() => g.output('x', x)).toThrow("inputs or outputs of a graph have the name 'x'");
});

let count = 0;
function f32(g: GraphBuilder, ...shape: number[]) {
  return g.input(`x${count++}`, 'f32', shape);
}

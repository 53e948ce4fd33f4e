import { expect, test } from 'vitest';
import { GraphBuilder } from './builder.ts';
import { int64 } from './tensor-data.ts';
import { toOnnx } from './to-onnx.ts';

test('inputs stay inputs and names follow the named values', () => {
  const g = new GraphBuilder();
  const x = g.input('x', 'f32', [2, 3]);
  const weight = g.input('head.weight', 'f32', [4, 3]);
  g.output('logits', g.softmax(g.tanh(g.linear(x, weight))));
  const { opsets, graph } = toOnnx(g.build(), { name: 'head' });
  expect(opsets).toEqual({ '': 18 });
  expect(graph.name).toBe('head');
  expect(graph.inputs).toEqual([
    { name: 'x', elementType: 'FLOAT', shape: [2, 3] },
    { name: 'head.weight', elementType: 'FLOAT', shape: [4, 3] },
  ]);
  expect(graph.nodes.map(({ name }) => name)).toEqual([
    'x/reshape',
    'head.weight/gemm',
    'reshape',
    'tanh',
    'logits',
  ]);
});

test('an output that is an input, a constant or another output gets a copy', () => {
  const g = new GraphBuilder();
  const x = g.input('x', 'f32', []);
  const y = g.neg(x);
  g.output('first', y);
  g.output('second', y);
  g.output('same', x);
  g.output('one', g.scalar(1));
  const { nodes } = toOnnx(g.build()).graph;
  expect(nodes.map(({ opType, inputs, outputs }) => [opType, ...inputs, ...outputs])).toEqual([
    ['Neg', 'x', 'first'],
    ['Identity', 'first', 'second'],
    ['Identity', 'x', 'same'],
    ['Identity', 'constant', 'one'],
  ]);
});

test('a constant is an initializer with the bytes of its part of a buffer', () => {
  const g = new GraphBuilder();
  const buffer = new Float32Array([9, 1, 2, 9]);
  g.output('y', g.add(g.constant(buffer.subarray(1, 3), [2]), g.input('x', 'f32', [1])));
  g.output('z', g.not(g.constant(Uint8Array.of(1, 0))));
  g.output('w', g.neg(g.constant(int64([-1]), [])));
  const { initializers } = toOnnx(g.build()).graph;
  expect(initializers).toMatchObject([
    { elementType: 'FLOAT', shape: [2], data: new Uint8Array(Float32Array.of(1, 2).buffer) },
    { elementType: 'BOOL', shape: [2], data: Uint8Array.of(1, 0) },
    { elementType: 'INT64', shape: [], data: new Uint8Array(8).fill(255) },
  ]);
});

test('a name that an input has taken is not given again', () => {
  const g = new GraphBuilder();
  const x = g.input('tanh', 'f32', []);
  g.output('y', g.exp(g.tanh(g.neg(x))));
  const names = toOnnx(g.build()).graph.nodes.map(({ name }) => name);
  expect(names).toEqual(['tanh/neg', 'tanh_1', 'y']);
});

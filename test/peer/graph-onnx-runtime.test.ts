import { expect, test } from 'vitest';
import {
  differentiate,
  evaluate,
  gelu,
  geluTanh,
  gradientName,
  GraphBuilder,
  layerNorm,
  rmsNorm,
  silu,
} from '../../src/graph/index.ts';
import { goldenDecoder, gradientError } from '../../src/graph/golden-decoder.cases.ts';
import { elementsOf, opCases } from '../../src/graph/ops/op.cases.ts';
import type { Value } from '../../src/graph/index.ts';
import { kernelsOf, runOnnx } from './onnx-session.ts';

/** Of 1 + |value|: f32 has 6e-8; 9e-8 is the worst of ONNX Runtime 1.30 on x86-64. */
const tolerance = 5e-7;

const cases = Object.entries(opCases).flatMap(([op, list]) =>
  list.map((opCase, i) => [`${op}, case ${i + 1}`, opCase] as const),
);

test.each(cases)(
  '%s: ONNX Runtime gives the inferred shape and the reference values',
  async (_, { operands, call }) => {
    const g = new GraphBuilder();
    const values = operands.map(({ type, shape }, i) => g.input(`x${i}`, type, shape));
    for (const [i, value] of [call(g, ...values)].flat().entries()) g.output(`y${i}`, value);
    const inputs = Object.fromEntries(operands.map((o, i) => [`x${i}`, elementsOf(o, i)]));
    const graph = g.build();
    const expected = evaluate(graph, inputs);
    const results = await runOnnx(graph, inputs);
    for (const { name, value } of graph.outputs) {
      expect(results[name]!.shape).toEqual(value.shape);
      for (const [i, y] of expected[name]!.entries()) {
        const error = Math.abs(results[name]!.data[i]! - y) / (1 + Math.abs(y));
        expect(error).toBeLessThan(tolerance);
      }
    }
  },
);

test('200,000 updates of 4 rows are all added: ScatterND of ONNX Runtime 1.30 would lose some', async () => {
  const count = 200_000;
  const g = new GraphBuilder();
  const rows = g.input('rows', 'i64', [count]);
  const ones = g.expand(g.scalar(1), [count, 64]);
  g.output('sums', g.scatterAdd(g.expand(g.scalar(0), [4, 64]), rows, ones));
  const inputs = { rows: Float64Array.from({ length: count }, (_, i) => i % 4) };
  const { sums } = await runOnnx(g.build(), inputs);
  expect(new Set(sums!.data)).toEqual(new Set([count / 4]));
});

test('ONNX Runtime gives the gradients of a 2-layer Llama within 2e-6 of PyTorch in f64', async () => {
  const { graph, inputs, gradients } = goldenDecoder();
  const trained = differentiate(graph, 'loss', Object.keys(gradients));
  const results = await runOnnx(trained, inputs);
  const errors = Object.entries(gradients).map(([name, gradient]) =>
    gradientError(gradient, results[gradientName(name)]!.data),
  );
  expect(Math.max(...errors)).toBeLessThan(2e-6);
  expect(errors).toHaveLength(20);
});

test.each<[string, (g: GraphBuilder, x: Value, weight: Value) => Value, string]>([
  ['silu', (g, x) => silu(g, x), 'QuickGelu'],
  ['gelu', (g, x) => gelu(g, x), 'Gelu'],
  ['geluTanh', (g, x) => geluTanh(g, x), 'FastGelu'],
  ['rmsNorm', (g, x, weight) => rmsNorm(g, x, weight, 1e-5), 'SimplifiedLayerNormalization'],
  [
    'layerNorm',
    (g, x, weight) => layerNorm(g, x, { weight, bias: weight }, 1e-5),
    'LayerNormalization',
  ],
])('%s becomes one kernel of ONNX Runtime', async (_, make, kernel) => {
  const g = new GraphBuilder();
  const y = make(g, g.input('x', 'f32', [2, 8]), g.input('weight', 'f32', [8]));
  g.output('y', g.neg(y));
  expect(await kernelsOf(g.build())).toEqual([kernel, 'Neg']);
});

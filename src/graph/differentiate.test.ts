import { expect, test } from 'vitest';
import { GraphBuilder } from './builder.ts';
import { differentiate, gradientName, pullBack } from './differentiate.ts';
import { goldenDecoder, gradientError } from './golden-decoder.cases.ts';
import type { Graph } from './graph.ts';
import { evaluate } from './reference/evaluate.ts';

const { graph: decoder, inputs, loss, gradients } = goldenDecoder();
const weights = Object.keys(gradients);

test('a 2-layer Llama has the loss and the gradients of PyTorch within 1e-8, its f64 run', () => {
  const results = evaluate(differentiate(decoder, 'loss', weights), inputs);
  expect(Math.abs(results['loss']![0]! / loss - 1)).toBeLessThan(1e-8);
  expect(weights).toHaveLength(20);
  for (const name of weights)
    expect(gradientError(gradients[name]!, results[gradientName(name)]!)).toBeLessThan(1e-8);
});

test('frozen weights cost nothing: below the one that is trained, no node goes back', () => {
  const name = 'model.layers.1.mlp.up_proj.weight';
  const trained = differentiate(decoder, 'loss', [name]);
  const results = evaluate(trained, inputs);
  expect(gradientError(gradients[name]!, results[gradientName(name)]!)).toBeLessThan(1e-8);
  // Backward: by the head, by down_proj, and the weight's own.
  expect(count(trained, 'gemm') - count(decoder, 'gemm')).toBe(3);
  expect(count(trained, 'scatterAdd')).toBe(0);
});

test('a tied embedding sums what comes from the head and from the lookup', () => {
  const name = 'model.embed_tokens.weight';
  const trained = differentiate(decoder, 'loss', [name]);
  expect(count(trained, 'scatterAdd')).toBe(1);
  expect(
    trained.nodes.find(({ outputs }) => outputs[0] === trained.outputs.at(-1)!.value)?.op,
  ).toBe('add');
});

test('two halves pulled back one after the other give the gradient of the whole', () => {
  const whole = new GraphBuilder();
  const hidden = whole.tanh(whole.input('x', 'f32', [3]));
  whole.output('loss', whole.sum(whole.mul(hidden, whole.input('weight', 'f32', [3]))));
  const values = { x: Float64Array.of(0.5, -1, 2), weight: Float64Array.of(1, 2, 3) };
  const expected = evaluate(differentiate(whole.build(), 'loss', ['x', 'weight']), values);

  const lower = new GraphBuilder();
  lower.output('hidden', lower.tanh(lower.input('x', 'f32', [3])));
  const upper = new GraphBuilder();
  const product = upper.mul(upper.input('hidden', 'f32', [3]), upper.input('weight', 'f32', [3]));
  upper.output('loss', upper.sum(product));
  const forward = evaluate(lower.build(), { x: values.x });
  const back = evaluate(pullBack(upper.build(), ['loss'], ['hidden', 'weight']), {
    hidden: forward['hidden']!,
    weight: values.weight,
    'loss.gradient': Float64Array.of(1),
  });
  const { 'x.gradient': dx } = evaluate(pullBack(lower.build(), ['hidden'], ['x']), {
    x: values.x,
    'hidden.gradient': back['hidden.gradient']!,
  });
  expect(back['weight.gradient']).toEqual(expected['weight.gradient']);
  expect(dx).toEqual(expected['x.gradient']);
});

test('what cannot be differentiated is refused by name', () => {
  expect(() => differentiate(decoder, 'lost', weights)).toThrow(
    expect.objectContaining({ code: 'not-found', hint: "Did you mean 'loss'?" }),
  );
  expect(() => differentiate(decoder, 'loss', ['model.norm.weigth'])).toThrow(
    expect.objectContaining({ code: 'not-found', hint: "Did you mean 'model.norm.weight'?" }),
  );
  expect(() => differentiate(decoder, 'logits', weights)).toThrow(
    expect.objectContaining({ code: 'shape', message: expect.stringContaining('[2,6,13]') }),
  );
  expect(() => differentiate(decoder, 'loss', ['ids'])).toThrow(
    expect.objectContaining({ code: 'unsupported' }),
  );
});

function count(graph: Graph, op: string): number {
  return graph.nodes.filter((node) => node.op === op).length;
}

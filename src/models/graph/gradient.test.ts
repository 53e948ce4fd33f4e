import { expect, test } from 'vitest';
import { gradientName, pullBack } from '../../graph/differentiate.ts';
import { evaluate } from '../../graph/reference/evaluate.ts';
import { decoderGraph } from './decoder.ts';
import { golden, goldenModel, ids, weightsFor } from './golden.cases.ts';

const halfStep = 1e-6;
/** Constants of a graph are f32; the worst of all, yarn, differs by 1.4e-8. */
const tolerance = 1e-7;

/** Numbers of −1 to 1, the same every time. */
const spread = (length: number, from: number) =>
  Float64Array.from({ length }, (_, i) => 2 * (((i + 1) * 0.6180339887498949 + from) % 1) - 1);

test.each(golden.decoders)(
  'gradients by all weights agree with a central difference along one direction: $label',
  async (description) => {
    const model = goldenModel(description);
    const sizes = { batch: 1, length: golden.tokens.length, logits: golden.rows.length };
    const graph = decoderGraph(model, sizes);
    const weights = Object.entries(await weightsFor(model, graph)).map(
      ([name, data]) => [name, Float64Array.from(data, Number)] as const,
    );
    const fixed = {
      tokens: Float64Array.from(ids(golden.tokens), Number),
      positions: Float64Array.from(ids(golden.rows), Number),
    };
    const direction = weights.map(([, data], i) => spread(data.length, i * 0.37));
    const cotangent = spread(description.logits.length, 0.5);
    const slopeBy = (step: number) => {
      const moved = weights.map(
        ([name, data], i) => [name, data.map((x, at) => x + step * direction[i]![at]!)] as const,
      );
      const { logits } = evaluate(graph, { ...fixed, ...Object.fromEntries(moved) });
      return dot(logits!, cotangent);
    };
    const slope = (slopeBy(halfStep) - slopeBy(-halfStep)) / (2 * halfStep);

    const names = weights.map(([name]) => name);
    const back = evaluate(pullBack(graph, ['logits'], names), {
      ...fixed,
      ...Object.fromEntries(weights),
      [gradientName('logits')]: cotangent,
    });
    const predicted = names.map((name, i) => dot(back[gradientName(name)]!, direction[i]!));
    const total = predicted.reduce((sum, part) => sum + part, 0);
    expect(Math.abs(total - slope) / (1 + Math.abs(slope))).toBeLessThan(tolerance);
  },
);

function dot(a: Float64Array, b: Float64Array): number {
  return a.reduce((sum, x, i) => sum + x * b[i]!, 0);
}

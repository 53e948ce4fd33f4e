import { array, assert, nat, property, record } from 'fast-check';
import { expect, test } from 'vitest';
import { GraphBuilder } from '../builder.ts';
import { differentiate } from '../differentiate.ts';
import type { Graph } from '../graph.ts';
import { evaluate } from '../reference/evaluate.ts';
import type { Value } from '../value.ts';
import { simplify } from './simplify.ts';

/** Steps that make a value `[2,3]` of two earlier ones and a number. */
const steps: readonly ((g: GraphBuilder, a: Value, b: Value, number: number) => Value)[] = [
  (g, a, b) => g.add(a, b),
  (g, a, b) => g.mul(g.tanh(a), b),
  (g, a, _, number) => g.mul(a, g.scalar(number)),
  (g, a, _, number) => g.add(g.scalar(number), a),
  (g, a, _, number) => g.sub(a, g.sub(g.scalar(number), g.scalar(1))),
  (g, a, _, number) => g.pow(g.exp(g.tanh(a)), g.scalar(number)),
  (g, a, b) => g.add(a, g.expand(g.mean(b, 1, true), [2, 3])),
  (g, a, b) => g.where(g.greater(a, b), g.expand(g.mean(a), [2, 3]), b),
  (g, a) => g.reshape(g.transpose(g.reshape(a, [3, 2]), [1, 0]), [2, 3]),
  (g, a, b) => g.concat([g.slice(a, 0, 0, 1), g.slice(b, 0, 1)], 0),
  (g, a) => g.softmax(g.reshape(a, [2, 3])),
];
const step = record({ kind: nat(), a: nat(), b: nat(), number: nat(2) });
const elements = { x: Float64Array.of(0.5, -1, 2, 0, 0.1, -0.7) };

test('simplify changes no result of random graphs, and none of their gradients', () => {
  assert(
    property(array(step, { minLength: 1, maxLength: 12 }), (list) => {
      const graph = randomGraph(list);
      expect(evaluate(simplify(graph), elements)).toEqual(evaluate(graph, elements));
      const simple = evaluate(differentiate(simplify(graph), 'loss', ['x']), elements);
      const { loss, 'x.gradient': gradient } = evaluate(
        differentiate(graph, 'loss', ['x']),
        elements,
      );
      expect(simple['loss']).toEqual(loss);
      for (const [i, slope] of gradient!.entries())
        expect(Math.abs(simple['x.gradient']![i]! - slope)).toBeLessThan(
          1e-12 * (1 + Math.abs(slope)),
        );
    }),
    { seed: 3, numRuns: 60 },
  );
});

function randomGraph(
  list: readonly { kind: number; a: number; b: number; number: number }[],
): Graph {
  const g = new GraphBuilder();
  const values = [g.input('x', 'f32', [2, 3])];
  for (const { kind, a, b, number } of list) {
    const [left, right] = [a, b].map((at) => values[at % values.length]!);
    values.push(steps[kind % steps.length]!(g, left!, right!, number));
  }
  // All take part, so that the loss depends on x.
  g.output('loss', g.sum(values.reduce((sum, value) => g.add(sum, g.tanh(value)))));
  return g.build();
}

import { describe, expect, test } from 'vitest';
import { GraphBuilder } from '../builder.ts';
import { differentiate, gradientName } from '../differentiate.ts';
import type { Graph } from '../graph.ts';
import { evaluate } from '../reference/evaluate.ts';
import { show, sizeOf } from '../shapes.ts';
import type { Op } from '../signatures.ts';
import type { Value } from '../value.ts';
import { elementsOf, opCases, type OpCase } from './op.cases.ts';
import type { Rows } from './rows.ts';
import { ops } from './table.ts';

/** Half the width of a central difference in doubles: errors of 1e-10 by f''' and 1e-11 by rounding. */
const halfStep = 1e-5;
/** Relative to 1 + |gradient|: constants of a graph are f32, so rules are exact to 6e-8. */
const gradientTolerance = 1e-6;

const names = Object.keys(ops) as Op[];
const differentiable = names.filter((op) => !('none' in ops[op].gradient));
const all = names.flatMap((op) =>
  opCases[op].map((opCase) => [titleOf(op, opCase), op, opCase] as const),
);

test.each(names)('%s has at least two cases, each with a node of it', (op) => {
  expect(opCases[op].length).toBeGreaterThan(1);
  for (const opCase of opCases[op]) {
    const { graph } = graphOf(opCase);
    expect(graph.nodes.map((node) => node.op)).toContain(op);
  }
});

test.each(all)(
  '%s: the shape rule gives the size of what the reference computes',
  (...[, , opCase]) => {
    const { graph, inputs } = graphOf(opCase);
    const results = evaluate(graph, inputs);
    for (const { name, value } of graph.outputs)
      expect(results[name]!.length).toBe(sizeOf(value.shape));
  },
);

describe('gradients agree with central differences within 1e-6', () => {
  test.each(all.filter(([, op]) => differentiable.includes(op)))('%s', (...[, , opCase]) => {
    const { graph, inputs, floats } = weightedLoss(opCase);
    if (floats.length === 0) return;
    const backward = evaluate(differentiate(graph, 'loss', floats), inputs);
    for (const name of floats) {
      const gradient = backward[gradientName(name)]!;
      expect(gradient.length).toBe(inputs[name]!.length);
      for (let i = 0; i < gradient.length; i++) {
        const slope = slopeOf(graph, inputs, name, i);
        const error = Math.abs(gradient[i]! - slope) / (1 + Math.abs(slope));
        expect(error, `${name}[${i}]: ${gradient[i]} for ${slope}`).toBeLessThan(gradientTolerance);
      }
    }
  });
});

test('a table that lacks a row, or a row that lacks its gradient, does not compile', () => {
  const { erf, ...others } = ops;
  // @ts-expect-error -- the row of erf is missing
  const table: Rows<Op> = others;
  // @ts-expect-error -- the gradient is missing
  const row: Rows<'erf'> = { erf: { infer: erf.infer, onnx: erf.onnx } };
  expect(Object.keys(table)).toHaveLength(names.length - 1);
  expect(Object.keys(row.erf)).toEqual(['infer', 'onnx']);
});

test('an operator without a gradient says why, and a loss behind it is refused', () => {
  const none = names.filter((op) => !differentiable.includes(op));
  expect(none).toEqual(['constant', 'equal', 'less', 'greater', 'and', 'not', 'cast', 'argMax']);
  const g = new GraphBuilder();
  const x = g.input('x', 'f32', [3]);
  g.output('loss', g.cast(g.argMax(x, 0), 'f32'));
  expect(() => differentiate(g.build(), 'loss', ['x'])).toThrow("nothing has a gradient by 'x'");
});

function titleOf(op: string, { operands }: OpCase): string {
  return `${op} of ${operands.map(({ type, shape }) => `${type} ${show(shape)}`).join(', ')}`;
}

interface Prepared {
  readonly graph: Graph;
  readonly inputs: Record<string, Float64Array>;
  /** Names of the inputs that have a gradient. */
  readonly floats: string[];
}

function graphOf(
  opCase: OpCase,
  finish?: (g: GraphBuilder, results: readonly Value[]) => void,
): Prepared {
  const g = new GraphBuilder();
  const values = opCase.operands.map(({ type, shape }, i) => g.input(`x${i}`, type, shape));
  const results = [opCase.call(g, ...values)].flat();
  if (finish) finish(g, results);
  else for (const [i, value] of results.entries()) g.output(`y${i}`, value);
  const inputs = Object.fromEntries(
    opCase.operands.map((operand, i) => [`x${i}`, elementsOf(operand, i)]),
  );
  const floats = opCase.operands.flatMap(({ type }, i) => (type === 'f32' ? [`x${i}`] : []));
  return { graph: g.build(), inputs, floats };
}

/** A loss in which every element of every result has a weight of its own. */
function weightedLoss(opCase: OpCase): Prepared {
  return graphOf(opCase, (g, results) => {
    const parts = results
      .filter(({ type }) => type === 'f32')
      .map((value, i) => {
        const weights = elementsOf({ type: 'f32', shape: value.shape, from: Math.fround }, i + 3);
        return g.sum(g.mul(value, g.constant(Float32Array.from(weights), value.shape)));
      });
    if (parts.length > 0)
      g.output(
        'loss',
        parts.reduce((sum, part) => g.add(sum, part)),
      );
  });
}

function slopeOf(
  graph: Graph,
  inputs: Record<string, Float64Array>,
  name: string,
  i: number,
): number {
  const [above, below] = [halfStep, -halfStep].map((step) => {
    const moved = inputs[name]!.with(i, inputs[name]![i]! + step);
    return evaluate(graph, { ...inputs, [name]: moved })['loss']![0]!;
  });
  return (above! - below!) / (2 * halfStep);
}

import golden from '../../test/golden/graph-gradients.json' with { type: 'json' };
import { GraphBuilder } from './builder.ts';
import { buildDecoder, rotaryTables } from './decoder.cases.ts';
import type { Graph } from './graph.ts';

/** A two-layer Llama with what PyTorch gives for it (interop/graph-gradients.py). */
export function goldenDecoder(): {
  readonly graph: Graph;
  readonly inputs: Record<string, Float64Array>;
  readonly loss: number;
  /** By weight. */
  readonly gradients: Record<string, number[]>;
} {
  const { config, unit, ids, targets, mask, loss, weights } = golden;
  const g = new GraphBuilder();
  buildDecoder(g, config, [ids.length, ids[0]!.length]);
  const inputs: Record<string, Float64Array> = { ...rotaryTables(ids[0]!.length, config) };
  for (const [name, rows] of Object.entries({ ids, targets, mask }))
    inputs[name] = Float64Array.from(rows.flat());
  for (const [name, { units }] of Object.entries(weights))
    inputs[name] = Float64Array.from(units, (whole) => whole / unit);
  const gradients = Object.entries(weights).map(([name, { gradient }]) => [name, gradient]);
  return { graph: g.build(), inputs, loss, gradients: Object.fromEntries(gradients) };
}

/** The largest difference of two gradients, over the largest element of the first. */
export function gradientError(expected: readonly number[], actual: Float64Array): number {
  const differences = expected.map((x, i) => Math.abs(x - actual[i]!));
  return Math.max(...differences) / Math.max(...expected.map(Math.abs));
}

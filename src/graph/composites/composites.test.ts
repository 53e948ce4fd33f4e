import { describe, expect, test } from 'vitest';
import { GraphBuilder } from '../builder.ts';
import { evaluate } from '../reference/evaluate.ts';
import { int64 } from '../tensor-data.ts';
import type { Value } from '../value.ts';
import { gelu, geluTanh, relu, silu, softCap } from './activations.ts';
import { crossEntropy, tokenLogProbs } from './loss.ts';
import { layerNorm, rmsNorm } from './normalization.ts';

// Expected values: torch 2.15.0 in float64. Constants of a graph are f32: 6e-8 of the value.
const tolerance = 1e-7;

describe('activations', () => {
  test.each<[string, (g: GraphBuilder, x: Value) => Value, number[]]>([
    ['silu', silu, [-0.1422776195, -0.1887703344, 0, 0.4677314405, 3.92805516]],
    ['gelu', gelu, [-0.004049694095, -0.1542687694, 0, 0.5306254434, 3.999873315]],
    ['geluTanh', geluTanh, [-0.003637392082, -0.1542859902, 0, 0.5305701347, 3.999929754]],
    ['relu', relu, [0, 0, 0, 0.7, 4]],
    [
      'softCap',
      (g, x) => softCap(g, x, 5),
      [-2.685247835, -0.4983399731, 0, 0.6954622394, 3.320183851],
    ],
  ])('%s', (_, activation, expected) => {
    const g = new GraphBuilder();
    g.output('y', activation(g, g.input('x', 'f32', [5])));
    expect(errorOf(run(g, { x: [-3, -0.5, 0, 0.7, 4] }), expected)).toBeLessThan(tolerance);
  });
});

describe('norms over the last axis', () => {
  const weight = Float32Array.of(1, 0.5, 2);
  const bias = Float32Array.of(0, 1, -1);
  test.each<[string, (g: GraphBuilder, x: Value) => Value, number[]]>([
    [
      'rmsNorm',
      (g, x) => rmsNorm(g, x, g.constant(weight), 1e-3),
      [0.4628604604, 0.4628604604, -2.777162762, 0.2148146341, 0, 3.437034145],
    ],
    [
      'rmsNorm without a weight',
      (g, x) => rmsNorm(g, x, undefined, 1e-3),
      [0.4628604604, 0.9257209207, -1.388581381, 0.2148146341, 0, 1.718517073],
    ],
    [
      'layerNorm',
      (g, x) => layerNorm(g, x, { weight: g.constant(weight), bias: g.constant(bias) }, 1e-3),
      [0.4628604604, 1.46286046, -3.777162762, -0.5618627788, 0.5786029159, 1.809313894],
    ],
  ])('%s', (_, norm, expected) => {
    const g = new GraphBuilder();
    g.output('y', norm(g, g.input('x', 'f32', [2, 3])));
    expect(errorOf(run(g, { x: [1, 2, -3, 0.5, 0, 4] }), expected)).toBeLessThan(tolerance);
  });
});

describe('losses', () => {
  const z = [2, 0, -1, 1, 1, 1];

  test('tokenLogProbs: a uniform distribution over 3 gives −log 3', () => {
    const g = new GraphBuilder();
    const { logits, targets } = prepare(g);
    g.output('y', tokenLogProbs(g, logits, targets));
    expect(errorOf(run(g, { z }), [-0.1698460196, -Math.log(3)])).toBeLessThan(tolerance);
  });

  test('crossEntropy is the mean over the unmasked positions only', () => {
    const masked = new GraphBuilder();
    const mask = masked.constant(Float32Array.of(1, 0), [1, 2]);
    masked.output('y', crossEntropy(masked, { ...prepare(masked), mask }));
    expect(errorOf(run(masked, { z }), [0.1698460196])).toBeLessThan(tolerance);
    const whole = new GraphBuilder();
    const all = whole.constant(Float32Array.of(1, 1), [1, 2]);
    whole.output('y', crossEntropy(whole, { ...prepare(whole), mask: all }));
    expect(errorOf(run(whole, { z }), [(0.1698460196 + Math.log(3)) / 2])).toBeLessThan(tolerance);
  });
});

function prepare(g: GraphBuilder) {
  const targets = g.constant(int64([0, 2]), [1, 2]);
  return { logits: g.input('z', 'f32', [1, 2, 3]), targets };
}

function run(g: GraphBuilder, inputs: Record<string, number[]>): Float64Array {
  const doubles = Object.entries(inputs).map(([name, x]) => [name, Float64Array.from(x)] as const);
  return evaluate(g.build(), Object.fromEntries(doubles))['y']!;
}

/** The largest difference, relative to 1 + |expected|; infinite for another length. */
function errorOf(actual: Float64Array, expected: readonly number[]): number {
  if (actual.length !== expected.length) return Infinity;
  return Math.max(...expected.map((x, i) => Math.abs(actual[i]! - x) / (1 + Math.abs(x))));
}

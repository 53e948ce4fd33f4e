import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { divergence } from './divergence.ts';

const logs = (values: readonly number[]) => Float32Array.from(values, Math.log);

/** KL of whole distributions, in nats. */
function exact(p: readonly number[], q: readonly number[]): number {
  return p.reduce((sum, value, at) => sum + (value > 0 ? value * Math.log(value / q[at]!) : 0), 0);
}

function normalized(weights: readonly number[]): number[] {
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight) => weight / sum);
}

describe('divergence', () => {
  test('two tokens by hand: KL of (3/4, 1/4) and (1/2, 1/2) is 3/4·ln 3/2 + 1/4·ln 1/2 = 0.130812', () => {
    const { kl, tail } = divergence({ top: logs([0.75, 0.25]), candidate: logs([0.5, 0.5]) }, true);
    expect(kl).toBeCloseTo(0.130812, 6);
    expect(tail).toBe(0);
  });

  test('a tail of 1/4 that becomes 1/2 counts as one token', () => {
    const { kl, tail } = divergence({ top: logs([0.75]), candidate: logs([0.5]) }, false);
    expect(kl).toBeCloseTo(0.130812, 6);
    expect(tail).toBeCloseTo(0.25, 6);
  });

  test('a distribution against itself is exactly 0', () => {
    const top = logs([0.5, 0.3, 0.1]);
    expect(divergence({ top, candidate: top.slice() }, false)).toMatchObject({ kl: 0, gap: 0 });
  });

  test('with any kept top the result is at most the exact divergence, and equal with all of it', () => {
    const weights = fc.array(fc.double({ min: 0.01, max: 1, noNaN: true }), {
      minLength: 8,
      maxLength: 8,
    });
    fc.assert(
      fc.property(weights, weights, fc.integer({ min: 1, max: 8 }), (a, b, kept) => {
        const p = normalized(a).sort((x, y) => y - x);
        const q = normalized(b);
        const position = { top: logs(p.slice(0, kept)), candidate: logs(q.slice(0, kept)) };
        const { kl } = divergence(position, kept === 8);
        expect(kl).toBeLessThan(exact(p, q) + 1e-6);
        if (kept === 8) expect(kl).toBeCloseTo(exact(p, q), 6);
      }),
    );
  });

  test('when the tail diverges inside as the top does, the gap is what the bound lacks', () => {
    // Both halves are distorted by the factors 1, 2, 3 and keep their masses of 0.8 and 0.2.
    const p = [0.4, 0.2, 0.2, 0.1, 0.05, 0.05];
    const distorted = normalized([2, 2, 3]);
    const q = [...distorted.map((x) => 0.8 * x), ...distorted.map((x) => 0.2 * x)];
    const position = { top: logs(p.slice(0, 3)), candidate: logs(q.slice(0, 3)) };
    const { kl, gap } = divergence(position, false);
    expect(gap).toBeGreaterThan(0.001);
    expect(kl + gap).toBeCloseTo(exact(p, q), 6);
  });
});

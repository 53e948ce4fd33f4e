import { describe, expect, test } from 'vitest';
import { seededRandom, type Random } from '../util/random.ts';
import { bootstrap } from './bootstrap.ts';
import type { Figure } from './figure.ts';
import { clustersOf, groupTokens, type Grouping } from './grouping.ts';
import { clusteredMean, effectiveClusters, mapFigure, type Cluster } from './interval.ts';
import { pairedDifference } from './paired.ts';
import { proportion } from './proportion.ts';
import { clusteredQuantiles } from './quantiles.ts';

/** Documents of uneven length (log-normal, σ 0.7) whose tokens share a random effect of the document. */
interface Documents {
  readonly counts: readonly number[];
  /** Token losses around 0: effect (variance 1/4) + skewed noise (exponential, variance 1). */
  readonly values: Float64Array;
}

/** P(effect + noise > 0) and the 50 and 90 % quantiles of effect + noise, by numerical integration. */
const shareAboveZero = 0.41176;
const tokenQuantiles = [-0.2116, 1.4276] as const;

function drawDocuments(random: Random, count: number): Documents {
  const counts = Array.from({ length: count }, () =>
    Math.max(2, Math.round(12 * Math.exp(0.7 * random.normal()))),
  );
  const values = counts.flatMap((length) => {
    const effect = 0.5 * random.normal();
    return Array.from({ length }, () => effect - Math.log(1 - random.uniform()) - 1);
  });
  return { counts, values: Float64Array.from(values) };
}

function asClusters(
  { counts, values }: Documents,
  f: (value: number) => number = (x) => x,
): Cluster[] {
  return clustersOf(documents(counts), values.map(f));
}

function documents(counts: readonly number[]): Grouping {
  return { unit: 'documents', counts, effective: effectiveClusters(counts) };
}

/** How often, in percent, the interval of a new sample holds the truth. */
function coverage(samples: number, truth: number, interval: (random: Random) => Figure): number {
  const random = seededRandom(42);
  let held = 0;
  for (let sample = 0; sample < samples; sample += 1) {
    const { low, high } = interval(random);
    if (low <= truth && truth <= high) held += 1;
  }
  return (100 * held) / samples;
}

/** The usual mean ± 1.96 σ/√N, as if tokens were independent. */
function independentMean({ values }: Documents): Figure {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  const half = 1.96 * Math.sqrt(variance / values.length);
  return { value: mean, low: mean - half, high: mean + half };
}

/** Clusters of ten values. */
function clusters(sums: readonly number[]): Cluster[] {
  return sums.map((sum) => ({ sum, count: 10 }));
}

/** Clusters of one value, of which `ones` are 1. */
function single(ones: number, of: number): Cluster[] {
  return Array.from({ length: of }, (_, at) => ({ sum: Number(at < ones), count: 1 }));
}

describe('coverage of 95 % intervals on correlated documents of uneven length, by simulation', () => {
  test('the clustered mean of 20 documents holds the truth in 95 ± 2 %; the i.i.d. formula in under 75 %', () => {
    const held = coverage(1000, 0, (random) =>
      clusteredMean(asClusters(drawDocuments(random, 20))),
    );
    expect(Math.abs(held - 95)).toBeLessThanOrEqual(2);
    expect(coverage(200, 0, (random) => independentMean(drawDocuments(random, 20)))).toBeLessThan(
      75,
    );
  });

  test('six documents are enough for 95 ± 2 %', () => {
    const held = coverage(1000, 0, (random) => clusteredMean(asClusters(drawDocuments(random, 6))));
    expect(Math.abs(held - 95)).toBeLessThanOrEqual(2);
  });

  test('a paired difference of −0.05 is held in 95 ± 2 %, by an interval a fifth as wide', () => {
    let paired = 0;
    let apart = 0;
    const held = coverage(1000, -0.05, (random) => {
      const base = drawDocuments(random, 20);
      const gains = base.counts.map(() => -0.05 + 0.05 * random.normal());
      const sums = asClusters(base);
      const candidate = sums.map(({ sum, count }, at) => ({
        sum: sum + count * gains[at]!,
        count,
      }));
      const difference = pairedDifference(candidate, sums);
      const single = clusteredMean(sums);
      paired += difference.high - difference.low;
      apart += single.high - single.low;
      return difference;
    });
    expect(Math.abs(held - 95)).toBeLessThanOrEqual(2);
    expect(paired).toBeLessThan(apart / 4);
  });

  test('a share of 41 % of the tokens is held in 95 ± 2 %', () => {
    const held = coverage(1500, shareAboveZero, (random) =>
      proportion(asClusters(drawDocuments(random, 20), (value) => Number(value > 0))),
    );
    expect(Math.abs(held - 95)).toBeLessThanOrEqual(2);
  });

  test('the median and the 90 % quantile of 12 documents are held in 95 ± 2 %', () => {
    for (const [at, truth] of [
      [0.5, tokenQuantiles[0]],
      [0.9, tokenQuantiles[1]],
    ] as const) {
      const held = coverage(1000, truth, (random) => {
        const { counts, values } = drawDocuments(random, 12);
        return clusteredQuantiles(values, documents(counts), [at])[0]!;
      });
      expect(Math.abs(held - 95)).toBeLessThanOrEqual(2);
    }
  });
});

describe('clusteredMean', () => {
  test('documents of one length: standard error √(D/(D − 1)·Σe²)/N and t of D − 1 degrees, by hand', () => {
    // Sums 1, 2, 6 over two tokens each: mean 1.5, e = −2, −1, 3; SE = √(3/2·14)/6; t₂ = 4.302653.
    const { value, low, high } = clusteredMean([1, 2, 6].map((sum) => ({ sum, count: 2 })));
    const half = (4.30265273 * Math.sqrt(21)) / 6;
    expect(value).toBe(1.5);
    expect(low).toBeCloseTo(1.5 - half, 7);
    expect(high).toBeCloseTo(1.5 + half, 7);
  });

  test('one document says nothing about others: the interval is infinite, null in JSON', () => {
    const figure = clusteredMean([{ sum: 6, count: 3 }]);
    expect(figure).toEqual({ value: 2, low: -Infinity, high: Infinity });
    expect(JSON.stringify(mapFigure(figure, Math.exp))).toContain('"low":0,"high":null');
  });

  test('documents without any difference have an interval of no width', () => {
    const figure = clusteredMean([3, 5, 9].map((count) => ({ sum: 2 * count, count })));
    expect(figure).toEqual({ value: 2, low: 2, high: 2 });
  });

  test('ten documents of 9, 1, 1 … tokens say as much as 18²/90 = 3.6 equal ones', () => {
    expect(effectiveClusters([9, 1, 1, 1, 1, 1, 1, 1, 1, 1])).toBeCloseTo(3.6, 12);
  });
});

describe('groupTokens', () => {
  test('documents that count for two or more are the units; empty ones are none', () => {
    expect(groupTokens([4, 0, 4])).toEqual({ unit: 'documents', counts: [4, 4], effective: 2 });
  });

  test('one document, or one that outweighs all others, is cut into 20 blocks', () => {
    expect(groupTokens([45]).counts).toEqual([
      2, 2, 2, 3, 2, 2, 2, 3, 2, 2, 2, 3, 2, 2, 2, 3, 2, 2, 2, 3,
    ]);
    expect(groupTokens([1000, 1]).unit).toBe('blocks');
    expect(groupTokens([3]).counts).toEqual([1, 1, 1]);
  });

  test('sums go to their groups, and a ratio has its own denominators', () => {
    const grouping = groupTokens([2, 3]);
    expect(grouping.unit).toBe('blocks');
    expect(clustersOf(documents([2, 3]), [1, 2, 3, 4, 5], [1, 1, 2, 2, 2])).toEqual([
      { sum: 3, count: 2 },
      { sum: 12, count: 6 },
    ]);
  });
});

describe('pairedDifference', () => {
  test('a model against itself differs by 0 [0, 0], which is not distinguishable', () => {
    const own = clusters([10, 20, 40]);
    expect(pairedDifference(own, own)).toEqual({
      value: 0,
      low: 0,
      high: 0,
      distinguishable: false,
    });
  });

  test('a small difference that every document shows is distinguishable though documents differ far more', () => {
    const difference = pairedDifference(clusters([11, 21.1, 40.9]), clusters([10, 20, 40]));
    expect(difference.value).toBeCloseTo(0.1, 12);
    expect(difference.distinguishable).toBe(true);
  });

  test('a difference of 1e-6, as float32 makes of nothing, is not distinguishable', () => {
    const difference = pairedDifference(clusters([10.00001, 20.00001]), clusters([10, 20]));
    expect(difference.low).toBeGreaterThan(0);
    expect(difference.distinguishable).toBe(false);
  });

  test('other tokens are refused with the document that differs', () => {
    const other = [
      { sum: 1, count: 10 },
      { sum: 1, count: 9 },
    ];
    expect(() => pairedDifference(other, clusters([1, 1]))).toThrow(
      /Document 2 has 9 and 10 values/,
    );
    expect(() => pairedDifference(other, clusters([1]))).toThrow(/2 and 1 documents/);
  });
});

describe('proportion', () => {
  test("independent answers have Wilson's interval: 80 of 1000 are 8 % [6.5, 9.9]", () => {
    // Wilson with t of 999 degrees of freedom, 1.96234, by hand.
    const { value, low, high } = proportion(single(80, 1000));
    expect(value).toBe(0.08);
    expect(low).toBeCloseTo(0.0647, 4);
    expect(high).toBeCloseTo(0.09853, 4);
  });

  test('all of a hundred is no certainty: 1 [0.962, 1]', () => {
    const { low, high } = proportion(single(100, 100));
    expect(low).toBeCloseTo(100 / (100 + 1.98422 ** 2), 5);
    expect(high).toBe(1);
  });

  test('tokens of a document that agree with each other count less: the interval is wider', () => {
    const scattered = proportion(Array.from({ length: 40 }, () => ({ sum: 5, count: 10 })));
    const lumped = proportion(
      Array.from({ length: 40 }, (_, at) => ({ sum: 10 * (at % 2), count: 10 })),
    );
    expect(lumped.high - lumped.low).toBeGreaterThan(3 * (scattered.high - scattered.low));
  });

  test('one document: anything from 0 to 1', () => {
    expect(proportion([{ sum: 3, count: 4 }])).toEqual({ value: 0.75, low: 0, high: 1 });
  });
});

describe('bootstrap', () => {
  test('the mean of ten numbers has nearly the interval of the t formula', () => {
    const numbers = [3, 5, 2, 8, 6, 4, 7, 5, 1, 9];
    const mean = (weights: Uint32Array) => [
      numbers.reduce((sum, value, at) => sum + value * weights[at]!, 0) / 10,
    ];
    const [figure] = bootstrap(
      numbers.map(() => 1),
      mean,
      { resamples: 20_000 },
    );
    const exact = clusteredMean(numbers.map((sum) => ({ sum, count: 1 })));
    expect(figure!.value).toBe(5);
    expect(Math.abs(figure!.low - exact.low)).toBeLessThan(0.15);
    expect(Math.abs(figure!.high - exact.high)).toBeLessThan(0.15);
  });

  test('the same seed gives the same interval, another seed another', () => {
    const sums = asClusters(drawDocuments(seededRandom(5), 12));
    const mean = (weights: Uint32Array) => [
      sums.reduce((sum, cluster, at) => sum + cluster.sum * weights[at]!, 0),
    ];
    const of = (seed: number) =>
      bootstrap(
        sums.map(({ count }) => count),
        mean,
        { seed },
      );
    expect(of(1)).toEqual(of(1));
    expect(of(1)).not.toEqual(of(2));
  });
});

describe('clusteredQuantiles', () => {
  test('the 50, 90 and 100 % quantiles of 1 … 10 are 5, 9 and 10', () => {
    const values = Float64Array.from([10, 1, 9, 2, 8, 3, 7, 4, 6, 5]);
    const figures = clusteredQuantiles(values, documents([5, 5]), [0.5, 0.9, 1]);
    expect(figures.map(({ value }) => value)).toEqual([5, 9, 10]);
  });

  test('the median of 1 … 100, each alone, lies from 40 to 60: Wilson gives 0.4025 to 0.5975', () => {
    const values = Float64Array.from({ length: 100 }, (_, at) => at + 1);
    const alone = documents(Array.from(values, () => 1));
    // Half a share each side: 1.98422 · √(0.25/100 + 1.98422²/40000) / (1 + 1.98422²/100) = 0.0973.
    expect(clusteredQuantiles(values, alone, [0.5])).toEqual([{ value: 50, low: 41, high: 60 }]);
  });

  test('values that are all equal leave no doubt', () => {
    const figures = clusteredQuantiles(new Float64Array(1000), documents([400, 600]), [0.5, 0.99]);
    expect(figures).toEqual(figures.map(() => ({ value: 0, low: 0, high: 0 })));
  });

  test('the 99.9 % quantile of a hundred values has no upper bound', () => {
    const values = Float64Array.from({ length: 100 }, (_, at) => at + 1);
    const [figure] = clusteredQuantiles(values, documents(Array.from(values, () => 1)), [0.999]);
    expect(figure).toEqual({ value: 100, low: 97, high: Infinity });
  });
});

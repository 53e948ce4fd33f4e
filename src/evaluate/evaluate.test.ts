import { describe, expect, test } from 'vitest';
import { seededRandom } from '../util/random.ts';
import { fakeScorer, uniform } from './fake-scorer.cases.ts';
import { baseFormat, joinScores, scoresFormat } from './records.ts';
import { keptTop, scoreBase, scoreCandidate } from './score-windows.ts';
import type { TokenScorer } from './scorer.ts';
import { summarizeComparison, summarizeLikelihood } from './summary.ts';
import type { BaseScores, TokenScores } from './token-scores.ts';
import { cutWindows, type Windows } from './windows.ts';

/** Documents of bits, a token each. */
function bits(...texts: readonly string[]): Windows {
  const tokenizer = {
    encode: (text: string) => Array.from(text, Number),
    decode: (tokens: readonly number[]) => tokens.join(''),
    bos: undefined,
  };
  const documents = texts.map((text, at) => ({ name: `d${at + 1}`, text }));
  return cutWindows(documents, tokenizer, { context: 4, stride: 2 });
}

async function collect<T>(scores: AsyncGenerator<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const score of scores) all.push(score);
  return all;
}

async function compare(base: TokenScorer, candidate: TokenScorer, text: Windows) {
  const kept = await collect(scoreBase(base, text, keptTop(base.vocabulary)));
  const scored = await collect(scoreCandidate(candidate, text, async (at) => kept[at]!));
  const scores = joinScores(scored);
  if (!scores.against) throw new Error('no comparison');
  return summarizeComparison({ ...scores, against: scores.against }, text.documents, 2);
}

function column(value: number): Float32Array {
  return Float32Array.from([value, value + 0.5]);
}

const zeros = fakeScorer(2, () => [0.75, 0.25]);

describe('likelihood', () => {
  test.each([2, 10, 256, 1000])(
    'a uniform model over %i tokens has that perplexity, without doubt',
    async (size) => {
      const text = bits('0110100', '11010', '100110101');
      const scores = joinScores(await collect(scoreCandidate(uniform(size), text, undefined)));
      const { perplexity } = summarizeLikelihood(scores.logProbs, text.documents);
      for (const value of Object.values(perplexity)) expect(value / size).toBeCloseTo(1, 6);
    },
  );

  test('one bit a token of one byte is 1 bit per byte', async () => {
    const text = bits('0110', '1001');
    const scores = joinScores(await collect(scoreCandidate(uniform(2), text, undefined)));
    expect(summarizeLikelihood(scores.logProbs, text.documents).bitsPerByte.value).toBeCloseTo(
      1,
      6,
    );
  });

  test('two tokens by hand: 3/4 for 0 and 1/4 for 1 on 0 0 1 0 is exp of (3·ln 4/3 + ln 4)/4', async () => {
    const text = bits('0001', '00');
    const scores = joinScores(await collect(scoreCandidate(zeros, text, undefined)));
    const { perplexity } = summarizeLikelihood(scores.logProbs, text.documents);
    expect(perplexity.value).toBeCloseTo(Math.exp((3 * Math.log(4 / 3) + Math.log(4)) / 4), 6);
  });
});

describe('comparison', () => {
  const text = bits('0010', '0100', '1000', '0001');

  test('a model against itself: KL 0, ratio 1, agreement 1, nothing distinguishable', async () => {
    const own = await compare(zeros, zeros, text);
    expect(own.klDivergence.mean).toEqual({ value: 0, low: 0, high: 0 });
    expect(own.klDivergence.max).toBe(0);
    expect(own.perplexityRatio).toEqual({ value: 1, low: 1, high: 1, distinguishable: false });
    expect(own.topTokenAgreement.value).toBe(1);
    expect(own.deltaP.rms.value).toBe(0);
  });

  test('(3/4, 1/4) against (1/2, 1/2) by hand: KL 0.130812 everywhere, Δp −1/4 or +1/4', async () => {
    const { klDivergence, deltaP, topTokenAgreement, tail } = await compare(
      zeros,
      uniform(2),
      text,
    );
    expect(klDivergence.mean.value).toBeCloseTo(0.130812, 6);
    expect(klDivergence.p999.value).toBeCloseTo(0.130812, 6);
    expect(klDivergence.max).toBeCloseTo(0.130812, 6);
    expect(deltaP.rms.value).toBeCloseTo(0.25, 6);
    // 9 of the 12 scored tokens are 0 and lose 1/4, 3 gain it.
    expect(deltaP.mean.value).toBeCloseTo((9 * -0.25 + 3 * 0.25) / 12, 6);
    expect(topTokenAgreement.value).toBe(1);
    expect(tail.meanProbability).toBe(0);
  });

  test('the ratio of perplexities is the quotient of both, its interval is the paired one', async () => {
    const { base, perplexityRatio } = await compare(zeros, uniform(2), text);
    expect(perplexityRatio.value).toBeCloseTo(2 / base.perplexity.value, 6);
  });

  test('a top of 256 of 1000 tokens is a lower bound whose tail is shown', async () => {
    const random = seededRandom(3);
    const distribution = () => {
      const weights = Array.from({ length: 1000 }, () => Math.exp(2 * random.normal()));
      const sum = weights.reduce((total, weight) => total + weight, 0);
      return weights.map((weight) => weight / sum);
    };
    const p = distribution();
    const noisy = p.map((value) => value * Math.exp(0.3 * random.normal()));
    const total = noisy.reduce((sum, value) => sum + value, 0);
    const q = noisy.map((value) => value / total);
    const whole = p.reduce((sum, value, at) => sum + value * Math.log(value / q[at]!), 0);
    const found = await compare(
      fakeScorer(1000, () => p),
      fakeScorer(1000, () => q),
      text,
    );
    const { mean } = found.klDivergence;
    expect(found.tail.meanProbability).toBeGreaterThan(0.05);
    expect(mean.value).toBeLessThan(whole);
    expect(Math.abs(mean.value + found.tail.estimatedGap - whole)).toBeLessThan(0.1 * whole);
  });
});

describe('records', () => {
  const base: BaseScores = {
    logProbs: Float32Array.from([-0.5, -2]),
    top: { ids: Int32Array.from([7, 65535, 0]), logProbs: Float32Array.from([-0.1, -3, -4]) },
  };

  test.each([65536, 65537])('a base record with ids below %i comes back', (vocabulary) => {
    const format = baseFormat(3, vocabulary);
    const scores = { ...base, logProbs: base.logProbs.subarray(0, 1) };
    const bytes = format.write(scores);
    expect(bytes.length).toBe(format.bytes(1));
    expect(bytes.length).toBe(vocabulary === 65536 ? 24 : 28);
    expect(format.read(bytes, 1)).toEqual(scores);
  });

  test('scores come back with and without a base', () => {
    const against = {
      baseLogProbs: column(1),
      kl: column(2),
      agrees: column(3),
      tail: column(4),
      gap: column(5),
    };
    for (const scores of [
      { logProbs: column(0) },
      { logProbs: column(0), against },
    ] as TokenScores[]) {
      const format = scoresFormat('against' in scores);
      const bytes = format.write(scores);
      expect(bytes.length).toBe(format.bytes(2));
      expect(format.read(bytes, 2)).toEqual(scores);
    }
  });
});

describe('bad engines', () => {
  test('a probability of 0 or NaN is refused, naming the document', async () => {
    const broken = fakeScorer(2, (before) => (before.length > 2 ? [NaN, NaN] : [0.5, 0.5]));
    const scores = collect(scoreCandidate(broken, bits('00', '0000'), undefined));
    await expect(scores).rejects.toThrow("The model's log-probability of token 3 of d2 is NaN.");
  });

  test('a run that continues at any window has the groups, and the scores, of a whole one', async () => {
    const text = bits('0010110', '01001', '100011');
    const groups: number[] = [];
    let waiting = 0;
    const base = fakeScorer(2, () => [0.5, 0.5]);
    const scorer: TokenScorer = {
      ...base,
      windowsAtOnce: 3,
      async score(window, options) {
        waiting += 1;
        if (waiting === 1) queueMicrotask(() => groups.push(waiting));
        const scores = await base.score(window, options);
        waiting = 0;
        return scores;
      },
    };
    const whole = await collect(scoreCandidate(scorer, text, undefined));
    const sizes = groups.splice(0);
    for (let from = 0; from < text.windows.length; from += 1) {
      const rest = await collect(scoreCandidate(scorer, text, undefined, { from }));
      expect(rest).toEqual(whole.slice(from));
      expect(groups.splice(0)).toEqual(sizes.slice(Math.floor(from / 3)));
    }
  });

  test('an aborted evaluation stops', async () => {
    const scores = scoreBase(zeros, bits('0000'), 2, { signal: AbortSignal.abort() });
    await expect(collect(scores)).rejects.toThrow(/abort/);
  });
});

import { expect, test } from 'vitest';
import { fromTasks } from './from-tasks.ts';

const figure = (value: number) => ({ value, low: value - 0.1, high: value + 0.1 });
const unbounded = { value: 0.8, low: -Infinity, high: Infinity };

test('every metric is told of candidate and base; an interval without ends is left out', () => {
  const metric = {
    score: figure(0.5),
    chance: 0.25,
    base: figure(0.6),
    difference: { ...figure(-0.1), distinguishable: false },
    retention: unbounded,
  };
  const { candidate, base } = fromTasks({
    arc: { ...metric, rows: 9, notes: [], metrics: { 'acc,none': metric } },
  });
  expect(candidate).toEqual({
    tasks: [
      {
        name: 'arc',
        metric: 'acc,none',
        rows: 9,
        score: figure(0.5),
        chance: 0.25,
        difference: figure(-0.1),
      },
    ],
  });
  expect(base).toEqual({
    tasks: [{ name: 'arc', metric: 'acc,none', rows: 9, score: figure(0.6), chance: 0.25 }],
  });
});

test('a task of stereotypes is bias, too', () => {
  const metric = { score: figure(0.7), base: figure(0.6) };
  const metrics = { 'likelihood_diff,none': metric, 'pct_stereotype,none': metric };
  const { candidate, base } = fromTasks({ crows: { ...metric, rows: 9, notes: [], metrics } });
  expect(candidate.tasks).toHaveLength(2);
  expect(candidate.bias).toEqual({ name: 'crows', pairs: 9, stereotypeShare: figure(0.7) });
  expect(base.bias).toEqual({ name: 'crows', pairs: 9, stereotypeShare: figure(0.6) });
});

import { expect, test } from 'vitest';
import { fastestThreads } from './thread-search.ts';

function machine(msPerStep: (threads: number, call: number) => number, weightBytes = 1e9) {
  let time = 0;
  const tried: number[] = [];
  const step = (threads: number) => {
    time += msPerStep(threads, tried.length);
    tried.push(threads);
    return Promise.resolve();
  };
  return {
    tried,
    search: (most: number) => fastestThreads({ most, weightBytes }, step, () => time),
  };
}

test('a small model on 2 cores that decodes 4 times faster on one takes one', async () => {
  expect(await machine((threads) => (threads === 1 ? 1 : 4)).search(2)).toBe(1);
});

test('a model that gains from every core keeps all of them', async () => {
  const { search, tried } = machine((threads) => 160 / threads);
  expect(await search(8)).toBe(8);
  expect(new Set(tried)).toEqual(new Set([8, 4]));
});

test('a model that memory saturates at 4 of 16 threads finds 4', async () => {
  expect(await machine((threads) => 40 / Math.min(threads, 4) + threads / 4).search(16)).toBe(4);
});

test('steps of 50 ms of a model of 1 GB are not searched: four steps and all cores', async () => {
  const { search, tried } = machine(() => 200);
  expect(await search(8)).toBe(8);
  expect(tried).toEqual([8, 8, 8, 8]);
});

test('a model of 15 MB that needs 200 ms a step on both busy cores takes one', async () => {
  const { search } = machine((threads) => (threads === 1 ? 2 : 200), 15e6);
  expect(await search(2)).toBe(1);
});

test('one stall of 800 ms does not change the choice', async () => {
  const { search } = machine((threads, call) => (call === 20 ? 800 : threads === 1 ? 1 : 4));
  expect(await search(2)).toBe(1);
});

test('rare stalls that only two threads have count against them', async () => {
  const { search } = machine((threads, call) => (threads === 1 ? 1 : call % 10 === 9 ? 30 : 0.8));
  expect(await search(2)).toBe(1);
});

test('8 threads that gain 5 % over 4 are not worth it', async () => {
  expect(await machine((threads) => [9, 9, 9, 7, 4.2, 4.2, 4.2, 4.2, 4][threads]!).search(8)).toBe(
    4,
  );
});

test('a single core has nothing to search', async () => {
  expect(await machine(() => 5).search(1)).toBe(1);
});

import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { inOrder } from './in-order.ts';

async function collect<T>(results: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const result of results) all.push(result);
  return all;
}

test('results keep the order of the items though later ones finish first', async () => {
  const results = inOrder([30, 20, 10, 0], 4, async (delay) => {
    await sleep(delay);
    return delay;
  });
  expect(await collect(results)).toEqual([30, 20, 10, 0]);
});

test('never more than the window of 3 runs at once', async () => {
  let running = 0;
  let most = 0;
  const work = async () => {
    most = Math.max(most, ++running);
    await sleep(2);
    running--;
  };
  await collect(inOrder(Array.from({ length: 12 }), 3, work));
  expect(most).toBe(3);
});

test('an error surfaces at its place, after the work already started has ended', async () => {
  let ended = 0;
  const results = inOrder([0, 1, 2], 3, async (item) => {
    await sleep(item * 5);
    ended++;
    if (item === 1) throw new Error('item 1');
    return item;
  });
  await expect(collect(results)).rejects.toThrow('item 1');
  expect(ended).toBe(3);
});

test('an item that fails before its turn comes is no unhandled rejection', async () => {
  const unhandled: unknown[] = [];
  const note = (reason: unknown) => unhandled.push(reason);
  process.on('unhandledRejection', note);
  const results = inOrder([0, 1], 2, async (item) => {
    if (item === 1) throw new Error('item 1');
    await sleep(20);
    return item;
  });
  await expect(collect(results)).rejects.toThrow('item 1');
  process.off('unhandledRejection', note);
  expect(unhandled).toEqual([]);
});

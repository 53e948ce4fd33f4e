import { expect, test } from 'vitest';
import { orCancelled } from './or-cancelled.ts';

const cancelled = () => new Error('cancelled');

test('work that ends first gives its result, and a signal that comes later changes nothing', async () => {
  const controller = new AbortController();
  let calls = 0;
  const cancel = () => new Error(`cancelled ${++calls}`);
  expect(await orCancelled(Promise.resolve(7), controller.signal, cancel)).toBe(7);
  controller.abort();
  expect(calls).toBe(0);
});

test('a signal that comes first rejects at once, and a later failure of the work is not unhandled', async () => {
  const controller = new AbortController();
  const work = new Promise<never>((_resolve, reject) => {
    setTimeout(() => reject(new Error('too late')), 5);
  });
  const result = orCancelled(work, controller.signal, cancelled);
  controller.abort();
  await expect(result).rejects.toThrow('cancelled');
  await expect(work).rejects.toThrow('too late');
});

test('a signal that was aborted before rejects', async () => {
  const work = Promise.resolve(7);
  await expect(orCancelled(work, AbortSignal.abort(), cancelled)).rejects.toThrow('cancelled');
});

import { expect, test } from 'vitest';
import { OpenThings } from './closing.ts';

test('all things are closed, the last first, also when one fails; its failure is thrown', async () => {
  const closed: string[] = [];
  const opened = new OpenThings();
  const add = (name: string, failure?: Error) =>
    opened.add({
      close: async () => {
        closed.push(name);
        if (failure) throw failure;
      },
    });
  add('model');
  add('engine', new Error('the engine died'));
  add('weights', new Error('the weights are gone'));
  await expect(opened.close()).rejects.toThrow('the weights are gone');
  expect(closed).toEqual(['weights', 'engine', 'model']);
  await opened.close();
  expect(closed).toHaveLength(3);
});

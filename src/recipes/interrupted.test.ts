import { expect, test } from 'vitest';
import { keptScores, orStopped } from './interrupted.ts';

test('what is kept is asked when work stops; without anything, the same command begins again', async () => {
  let windows = 0;
  const left = () => ({ what: `${windows} windows are kept`, continues: windows > 0 });
  const stopAfter = (count: number) =>
    orStopped(AbortSignal.abort(), left, () => {
      windows = count;
      return Promise.reject(new Error('aborted'));
    });
  await expect(stopAfter(3)).rejects.toMatchObject({
    code: 'cancelled',
    message: 'Stopped; 3 windows are kept.',
    hint: 'Give the same command again to continue.',
  });
  await expect(stopAfter(0)).rejects.toMatchObject({ hint: 'Give the same command again.' });
});

test('what fails, but was not stopped, fails as it does', async () => {
  const broken = new Error('broken');
  for (const signal of [undefined, new AbortController().signal])
    await expect(orStopped(signal, keptScores, () => Promise.reject(broken))).rejects.toBe(broken);
});

import { appendFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { Steps } from './steps.ts';

const folder = mkdtempSync(join(tmpdir(), 'pith-steps-'));
afterAll(() => rmSync(folder, { recursive: true }));

const never = () => Promise.reject(new Error('a finished step was done again'));

test('a finished step gives what it gave, infinite numbers too; one that only began is done', async () => {
  const path = join(folder, 'kept');
  const first = await Steps.open(path, 'key');
  await first.run('one', async () => ({ low: -Infinity, list: [1, Number.NaN] }));
  await expect(first.run('two', () => Promise.reject(new Error('stopped')))).rejects.toThrow(
    'stopped',
  );
  await first.close();
  // What a kill −9 leaves of a line.
  appendFileSync(path, '{"name":"two","sec');
  const again = await Steps.open(path, 'key');
  expect(again.kept).toBe(1);
  expect(await again.run('one', never)).toEqual({ low: -Infinity, list: [1, Number.NaN] });
  expect([again.isDone('two'), again.isBegun('two'), again.isBegun('three')]).toEqual([
    false,
    true,
    false,
  ]);
  expect(await again.run('two', async () => 2)).toBe(2);
  await again.close();
  const third = await Steps.open(path, 'key');
  expect(await third.run('two', never)).toBe(2);
  await third.finish();
  expect(existsSync(path)).toBe(false);
});

test('steps of another job are thrown away', async () => {
  const path = join(folder, 'other');
  const first = await Steps.open(path, 'key');
  await first.run('one', async () => 1);
  await first.close();
  const other = await Steps.open(path, 'other key');
  expect([other.kept, other.isBegun('one')]).toEqual([0, false]);
  expect(await other.run('one', async () => 2)).toBe(2);
  await other.close();
});

test('the list has planned steps in order, done or not, and others that were done', async () => {
  const steps = await Steps.open(join(folder, 'list'), 'key');
  steps.plan(['one', 'two']);
  await steps.run('try', async () => undefined);
  await steps.run('one', async () => undefined);
  const list = steps.list.map(({ name, done, seconds }) => [name, done, seconds < 5]);
  expect(list).toEqual([
    ['one', true, true],
    ['two', false, true],
    ['try', true, true],
  ]);
  await steps.close();
});

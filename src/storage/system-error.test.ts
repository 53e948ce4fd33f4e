import { expect, test } from 'vitest';
import { PithError } from '../util/errors.ts';
import { systemError } from './system-error.ts';

const failure = (code: string) => Object.assign(new Error(`${code}: failed`), { code });

test.each([
  ['ENOENT', 'not-found'],
  ['EACCES', 'no-permission'],
  ['EROFS', 'no-permission'],
  ['ENOSPC', 'no-space'],
  ['EISDIR', 'io'],
  ['EIO', 'io'],
])('%s becomes %s and names the path', (code, expected) => {
  const error = systemError(failure(code), 'write', '/x/model.gguf', '12 of 40 bytes');
  expect(error.code).toBe(expected);
  expect(error.message).toMatch(/^Cannot write \/x\/model.gguf: .*\(12 of 40 bytes\)\.$/);
});

test('a PithError passes through unchanged', () => {
  const error = new PithError('truncated', 'short');
  expect(systemError(error, 'read', 'x')).toBe(error);
});

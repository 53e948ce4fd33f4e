import { expect, test } from 'vitest';
import { PithError } from '../../util/errors.ts';
import { describeError, errorReport, exitCodeOf, normalizeError } from './report-error.ts';

const full = new PithError('no-space', 'The disk is full.', 'Free some space.');

test('an error says what happened, its code and the next step', () => {
  expect(describeError(full, false)).toBe('pith: The disk is full. [no-space]\n  Free some space.');
  expect(errorReport(full)).toEqual({
    error: { code: 'no-space', message: 'The disk is full.', hint: 'Free some space.' },
  });
});

test('exit codes: 1 failed, 2 wrong command line, 130 stopped', () => {
  const codes = [full, new PithError('usage', ''), new PithError('cancelled', ''), new Error('x')];
  expect(codes.map(exitCodeOf)).toEqual([1, 2, 130, 1]);
});

test('an aborted signal becomes the cancelled code', () => {
  const abort = new AbortController();
  abort.abort();
  expect(normalizeError(abort.signal.reason)).toMatchObject({ code: 'cancelled' });
  expect(normalizeError(full)).toBe(full);
});

test('an unexpected error is called a bug; its stack and causes show only in debug mode', () => {
  const bug = new TypeError('x is undefined', { cause: new Error('below') });
  expect(errorReport(bug).error).toMatchObject({ code: 'internal', message: 'x is undefined' });
  expect(describeError(bug, false)).not.toContain('TypeError');
  expect(describeError(bug, true)).toMatch(/TypeError: x is undefined[^]*caused by Error: below/);
});

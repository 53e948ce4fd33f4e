import { describe, expect, test } from 'vitest';
import type { ProgressEvent } from '../../util/progress.ts';
import { ProgressBar } from './progress-bar.ts';

const MB = 1_000_000;
const event = (done: number, label = 'blk.0', total = 100 * MB): ProgressEvent => ({
  label,
  done,
  total,
  unit: 'bytes',
});

function setup(isTTY: boolean, columns = 100) {
  const written: string[] = [];
  let time = 0;
  const stream = { isTTY, columns, write: (text: string) => written.push(text) };
  const bar = new ProgressBar(stream, () => time);
  const at = (seconds: number, progress: ProgressEvent) => {
    time = seconds * 1000;
    bar.update(progress);
  };
  return { bar, at, written };
}

describe('on a terminal', () => {
  test('25 MB in 2 s of 100 MB: 12.5 MB/s and 6 s left', () => {
    const { at, written } = setup(true);
    at(0, event(0));
    at(2, event(25 * MB, 'blk.3.ffn_up'));
    expect(written.at(-1)).toBe(
      `\r\u001b[K${'━'.repeat(6)}${'─'.repeat(18)}  25 %  12.5 MB/s  6 s left  blk.3.ffn_up`,
    );
  });

  test('a resumed job that starts at 90 MB is timed by what it did itself', () => {
    const { at, written } = setup(true);
    at(0, event(90 * MB));
    at(1, event(91 * MB));
    expect(written.at(-1)).toContain('1.00 MB/s  9 s left');
  });

  test('redraws at most every 80 ms', () => {
    const { at, written } = setup(true);
    for (let ms = 0; ms < 800; ms++) at(ms / 1000, event(ms));
    expect(written).toHaveLength(10);
  });

  test('a line never exceeds the window, so that it never wraps', () => {
    const { at, written } = setup(true, 40);
    at(0, event(0));
    at(1, event(MB, 'a.very.long.tensor.name.日本語.weight'));
    expect(written.at(-1)!.replace('\r\u001b[K', '')).toHaveLength(39);
    expect(written.at(-1)).toMatch(/…$/);
  });

  test('clear wipes a visible bar once and nothing otherwise', () => {
    const { bar, at, written } = setup(true);
    bar.clear();
    expect(written).toEqual([]);
    at(0, event(0));
    bar.clear();
    bar.clear();
    expect(written.slice(1)).toEqual(['\r\u001b[K']);
  });

  test('another total starts a new bar without the old speed', () => {
    const { at, written } = setup(true);
    at(0, event(0));
    at(5, event(100 * MB));
    at(6, event(0, 'verify', 10 * MB));
    expect(written.at(-1)).toBe(`\r\u001b[K${'─'.repeat(24)}   0 %  verify`);
  });
});

describe('elsewhere', () => {
  test('writes a plain line every ten seconds, without control codes', () => {
    const { at, written } = setup(false);
    for (let second = 0; second <= 25; second++) at(second, event(second * MB));
    expect(written).toEqual([
      ' 10 %, 1.00 MB/s, 1 min 30 s left, blk.0\n',
      ' 20 %, 1.00 MB/s, 1 min 20 s left, blk.0\n',
    ]);
  });

  test('a job shorter than ten seconds writes nothing', () => {
    const { at, written } = setup(false);
    for (let second = 0; second <= 9; second++) at(second, event(second * MB));
    expect(written).toEqual([]);
  });
});

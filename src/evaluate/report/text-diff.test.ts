import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { alignTokens } from './text-diff.ts';

const words = (text: string) => text.split(/(?= )/);

test('one word replaced and one added by hand: two marks, the first at position 2', () => {
  const { before, after, changed, firstDifference } = alignTokens(
    words('the cat sat on a mat'),
    words('the cat lay on a soft mat'),
  );
  expect(before).toEqual([
    { text: 'the cat', differs: false },
    { text: ' sat', differs: true },
    { text: ' on a mat', differs: false },
  ]);
  expect(after.filter(({ differs }) => differs).map(({ text }) => text)).toEqual([' lay', ' soft']);
  expect([changed, firstDifference]).toEqual([2, 2]);
});

test('equal texts have no difference; a longer one differs where the shorter ends', () => {
  expect(alignTokens(['a', 'b'], ['a', 'b'])).toMatchObject({
    changed: 0,
    firstDifference: undefined,
  });
  expect(alignTokens(['a'], ['a', 'b']).firstDifference).toBe(1);
  expect(alignTokens(['a', 'b'], ['a']).firstDifference).toBe(1);
  expect(alignTokens([], []).firstDifference).toBeUndefined();
});

test('the runs hold every token in order, and the unmarked ones are the same on both sides', () => {
  const tokens = fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 30 });
  fc.assert(
    fc.property(tokens, tokens, (before, after) => {
      const aligned = alignTokens(before, after);
      const text = (runs: typeof aligned.before) => runs.map((run) => run.text).join('');
      const shared = (runs: typeof aligned.before) => text(runs.filter(({ differs }) => !differs));
      expect(text(aligned.before)).toBe(before.join(''));
      expect(text(aligned.after)).toBe(after.join(''));
      expect(shared(aligned.before)).toBe(shared(aligned.after));
      expect(shared(aligned.after)).toHaveLength(after.length - aligned.changed);
      expect(shared(aligned.after)).toHaveLength(longestCommon(before, after));
    }),
  );
});

/** By definition, without a table. */
function longestCommon(a: readonly string[], b: readonly string[]): number {
  const memo = new Map<string, number>();
  const from = (i: number, j: number): number => {
    if (i === a.length || j === b.length) return 0;
    const key = `${i} ${j}`;
    const known = memo.get(key);
    if (known !== undefined) return known;
    const length =
      a[i] === b[j] ? 1 + from(i + 1, j + 1) : Math.max(from(i + 1, j), from(i, j + 1));
    memo.set(key, length);
    return length;
  };
  return from(0, 0);
}

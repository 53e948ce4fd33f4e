import { expect, test } from 'vitest';
import { displayWidth, formatTable } from './table.ts';

test('numbers line up on the right, text on the left, no trailing spaces', () => {
  const table = formatTable(
    [{ heading: 'type' }, { heading: 'bytes', align: 'right' }, { heading: 'note' }],
    [
      ['Q8_0', '7.95 MB', ''],
      ['Q4_K_M', '4.79 MB', 'fallback'],
    ],
  );
  expect(table).toBe(
    [
      'type      bytes  note',
      '------  -------  --------',
      'Q8_0    7.95 MB',
      'Q4_K_M  4.79 MB  fallback',
    ].join('\n'),
  );
});

test('columns without headings print rows only', () => {
  expect(formatTable([{ heading: '' }, { heading: '' }], [['a', 'b']])).toBe('a  b');
});

test('width counts terminal cells: 2 for CJK and emoji, 0 for colours and accents', () => {
  expect(['abc', '日本', '👍', 'e\u0301', '\u001b[1mbold\u001b[0m'].map(displayWidth)).toEqual([
    3, 4, 2, 1, 4,
  ]);
});

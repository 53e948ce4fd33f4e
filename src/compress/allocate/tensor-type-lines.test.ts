import { expect, test } from 'vitest';
import { tensorTypeLines } from './tensor-type-lines.ts';

test('a line a tensor, whose pattern matches its name alone', () => {
  const lines = tensorTypeLines({
    types: new Map([
      ['token_embd.weight', 'Q6_K'],
      ['blk.1.attn_q.weight', 'IQ4_XS'],
    ]),
  });
  expect(lines).toBe('^token_embd\\.weight$=q6_k\n^blk\\.1\\.attn_q\\.weight$=iq4_xs\n');
  const [pattern] = lines.trim().split('\n')[1]!.split('=');
  const names = ['blk.1.attn_q.weight', 'blk.11.attn_q.weight', 'blk.1.attn_q.weight.x'];
  expect(names.filter((name) => new RegExp(pattern!).test(name))).toEqual([names[0]]);
});

test('letters that llama-quantize lowers, and those that end a word or a name, match any letter', () => {
  expect(tensorTypeLines({ types: new Map([['a=B c(1)', 'F16']]) })).toBe('^a...c.1.$=f16\n');
});

import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseStrictJson, type Json } from './strict-json.ts';

function plain(json: Json): unknown {
  if (json instanceof Map) {
    return Object.fromEntries([...json].map(([key, value]) => [key, plain(value as Json)]));
  }
  return Array.isArray(json) ? json.map(plain) : json;
}

test('parses what JSON.parse parses, with any white space', () => {
  fc.assert(
    fc.property(fc.json(), fc.constantFrom(0, 2), (text, indent) => {
      const spaced = JSON.stringify(JSON.parse(text), null, indent);
      expect(plain(parseStrictJson(spaced, 'x'))).toEqual(JSON.parse(text));
    }),
    { numRuns: 50 },
  );
});

test.each([
  ['{"a":1,"a":2}', 'has the key "a" twice'],
  ['{"a":1,"\\u0061":2}', 'has the key "a" twice'],
  ['', 'lacks a value at character 0'],
  ['[1,]', 'lacks a value'],
  ['{"a" 1}', 'lacks a ":"'],
  ['{1:1}', 'lacks a key'],
  ['[1 2]', 'lacks a "]"'],
  ['"abc\\"', 'ends inside a string'],
  ['"\\x"', 'bad character or escape'],
  ['01', 'goes on after its end at character 1'],
  ['NaN', 'lacks a value'],
  ['[1]]', 'goes on after its end'],
  ['['.repeat(100), 'nested deeper than 64'],
])('refuses %s', (text, problem) => {
  expect(() => parseStrictJson(text, 'x')).toThrow(problem);
});

test('"__proto__" is a key like any other', () => {
  expect(parseStrictJson('{"__proto__":{"a":1}}', 'x')).toEqual(
    new Map([['__proto__', new Map([['a', 1]])]]),
  );
});

test('a million backslashes before each quote cost linear time', () => {
  const text = `"${'\\\\'.repeat(500_000)}"`;
  expect((parseStrictJson(text, 'x') as string).length).toBe(500_000);
});

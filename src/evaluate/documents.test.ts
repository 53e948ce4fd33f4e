import { describe, expect, test } from 'vitest';
import { parseDocuments } from './documents.ts';

function parse(text: string, name: string): ReturnType<typeof parseDocuments> {
  return parseDocuments(new TextEncoder().encode(text), name);
}

describe('parseDocuments', () => {
  test('a plain file is one document, whole, without its byte order mark', () => {
    const { documents, notes } = parse('\ufeffOnce.\n\nTwice.\n', 'a.txt');
    expect(documents).toEqual([{ name: 'a.txt', text: 'Once.\n\nTwice.\n' }]);
    expect(notes).toEqual([]);
  });

  test('every row of a .jsonl file is a document, named by its line', () => {
    const { documents } = parse('{"text":"one","id":1}\n\n{"text":"two"}\n', 'a.jsonl');
    expect(documents).toEqual([
      { name: 'a.jsonl:1', text: 'one' },
      { name: 'a.jsonl:3', text: 'two' },
    ]);
  });

  test('lines <|endoftext|> part documents, and the note says so', () => {
    const { documents, notes } = parse(
      '<|endoftext|>\none\n<|endoftext|>\r\ntwo <|endoftext|> 2\n',
      'a.txt',
    );
    expect(documents.map(({ text }) => text)).toEqual(['one\n', 'two <|endoftext|> 2\n']);
    expect(notes).toEqual(['a.txt: 2 documents, cut at lines <|endoftext|>.']);
  });

  test('WikiText is cut at article titles, not at section titles', () => {
    const articles = [
      ' \n = Robert Boulter = \n \n He is an actor . \n \n = = Career = = \n \n Much . \n \n',
      ' = Du Fu = \n \n A poet . \n = = = Early = = = \n',
    ];
    const { documents, notes } = parse(articles.join(''), 'wiki.txt');
    expect(documents.map(({ text }) => text)).toEqual([articles[0]!.slice(2), articles[1]]);
    expect(notes).toEqual(['wiki.txt: 2 documents, cut at article titles.']);
  });

  test('empty documents are left out and named', () => {
    const { documents, notes } = parse('{"text":"one"}\n{"text":" \\n"}\n', 'a.jsonl');
    expect(documents).toHaveLength(1);
    expect(notes).toEqual(['Empty and left out: a.jsonl:2.']);
  });

  test.each([
    ['', 'a.txt', 'unsupported', 'a.txt has no text'],
    ['{"text":""}', 'a.jsonl', 'unsupported', 'no text'],
    ['{"text":"one"}\n{"text":1}', 'a.jsonl', 'corrupt', 'line 2, has no string "text"'],
    ['["text"]', 'a.jsonl', 'corrupt', 'line 1, has no string'],
    ['{"text":"one"}\n{"te', 'a.jsonl', 'corrupt', 'line 2, is not JSON'],
  ])('%j as %s is refused with %s', (text, name, code, message) => {
    const error = expect.objectContaining({ code, message: expect.stringContaining(message) });
    expect(() => parse(text, name)).toThrow(error);
  });

  test('bytes of another encoding are refused with their offset', () => {
    const latin = Uint8Array.from([0x63, 0x61, 0x66, 0xe9]);
    expect(() => parseDocuments(latin, 'a.txt')).toThrow('a.txt is not UTF-8: byte 3 is 0xe9.');
    const utf16 = Uint8Array.from([0xff, 0xfe, 0x61, 0]);
    expect(() => parseDocuments(utf16, 'a.txt')).toThrow('byte 0 is 0xff, as UTF-16 begins');
  });
});

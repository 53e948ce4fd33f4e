import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { PithError } from '../../util/errors.ts';
import { readCalibrationTexts } from './text.ts';

const folder = mkdtempSync(join(tmpdir(), 'pith-texts-'));
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, content: string | Uint8Array): string {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
}

const chat = (text: string) => JSON.stringify({ messages: [{ role: 'user', content: text }] });

test('the text in the box is 130 to 160 kB of 53 documents, those of all files interleaved', async () => {
  const { documents, datasets, notes } = await readCalibrationTexts([], () => '<chat>');
  const bytes = documents.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  expect(documents).toHaveLength(53);
  expect(bytes).toBeGreaterThan(130_000);
  expect(bytes).toBeLessThan(160_000);
  expect(documents.filter((text) => text === '<chat>')).toHaveLength(21);
  expect(documents[0]).toBe('<chat>');
  expect(documents[1]).toMatch(/^Am frühen Morgen/);
  expect(datasets).toHaveLength(5);
  expect(notes).toEqual([]);
});

test('documents of one file keep their order, those of two are interleaved', async () => {
  const one = file('one.txt', 'a\n<|endoftext|>\nb\n<|endoftext|>\nc\n');
  const two = file('two.jsonl', '{"text": "x"}\n\n{"text": "y"}\n');
  expect((await readCalibrationTexts([one], undefined)).documents).toEqual(['a\n', 'b\n', 'c\n']);
  const both = await readCalibrationTexts([one, two], undefined);
  expect(both.documents).toEqual(['a\n', 'x', 'b\n', 'y', 'c\n']);
});

test('conversations that the template refuses are left out and counted', async () => {
  const path = file('chats.jsonl', [chat('good'), chat('bad'), chat('good')].join('\n'));
  const { documents, notes } = await readCalibrationTexts([path], ([message]) => {
    if (message!.content === 'bad') throw new PithError('unsupported', 'No such role.');
    return `<user>${String(message!.content)}`;
  });
  expect(documents).toEqual(['<user>good', '<user>good']);
  expect(notes).toEqual(['chats.jsonl: 1 conversations are left out. line 2: No such role.']);
});

test('without a chat template conversations are plain text, which is told', async () => {
  const path = file('plain.jsonl', chat('Hi'));
  const { documents, notes } = await readCalibrationTexts([path], undefined);
  expect(documents).toEqual(['Hi']);
  expect(notes).toEqual(['The model has no chat template: conversations are read as plain text.']);
});

test('bytes that are not UTF-8 are refused, in rows as in text', async () => {
  const latin = Buffer.from('{"text":"caf\u00e9"}\n', 'latin1');
  for (const name of ['latin.jsonl', 'latin.txt'])
    await expect(readCalibrationTexts([file(name, latin)], undefined)).rejects.toMatchObject({
      code: 'corrupt',
      message: expect.stringContaining(`${name} is not UTF-8: byte 12 is 0xe9`),
    });
});

test('documents without text are left out, and said', async () => {
  const path = file('gaps.txt', 'a\n<|endoftext|>\n\n<|endoftext|>\nb\n');
  const { documents, notes } = await readCalibrationTexts([path], undefined);
  expect(documents).toEqual(['a\n', 'b\n']);
  expect(notes.join()).toContain('Empty and left out');
});

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { PithError } from '../util/errors.ts';
import { askChild, crashedOn } from './ask-child.ts';

const folder = mkdtempSync(join(tmpdir(), 'pith-ask-'));
afterAll(() => rmSync(folder, { recursive: true }));

const entry = join(folder, 'child.mjs');
writeFileSync(entry, `process.once('message', (task) => eval(task.does));`);

const onEnd = (how: string, said: string) => new PithError('engine', `${how}: ${said}`);
const ask = (does: string, options = {}) =>
  askChild(pathToFileURL(entry), { does }, { onEnd, ...options });

test('what the process answers comes back, as do its errors', async () => {
  expect(await ask(`process.send({ value: 6 * 7 }, () => process.exit())`)).toBe(42);
  const error = `{ code: 'corrupt', message: 'bad', hint: 'mend it' }`;
  await expect(
    ask(`process.send({ error: ${error} }, () => process.exit())`),
  ).rejects.toMatchObject({ code: 'corrupt', message: 'bad', hint: 'mend it' });
});

test('a process that ends without an answer is told by its last words', async () => {
  const said = `process.stderr.write('GGML_ASSERT(n > 0) failed\\n', () => process.exit(3))`;
  await expect(ask(said)).rejects.toThrow('code 3: GGML_ASSERT(n > 0) failed');
  await expect(ask(said, { onEnd: crashedOn('a.gguf') })).rejects.toThrow(
    'llama.cpp crashed on a.gguf (code 3: GGML_ASSERT(n > 0) failed).',
  );
});

test('one that takes too long or is not wanted any more is killed', async () => {
  const forever = 'setInterval(() => undefined, 1000)';
  await expect(ask(forever, { timeoutMs: 50 })).rejects.toThrow('No answer came within 0.05 s.');
  await expect(ask(forever, { signal: AbortSignal.timeout(50) })).rejects.toMatchObject({
    code: 'cancelled',
  });
});

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { loadFactors } from './factors-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'pith-factors-'));
afterAll(() => rmSync(folder, { recursive: true }));

test.each([
  ['nothing', '', 'usage', /mine\.yaml: the file: it names no factor\.$/],
  ['a number', '12', 'usage', /it names no factor/],
  ['a list that never ends', 'pricePerKwh: [\n', 'usage', /^\S+ is not YAML: [^\n]*\.$/],
  ['an unknown name', 'gramsPerKwh: 1', 'usage', /there is no factor "gramsPerKwh"/],
  ['a negative number', 'pricePerKwh: -1', 'usage', /pricePerKwh\.value: Too small/],
  ['UTF-16', Buffer.from('\ufeffpricePerKwh: 1', 'utf16le'), 'corrupt', /as UTF-16 begins/],
])('%s is refused in one line', async (_, content, code, message) => {
  const path = join(folder, 'mine.yaml');
  writeFileSync(path, content);
  await expect(loadFactors(path)).rejects.toMatchObject({
    code,
    message: expect.stringMatching(message),
  });
});

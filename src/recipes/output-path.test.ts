import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { checkOutputPath } from './output-path.ts';

const folder = mkdtempSync(join(tmpdir(), 'pith-output-path-'));
const at = (name: string) => join(folder, name);
for (const name of ['model.gguf', 'other.gguf', 'm-00001-of-00002.gguf', 'm-00002-of-00002.gguf']) {
  writeFileSync(at(name), '');
}
symlinkSync(at('model.gguf'), at('link.gguf'));

afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('an input is refused as output, also through a link and when it is not the first', async () => {
  const conflict = { code: 'conflict' };
  const inputs = [at('m-00001-of-00002.gguf'), at('m-00002-of-00002.gguf'), at('model.gguf')];
  for (const name of ['model.gguf', 'link.gguf', 'm-00002-of-00002.gguf']) {
    await expect(checkOutputPath(at(name), inputs)).rejects.toMatchObject(conflict);
  }
});

test('another file and a new one are fine', async () => {
  for (const name of ['other.gguf', 'new.gguf', 'new.GGUF']) {
    await expect(checkOutputPath(at(name), [at('model.gguf')])).resolves.toBeUndefined();
  }
});

test('a name that is not UTF-8 arrives with replacement characters and is refused', async () => {
  await expect(checkOutputPath('a\uFFFD.gguf', [])).rejects.toMatchObject({ code: 'usage' });
});

test('an output that is not named .gguf could not be opened again: refused with the name to use', async () => {
  await expect(checkOutputPath('out/m.bin/', [])).rejects.toMatchObject({
    code: 'usage',
    hint: 'Name a file that ends in .gguf, for example out/m.gguf.',
  });
});

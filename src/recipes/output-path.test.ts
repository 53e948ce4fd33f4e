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

test('the model itself is refused as its own output, also through a link or as a part', async () => {
  const conflict = { code: 'conflict' };
  await expect(checkOutputPath(at('model.gguf'), at('model.gguf'))).rejects.toMatchObject(conflict);
  await expect(checkOutputPath(at('link.gguf'), at('model.gguf'))).rejects.toMatchObject(conflict);
  const parts = [at('m-00002-of-00002.gguf'), at('m-00001-of-00002.gguf')] as const;
  await expect(checkOutputPath(...parts)).rejects.toMatchObject(conflict);
});

test('another file, a new one and one beside a Hugging Face folder are fine', async () => {
  const pairs = [
    [at('other.gguf'), at('model.gguf')],
    [at('new.gguf'), at('model.gguf')],
    [at('new.GGUF'), folder],
  ] as const;
  for (const [output, source] of pairs) {
    await expect(checkOutputPath(output, source)).resolves.toBeUndefined();
  }
});

test('an output that is not named .gguf could not be opened again: refused with the name to use', async () => {
  await expect(checkOutputPath('out/m.bin/', 'sample')).rejects.toMatchObject({
    code: 'usage',
    hint: 'Name a file that ends in .gguf, for example out/m.gguf.',
  });
});

import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { fileStates, requireUnchanged } from './input-files.ts';

const folder = mkdtempSync(join(tmpdir(), 'pith-input-files-'));
const path = join(folder, 'model.gguf');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('a file with another size or another time counts as changed, a gone one as missing', async () => {
  writeFileSync(path, 'abc');
  utimesSync(path, 1000, 1000);
  const before = await fileStates([path]);
  await expect(requireUnchanged(before)).resolves.toBeUndefined();
  utimesSync(path, 1000, 1001);
  await expect(requireUnchanged(before)).rejects.toMatchObject({
    code: 'conflict',
    message: expect.stringContaining(path),
  });
  utimesSync(path, 1000, 1000);
  await expect(requireUnchanged(before)).resolves.toBeUndefined();
  writeFileSync(path, 'abcd');
  utimesSync(path, 1000, 1000);
  await expect(requireUnchanged(before)).rejects.toMatchObject({ code: 'conflict' });
  rmSync(path);
  await expect(requireUnchanged(before)).rejects.toMatchObject({ code: 'not-found' });
});

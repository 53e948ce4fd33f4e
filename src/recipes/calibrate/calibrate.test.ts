import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { calibrate } from './calibrate.ts';

test('evidence and importance matrix are not one file, by whatever path', async () => {
  const output = join(tmpdir(), 'one.gguf');
  const imatrix = `${tmpdir()}/../${join(tmpdir(), 'one.gguf').split('/').slice(-2).join('/')}`;
  await expect(calibrate({ model: 'sample' }, { output, imatrix })).rejects.toMatchObject({
    code: 'usage',
    hint: expect.stringContaining('leave --imatrix out'),
  });
});

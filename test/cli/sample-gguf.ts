import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { pith } from './pith.ts';

/** Makes the model in the box a Q8_0 GGUF for the tests of one file; returns where it will lie. */
export function sampleGguf(): { readonly folder: () => string; readonly path: () => string } {
  let folder = '';
  const path = () => join(folder, 'sample-q8_0.gguf');
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'pith-cli-'));
    const made = await pith(['quantize', 'sample', '-t', 'Q8_0', '--no-verify', '-o', path()]);
    if (made.code !== 0) throw new Error(made.stderr);
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));
  return { folder: () => folder, path };
}

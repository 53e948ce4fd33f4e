import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { hashFiles, labelsOf } from './version-facts.ts';

test('a version is called as its file; a second of that name gets a number', () => {
  expect(labelsOf(['a/q4.gguf', 'b/q4.GGUF', './folder/', 'original'], 'original')).toEqual([
    'q4',
    'q4 (2)',
    'folder',
    'original (2)',
  ]);
});

test('what all names begin with says nothing: my-model-q8_0 and my-model-q4_k_m are q8_0 and q4_k_m', () => {
  expect(labelsOf(['my-model-q8_0.gguf', 'my-model-q4_k_m.gguf'], 'original')).toEqual([
    'q8_0',
    'q4_k_m',
  ]);
  expect(labelsOf(['my-model-q8_0.gguf'], 'original')).toEqual(['my-model-q8_0']);
  expect(labelsOf(['a-x.gguf', 'b/a-x.gguf'], 'original')).toEqual(['a-x', 'a-x (2)']);
});

test('files are hashed one after the other: "a" and "bc" as "abc" (FIPS 180-2, B.1)', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'pith-hash-'));
  try {
    const paths = [join(folder, 'a'), join(folder, 'bc')];
    await writeFile(paths[0]!, 'a');
    await writeFile(paths[1]!, 'bc');
    expect(await hashFiles(paths, undefined)).toBe(
      'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
    );
    await expect(hashFiles([join(folder, 'no')], undefined)).rejects.toThrow(/does not exist/);
  } finally {
    await rm(folder, { recursive: true });
  }
});

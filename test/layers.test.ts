import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { expect, test } from 'vitest';

const src = resolve(import.meta.dirname, '../src');
const tiers = JSON.parse(
  readFileSync(resolve(import.meta.dirname, '../layers.json'), 'utf8'),
) as string[][];
const tierOf = (folder: string) => tiers.findIndex((tier) => tier.includes(folder));
const importPattern = /(?:from|import)\s*\(?\s*['"](\.[^'"]+)['"]/g;

function upwardImports(file: string, text: string): string[] {
  const from = file.split('/')[0]!;
  const upward: string[] = [];
  for (const [, target] of text.matchAll(importPattern)) {
    const to = relative(src, resolve(src, dirname(file), target!)).split('/')[0]!;
    if (to !== from && tierOf(to) >= tierOf(from)) upward.push(`${file} imports ${to}/`);
  }
  return upward;
}

test('imports only point to lower tiers (layers.json), type imports included', () => {
  const upward: string[] = [];
  for (const entry of readdirSync(src, { recursive: true, encoding: 'utf8' })) {
    if (!entry.endsWith('.ts') || entry.endsWith('.test.ts') || !entry.includes('/')) continue;
    expect(tierOf(entry.split('/')[0]!), `${entry} is in no tier`).toBeGreaterThanOrEqual(0);
    upward.push(...upwardImports(entry, readFileSync(join(src, entry), 'utf8')));
  }
  expect(upward).toEqual([]);
});

test('the check catches a planted upward import and a type import', () => {
  expect(upwardImports('util/x.ts', "import type { K } from '../kernels/kernels.ts';")).toEqual([
    'util/x.ts imports kernels/',
  ]);
});

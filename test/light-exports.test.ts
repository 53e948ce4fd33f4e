import { readFileSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import { expect, test } from 'vitest';

const src = resolve(import.meta.dirname, '../src');
const importPattern = /^(?:import|export)\s(?!type\s)[^;]*?from\s+'([^']+)'/gm;

/** Everything outside the package that `entry` loads, by way of any file. */
function outsideImports(entry: string): Set<string> {
  const outside = new Set<string>();
  const seen = new Set<string>();
  const visit = (file: string) => {
    if (seen.has(file)) return;
    seen.add(file);
    for (const [, target] of readFileSync(file, 'utf8').matchAll(importPattern)) {
      if (target!.startsWith('.')) visit(resolve(dirname(file), target!));
      else outside.add(target!);
    }
  };
  visit(resolve(src, entry));
  expect(seen.size, `${relative(src, entry)} reaches other files`).toBeGreaterThan(1);
  return outside;
}

test.each([
  ['formats/gguf/index.ts', []],
  ['formats/safetensors/index.ts', []],
  ['formats/onnx/index.ts', ['@bufbuild/protobuf/wire']],
  ['kernels/index.ts', []],
  ['graph/index.ts', []],
  ['evaluate/index.ts', []],
  ['compress/evidence/index.ts', []],
  ['compress/allocate/index.ts', []],
  ['compress/feedback/index.ts', []],
  ['compress/awq/index.ts', []],
  ['compress/groups/index.ts', []],
  ['formats/tokenizer/index.ts', ['zod']],
])('%s runs in a browser: it loads nothing of Node and no package but %j', (entry, packages) => {
  expect([...outsideImports(entry)]).toEqual(packages);
});

test('the check sees what a file of the edge loads', () => {
  expect(outsideImports('storage/index.ts')).toContain('node:fs/promises');
});

/**
 * Writes test/golden/llama-quantize-sample.json: types and sizes of every tensor in the files that
 * llama-quantize (llama.cpp v0.5.0) makes of the model in the box.
 *
 *   node interop/llama-quantize-sample.mjs LLAMA_CPP_BIN
 *
 * Needs Node 22.18 or newer (which runs TypeScript) and a build: the F16 file that Pith writes is the input. Types for which llama-quantize asks for
 * an importance matrix are left out. `pure` are the files of one block type (--pure).
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileTypeNames, parseFileType } from '../dist/compress/quantize/file-types.js';
import { encodableTypes } from '../dist/kernels/kernels.js';
import { tensorLayout } from '../test/peer/tensor-layout.ts';

const bin = process.argv[2];
if (!bin) throw new Error('usage: llama-quantize-sample.mjs LLAMA_CPP_BIN');
const root = resolve(import.meta.dirname, '..');
const folder = mkdtempSync(join(tmpdir(), 'pith-sample-'));
const [f16, out] = [join(folder, 'f16.gguf'), join(folder, 'out.gguf')];
const quiet = { stdio: ['ignore', 'ignore', 'inherit'] };
const pith = [join(root, 'dist/cli/index.js'), 'quantize', 'sample', '--type', 'F16', '-o', f16];
execFileSync(process.execPath, [...pith, '--no-verify'], quiet);

async function layoutOf(...options) {
  execFileSync(join(bin, 'llama-quantize'), [...options, '1'], { stdio: 'ignore' });
  return tensorLayout(out);
}

const needsImatrix = (name) => /^(Q2_K_S|IQ3_XX?S|IQ2_.*)$/.test(name);
const mixes = fileTypeNames.filter((name) => !needsImatrix(name));
const golden = {
  source: 'llama-quantize of llama.cpp v0.5.0; interop/llama-quantize-sample.mjs',
  mixes: {},
  pure: {},
};
for (const name of mixes) golden.mixes[name] = await layoutOf(f16, out, name);
for (const type of encodableTypes.filter((type) => !needsImatrix(type))) {
  golden.pure[type] = await layoutOf('--pure', f16, out, parseFileType(type, true).name);
}
rmSync(folder, { recursive: true });
const file = join(root, 'test/golden/llama-quantize-sample.json');
writeFileSync(file, `${JSON.stringify(golden)}\n`);

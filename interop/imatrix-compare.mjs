/**
 * Compares the importance matrix of `pith calibrate` with that of llama-imatrix on the same text, chunks and
 * weights (the sample as F32), and has llama-quantize use Pith's. Prints, writes nothing.
 *
 * Needs the tools of llama.cpp v0.5.0 and a built Pith (npm run build):
 *
 *     node interop/imatrix-compare.mjs LLAMA_CPP_BIN_FOLDER
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { readImatrix } from '../dist/compress/quantize/index.js';
import { openFile } from '../dist/storage/index.js';

const [bin] = process.argv.slice(2);
if (!bin) throw new Error('node interop/imatrix-compare.mjs LLAMA_CPP_BIN_FOLDER');
const root = resolve(import.meta.dirname, '..');
const folder = mkdtempSync(join(tmpdir(), 'pith-imatrix-'));
const at = (name) => join(folder, name);
const run = (command, ...args) => execFileSync(command, args, { encoding: 'utf8', stdio: 'pipe' });
const pith = (...args) => run('node', join(root, 'dist/cli/index.js'), ...args, '--quiet');
const llama = (tool, ...args) => run(join(bin, tool), ...args);

async function load(path) {
  const source = await openFile(path);
  const { entries } = await readImatrix(source);
  await source.close();
  return entries;
}

const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Largest difference as a share of the largest value, largest relative difference, and correlation. */
function compare(ours, theirs) {
  const pairs = Array.from(ours, (value, i) => [value, theirs[i]]);
  const most = Math.max(...theirs);
  const [a, b] = [ours, theirs].map((values) => mean([...values]));
  const product = (f, g) => mean(pairs.map((pair) => f(pair) * g(pair)));
  const [da, db] = [(pair) => pair[0] - a, (pair) => pair[1] - b];
  return {
    absolute: Math.max(...pairs.map(([x, y]) => Math.abs(x - y))) / most,
    relative: Math.max(...pairs.map(([x, y]) => Math.abs(x - y) / Math.max(y, 1e-12))),
    correlation: product(da, db) / Math.sqrt(product(da, da) * product(db, db)),
  };
}

try {
  const text = readFileSync(join(root, 'calibration/prose.txt'), 'utf8');
  writeFileSync(at('text.txt'), text.replaceAll('<|endoftext|>\n', '\n'));
  pith('quantize', 'sample', '--type', 'F32', '-o', at('f32.gguf'), '--no-verify');
  llama(
    'llama-imatrix',
    '-m',
    at('f32.gguf'),
    '-f',
    at('text.txt'),
    '-o',
    at('theirs.gguf'),
    '-c',
    '512',
    '-b',
    '512',
    '-t',
    '2',
  );
  pith(
    'calibrate',
    at('f32.gguf'),
    '--data',
    at('text.txt'),
    '-o',
    at('ours.gguf'),
    '--imatrix',
    at('plain.gguf'),
    '--no-gradients',
  );
  const [ours, theirs] = [await load(at('ours.gguf')), await load(at('theirs.gguf'))];
  const found = [...theirs].map(([name, { values }]) => {
    const mine = ours.get(name);
    if (!mine) throw new Error(`Pith has no ${name}`);
    return { name, ...compare(mine.values, values) };
  });
  const worst = (key) => found.toSorted((x, y) => y[key] - x[key])[0];
  console.log(
    `${found.length} of ${theirs.size} tensors of llama-imatrix; Pith alone has`,
    [...ours.keys()].filter((name) => !theirs.has(name)),
  );
  for (const key of ['absolute', 'relative']) console.log(`largest ${key} difference:`, worst(key));
  console.log('least correlation:', Math.min(...found.map(({ correlation }) => correlation)));
  for (const name of ['ours.gguf', 'plain.gguf']) {
    llama('llama-quantize', '--imatrix', at(name), at('f32.gguf'), at('q.gguf'), 'IQ2_XS', '2');
    console.log(`llama-quantize takes ${name} for IQ2_XS`);
  }
} finally {
  rmSync(folder, { recursive: true });
}

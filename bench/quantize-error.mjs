/**
 * How much precision do `pith quantize` and llama.cpp's `llama-quantize` lose: the relative RMS error
 * of all matrices together, plain and by ggml's own weights, with and without an importance matrix.
 * A ratio of at most 1 means that Pith loses no more.
 *
 * node bench/quantize-error.mjs --llama-quantize PATH --llama-imatrix PATH --text FILE
 *   [--models sample,generated] [--types Q4_K,Q6_K] [--json]
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { readImatrix } from '../dist/compress/quantize/imatrix.js';
import { createWasmKernels } from '../dist/kernels/wasm.js';
import { openModel } from '../dist/models/open.js';
import { openFile } from '../dist/storage/file-source.js';
import { columnsOf, rowsOf } from '../dist/tensor/tensor.js';
import { ggmlWeights } from './ggml-weights.mjs';
import { makeImatrix } from './make-imatrix.mjs';
import { cachedModel } from './make-model.mjs';
import { pith } from './process.mjs';
import { machine, printResult } from './report.mjs';

const allTypes = 'Q8_0,Q4_0,Q4_1,Q5_0,Q5_1,Q2_K,Q3_K,Q4_K,Q5_K,Q6_K,IQ4_NL,IQ4_XS,TQ1_0,TQ2_0';
const { values: options } = parseArgs({
  options: {
    'llama-quantize': { type: 'string' },
    'llama-imatrix': { type: 'string' },
    text: { type: 'string' },
    models: { type: 'string', default: 'sample,generated' },
    types: { type: 'string', default: allTypes },
    json: { type: 'boolean', default: false },
  },
});
const { 'llama-quantize': llamaQuantize, 'llama-imatrix': llamaImatrix, text } = options;
if (!llamaQuantize || !llamaImatrix || !text) {
  throw new Error('--llama-quantize, --llama-imatrix and --text are needed; see bench/README.md');
}
const rowsAtOnce = 256;
const kernels = await createWasmKernels();
const folder = mkdtempSync(join(tmpdir(), 'pith-error-'));

function run(command, args) {
  const { status, stderr, stdout } = spawnSync(command, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}:\n${stderr}${stdout}`);
}

const runPith = (...args) =>
  run(process.execPath, [pith, 'quantize', ...args, '--no-verify', '-f']);

/** The model as a GGUF file that both programs read, and an importance matrix for it. */
const sources = {
  async sample() {
    const [path, imatrix] = [join(folder, 'sample.gguf'), join(folder, 'sample-imatrix.gguf')];
    runPith('sample', '--type', 'F32', '-o', path);
    run(llamaImatrix, ['-m', path, '-f', text, '-o', imatrix, '--chunks', '100', '-c', '512']);
    return { path, imatrix };
  },
  async generated() {
    const [path, imatrix] = [
      cachedModel({ layers: 1, vocabulary: 1024 }),
      join(folder, 'imatrix.gguf'),
    ];
    const model = await openModel(path);
    makeImatrix(imatrix, model.tensors.values());
    await model.close();
    return { path, imatrix };
  },
};

async function decodeRows(tensor, first, count) {
  const values = new Float32Array(count * columnsOf(tensor.shape));
  kernels.decode(tensor.type, await tensor.read(first, count), values);
  return values;
}

function addErrors(sums, x, decoded, weights) {
  for (let i = 0; i < x.length; i++) {
    const error = (x[i] - decoded[i]) ** 2;
    const size = x[i] ** 2;
    sums.error += error;
    sums.norm += size;
    sums.weightedError += weights[i] * error;
    sums.weightedNorm += weights[i] * size;
  }
}

/** Relative RMS errors of two files over the matrices that were quantized. */
async function errorsOf(original, files, entries) {
  const zero = { error: 0, norm: 0, weightedError: 0, weightedNorm: 0 };
  const sums = files.map(() => ({ ...zero }));
  for (const tensor of original.tensors.values()) {
    const types = files.map(({ tensors }) => tensors.get(tensor.name).type);
    if (types[0] !== types[1]) throw new Error(`${tensor.name}: ${types.join(' and ')}`);
    if (types[0] === 'F32') continue;
    const columns = columnsOf(tensor.shape);
    const importance = entries?.get(tensor.name)?.values;
    for (let first = 0; first < rowsOf(tensor.shape); first += rowsAtOnce) {
      const count = Math.min(rowsAtOnce, rowsOf(tensor.shape) - first);
      const x = await decodeRows(tensor, first, count);
      const decoded = await Promise.all(
        files.map(({ tensors }) => decodeRows(tensors.get(tensor.name), first, count)),
      );
      for (let at = 0; at < x.length; at += columns) {
        const row = x.subarray(at, at + columns);
        const weights = ggmlWeights(types[0], row, importance);
        decoded.forEach((values, i) =>
          addErrors(sums[i], row, values.subarray(at, at + columns), weights),
        );
      }
    }
  }
  return sums.map((sum) => ({
    plain: Math.sqrt(sum.error / sum.norm),
    weighted: Math.sqrt(sum.weightedError / sum.weightedNorm),
  }));
}

async function loadEntries(path) {
  const source = await openFile(path);
  const { entries } = await readImatrix(source);
  await source.close();
  return entries;
}

async function compare(model, type, { path, imatrix }, weighted) {
  const [ours, theirs] = [join(folder, 'pith.gguf'), join(folder, 'llama.gguf')];
  const extra = weighted ? ['--imatrix', imatrix] : [];
  runPith(path, '--type', type, '--pure', ...extra, '-o', ours);
  run(llamaQuantize, ['--pure', ...extra, path, theirs, type]);
  const [original, ...files] = await Promise.all([path, ours, theirs].map(openModel));
  const entries = weighted ? await loadEntries(imatrix) : undefined;
  const [pithError, llamaError] = await errorsOf(original, files, entries);
  await Promise.all([original, ...files].map((each) => each.close()));
  return {
    model,
    type,
    imatrix: weighted,
    pith: pithError,
    llama: llamaError,
    plainRatio: pithError.plain / llamaError.plain,
    weightedRatio: pithError.weighted / llamaError.weighted,
  };
}

const percent = (value) => (100 * value).toFixed(4);

function cellsOf({ model, type, imatrix, pith, llama, plainRatio, weightedRatio }) {
  return [
    `${model} ${type}${imatrix ? ' imatrix' : ''}`,
    percent(pith.plain),
    percent(llama.plain),
    plainRatio.toFixed(4),
    percent(pith.weighted),
    percent(llama.weighted),
    weightedRatio.toFixed(4),
  ];
}

const before = machine();
const rows = [];
try {
  for (const model of options.models.split(',')) {
    const source = await sources[model]();
    for (const type of options.types.split(',')) {
      for (const weighted of [false, true]) {
        rows.push(await compare(model, type, source, weighted));
        if (!options.json) console.error(cellsOf(rows.at(-1)).join('  '));
      }
    }
  }
} finally {
  rmSync(folder, { recursive: true });
}
printResult(
  {
    question:
      'Relative RMS error in percent, plain and by the weights ggml fits with (ratio <= 1: no worse).',
    machine: before,
    settings: { 'models compared': options.models },
    rows,
  },
  {
    headings: ['', 'pith', 'llama', 'ratio', 'pith weighted', 'llama weighted', 'ratio'],
    cells: rows.map(cellsOf),
  },
  options.json,
);

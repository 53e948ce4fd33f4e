/**
 * How much memory does `pith quantize` take on a model of 1.1 B parameters, GGUF or safetensors: the
 * operating system's peak resident memory of the process beside what the report says, and the bound
 * of 250 MB plus four times the slab of rows in flight.
 *
 * node bench/quantize-memory.mjs [--types Q4_K_M,Q8_0] [--threads 2] [--layers 22] [--json]
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { slabsOf } from '../dist/compress/quantize/slabs.js';
import { openModel } from '../dist/models/open.js';
import { makeFolder } from './make-folder.mjs';
import { cachedModel } from './make-model.mjs';
import { measureProcess, pith } from './process.mjs';
import { machine, printResult } from './report.mjs';

const { values: options } = parseArgs({
  options: {
    types: { type: 'string', default: 'Q4_K_M,Q8_0' },
    threads: { type: 'string', default: String(availableParallelism()) },
    layers: { type: 'string', default: '22' },
    json: { type: 'boolean', default: false },
  },
});

/** Bytes of the largest slab of rows, as it is stored. */
async function largestSlabBytes(path) {
  const model = await openModel(path);
  let largest = 0;
  for (const { byteLength } of slabsOf([...model.tensors.values()], model.tensors)) {
    largest = Math.max(largest, byteLength);
  }
  await model.close();
  return largest;
}

async function measure(input, path, type) {
  const folder = mkdtempSync(join(dirname(path), 'memory-'));
  try {
    const output = join(folder, 'out.gguf');
    const size = ['--type', type, '--threads', options.threads, '--no-verify', '--json'];
    const run = measureProcess(process.execPath, [pith, 'quantize', path, ...size, '-o', output]);
    const { bytes, peakMemoryBytes } = JSON.parse(run.stdout);
    const boundBytes = 250e6 + 4 * (await largestSlabBytes(path));
    const { peakBytes, seconds } = run;
    return { input, type, bytes, peakBytes, reportedBytes: peakMemoryBytes, boundBytes, seconds };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const megabytes = (bytes) => (bytes / 1e6).toFixed(1);

function cellsOf({ input, type, bytes, peakBytes, reportedBytes, boundBytes, seconds }) {
  const figures = [bytes, peakBytes, reportedBytes, boundBytes].map(megabytes);
  return [`${input} ${type}`, ...figures, seconds.toFixed(1)];
}

const before = machine();
const rows = [];
const gguf = cachedModel({ layers: Number(options.layers) });
const inputs = { gguf, safetensors: await makeFolder(gguf) };
for (const [input, path] of Object.entries(inputs)) {
  for (const type of options.types.split(',')) rows.push(await measure(input, path, type));
}
printResult(
  {
    question: 'Peak resident memory of pith quantize in MB, by the system and by its own report.',
    machine: before,
    settings: { threads: options.threads, layers: options.layers, n: 1 },
    rows,
  },
  {
    headings: ['input, type', 'output', 'peak', 'reported', 'bound', 'seconds'],
    cells: rows.map(cellsOf),
  },
  options.json,
);

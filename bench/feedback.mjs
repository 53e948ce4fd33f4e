/**
 * How fast is encoding with error feedback: the wasm kernels beside the plain loops, by processor time on one thread,
 * in turns; and the factors that it needs.
 *
 * node bench/feedback.mjs [--types Q4_K,Q8_0] [--sizes 256x1024,512x2048] [--factors 512,1024] [--runs 3] [--json]
 */
import { parseArgs } from 'node:util';
import { encodeMatrix } from '../dist/kernels/feedback/encode-matrix.js';
import { factorBlock } from '../dist/kernels/feedback/factor-block.js';
import { rowBytes } from '../dist/kernels/index.js';
import { scalarKernels } from '../dist/kernels/scalar.js';
import { createWasmKernels } from '../dist/kernels/wasm.js';
import { seededRandom } from '../dist/util/random.js';
import { describe, machine, printResult, summarize } from './report.mjs';

const { values: options } = parseArgs({
  options: {
    types: { type: 'string', default: 'Q8_0,Q4_0,Q2_K,Q4_K,Q6_K,IQ4_XS,MXFP4,IQ3_S' },
    sizes: { type: 'string', default: '256x1024' },
    factors: { type: 'string', default: '512,1024' },
    runs: { type: 'string', default: '3' },
    json: { type: 'boolean', default: false },
  },
});
const runs = Number(options.runs);
const wasm = await createWasmKernels();
const random = seededRandom(1);

/** Upper triangles as those of correlated inputs: what a column says about the next ones fades. */
function factorsOf(size) {
  const values = new Float32Array(size * size);
  for (let i = 0; i < size; i++) {
    values[i * size + i] = 1 + 0.2 * Math.abs(random.normal());
    for (let j = i + 1; j < size; j++)
      values[i * size + j] = 0.05 * random.normal() * Math.exp((i - j) / 64);
  }
  return { blockSize: size, values };
}

/** Processor seconds of both kernels in turns, after a first call each that compiles. */
function compare(task) {
  const samples = { wasm: [], scalar: [] };
  task(wasm);
  task(scalarKernels);
  for (let run = 0; run < runs; run++)
    for (const kernels of [wasm, scalarKernels]) {
      const before = process.cpuUsage();
      task(kernels);
      samples[kernels.name].push(process.cpuUsage(before).user / 1e6);
    }
  return {
    wasmSeconds: summarize(samples.wasm),
    scalarSeconds: summarize(samples.scalar),
    ratio: summarize(samples.scalar.map((each, at) => each / samples.wasm[at])),
  };
}

function encoding(type, size, feedsRows) {
  const [rows, columns] = size.split('x').map(Number);
  const values = Float32Array.from({ length: rows * columns }, () => 0.02 * random.normal());
  const out = new Uint8Array(rowBytes(type, columns) * rows);
  const columnFactors = factorsOf(columns);
  const rowFactors = feedsRows ? { rowFactors: factorsOf(rows) } : {};
  const matrix = { type, columns, values, columnFactors, ...rowFactors };
  const seconds = compare((kernels) => encodeMatrix(kernels, matrix, out));
  const work = `${type}, ${feedsRows ? 'rows and columns' : 'columns'}`;
  const millionsPerSecond = values.length / 1e6 / seconds.wasmSeconds.median;
  return { work, size, ...seconds, millionsPerSecond };
}

function factoring(size) {
  const matrix = Float32Array.from({ length: size * size }, (_, at) => {
    return 0.9 ** Math.abs(Math.floor(at / size) - (at % size));
  });
  const out = new Float32Array(size * size);
  const seconds = compare((kernels) => factorBlock(kernels, { matrix, size, scale: 1, out }));
  return { work: 'factor', size: `${size}x${size}`, ...seconds };
}

function cellsOf({ work, size, wasmSeconds, scalarSeconds, ratio, millionsPerSecond }) {
  const speed = millionsPerSecond?.toFixed(2) ?? '';
  return [
    work,
    size,
    describe(wasmSeconds, 3),
    describe(scalarSeconds, 3),
    describe(ratio, 1),
    speed,
  ];
}

const before = machine();
const tasks = [
  ...options.types
    .split(',')
    .flatMap((type) =>
      options.sizes
        .split(',')
        .flatMap((size) => [false, true].map((feedsRows) => () => encoding(type, size, feedsRows))),
    ),
  ...options.factors.split(',').map((size) => () => factoring(Number(size))),
];
const rows = [];
for (const task of tasks) {
  rows.push(task());
  if (!options.json) console.error(cellsOf(rows.at(-1)).join('  '));
}
printResult(
  {
    question:
      'Processor seconds of encoding with error feedback: wasm beside the plain loops (ratio > 1: wasm is faster).',
    machine: before,
    settings: { threads: 1, runs },
    rows,
  },
  {
    headings: ['work', 'size', 'wasm s', 'plain s', 'ratio', 'Mweights/s'],
    cells: rows.map(cellsOf),
  },
  options.json,
);

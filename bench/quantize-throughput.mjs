/**
 * How fast is `pith quantize` beside llama.cpp's `llama-quantize`: the same input, type and thread
 * count, whole processes from start to exit, in turns. Pith's file is on the disk (fsync) when it
 * exits; llama-quantize leaves its own in the page cache.
 *
 * node bench/quantize-throughput.mjs --llama-quantize PATH [--model F.gguf] [--types Q8_0,Q4_K]
 *   [--runs 3] [--threads 2] [--imatrix F] [--json]
 */
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { cachedModel } from './make-model.mjs';
import { measureProcess, pith, settleDisk, warmFile } from './process.mjs';
import { describe, machine, printResult, summarize } from './report.mjs';

const simpleTypes = ['Q8_0', 'Q4_0', 'Q4_1', 'Q5_0', 'Q5_1'];
const kTypes = ['Q2_K', 'Q3_K', 'Q4_K', 'Q5_K', 'Q6_K'];
/** llama-quantize takes minutes for these: they get a smaller model. */
const slowTypes = ['IQ4_NL', 'IQ4_XS', 'IQ3_S'];

const { values: options } = parseArgs({
  options: {
    'llama-quantize': { type: 'string' },
    model: { type: 'string' },
    types: { type: 'string', default: [...simpleTypes, ...kTypes, ...slowTypes].join(',') },
    runs: { type: 'string', default: '3' },
    threads: { type: 'string', default: String(availableParallelism()) },
    imatrix: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});
const { threads, imatrix } = options;
const llamaQuantize = options['llama-quantize'];
if (!llamaQuantize) throw new Error('--llama-quantize PATH is needed; see bench/README.md');
const runs = Number(options.runs);

/** Both programs on one input, with the same threads; their outputs must have the same data size. */
function compare(type, model, folder) {
  const weighted = imatrix ? ['--imatrix', imatrix] : [];
  const ours = join(folder, 'pith.gguf');
  const theirs = join(folder, 'llama.gguf');
  const pithArgs = [pith, 'quantize', model, '--type', type, '--pure', '--no-verify', '--quiet'];
  const programs = {
    pith: () =>
      once(ours, process.execPath, [...pithArgs, '--threads', threads, ...weighted, '-o', ours]),
    llama: () => once(theirs, llamaQuantize, ['--pure', ...weighted, model, theirs, type, threads]),
  };
  const samples = { pith: [], llama: [] };
  for (let run = 0; run < runs; run++) {
    for (const [name, measure] of Object.entries(programs)) samples[name].push(measure());
  }
  requireSameWork(type, samples.pith[0].bytes, samples.llama[0].bytes);
  return rowOf(type, model, samples);
}

function once(output, command, args) {
  rmSync(output, { force: true });
  settleDisk();
  const { seconds, cpuSeconds } = measureProcess(command, args);
  const { size } = statSync(output);
  rmSync(output);
  return { seconds, cpuSeconds, bytes: size };
}

function requireSameWork(type, ours, theirs) {
  // Keys about the quantization differ by a few hundred bytes; a tensor of another type by megabytes.
  if (Math.abs(ours - theirs) < 65536) return;
  throw new Error(`${type}: Pith wrote ${ours} bytes, llama-quantize ${theirs}`);
}

function rowOf(type, model, samples) {
  const of = (name, key) => samples[name].map((sample) => sample[key]);
  const ratios = (key) => summarize(of('llama', key).map((each, i) => each / of('pith', key)[i]));
  const inputBytes = statSync(model).size;
  return {
    type,
    inputBytes,
    pithSeconds: summarize(of('pith', 'seconds')),
    llamaSeconds: summarize(of('llama', 'seconds')),
    ratio: ratios('seconds'),
    processorRatio: ratios('cpuSeconds'),
    pithMegabytesPerSecond: summarize(of('pith', 'seconds').map((s) => inputBytes / s / 1e6)),
  };
}

function cellsOf(row) {
  return [
    row.type,
    (row.inputBytes / 1e6).toFixed(0),
    describe(row.pithSeconds),
    describe(row.llamaSeconds),
    describe(row.ratio),
    describe(row.processorRatio),
    row.pithMegabytesPerSecond.median.toFixed(0),
  ];
}

const before = machine();
const rows = [];
for (const type of options.types.split(',')) {
  const model = options.model ?? cachedModel({ layers: slowTypes.includes(type) ? 1 : 4 });
  const folder = mkdtempSync(join(dirname(model), 'throughput-'));
  try {
    warmFile(model);
    rows.push(compare(type, model, folder));
  } finally {
    rmSync(folder, { recursive: true });
  }
  if (!options.json) console.error(cellsOf(rows.at(-1)).join('  '));
}
printResult(
  {
    question:
      'Seconds to quantize a GGUF file: pith quantize beside llama-quantize (ratio > 1: faster).',
    machine: before,
    settings: { threads, 'pairs a type': runs, imatrix: imatrix ?? 'none' },
    rows,
  },
  {
    headings: ['type', 'input MB', 'pith s', 'llama s', 'ratio', 'processor ratio', 'pith MB/s'],
    cells: rows.map(cellsOf),
  },
  options.json,
);

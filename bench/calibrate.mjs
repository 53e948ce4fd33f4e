/**
 * What do Hessians cost when a model is calibrated: processor time and peak memory more than without them, beside
 * what `collectEvidence` allows, three times the Hessians of a block. Weights (F16, seeded) are made as they are read; sums wait in a file, as
 * `pith calibrate` keeps them. Each turn is a process of its own. With --gradients a pass is about four times as long,
 * Hessians are weighted, and Gram matrices of the output gradients come with them.
 *
 * node bench/calibrate.mjs [--model smolLM2] [--layers 4] [--windows 16] [--tokens 512] [--turns 3] [--threads 2] [--gradients] [--json]
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { collectEvidence } from '../dist/compress/evidence/collect.js';
import { hessianRows } from '../dist/compress/evidence/hessian.js';
import { WeightStore } from '../dist/evaluate/onnx/weight-store.js';
import { StateFile } from '../dist/recipes/calibrate/state-file.js';
import { startTranscoder } from '../dist/runtime/kernel-workers.js';
import { peakMemoryBytes } from '../dist/runtime/memory.js';
import { openOnnxEngine } from '../dist/runtime/onnx/index.js';
import { seededRandom } from '../dist/util/random.js';
import { decoderSizes, lazyModel } from './decoder-shapes.mjs';
import { measureProcess } from './process.mjs';
import { describe, machine, printResult, summarize } from './report.mjs';

const { values: options } = parseArgs({
  options: {
    model: { type: 'string', default: 'smolLM2' },
    layers: { type: 'string', default: '4' },
    windows: { type: 'string', default: '16' },
    tokens: { type: 'string', default: '512' },
    turns: { type: 'string', default: '3' },
    threads: { type: 'string', default: String(availableParallelism()) },
    gradients: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    block: { type: 'string' },
  },
});
const [layers, windows, length, threads] = ['layers', 'windows', 'tokens', 'threads'].map((name) =>
  Number(options[name]),
);
const size = { ...decoderSizes[options.model], layers };
const blocks = ['none', '512', '2048', 'full'];

function productBytes({ hessians, grams }, prefix) {
  const own = [...(hessians?.shapes ?? []), ...(grams?.shapes ?? [])].filter(([name]) =>
    name.startsWith(prefix),
  );
  return own.reduce((sum, [, { columns, rows, blockSize }]) => {
    const size = { columns: columns ?? rows, blockSize };
    return sum + 4 * hessianRows(size) * blockSize;
  }, 0);
}

/** One calibration in this process. */
async function calibrate(block) {
  const hessianBlock = { none: undefined, full: Infinity }[block] ?? Number(block);
  const model = lazyModel(size);
  const engine = await openOnnxEngine({ threads, providers: ['cpu'] });
  const transcoder = await startTranscoder(threads);
  const weights = new WeightStore(model, engine, transcoder, false);
  const random = seededRandom(1);
  const texts = Array.from({ length: windows }, () =>
    Int32Array.from({ length }, () => random.below(size.vocabulary)),
  );
  const folder = mkdtempSync(join(tmpdir(), 'pith-bench-'));
  const store = new StateFile(join(folder, 'state'), 'bench');
  const usage = process.cpuUsage();
  const settings = {
    gradients: options.gradients,
    hessianBlock: block === 'none' ? undefined : hessianBlock,
    store,
  };
  const found = await collectEvidence({ model, engine, weights }, texts, settings);
  const { user, system } = process.cpuUsage(usage);
  const peakBytes = peakMemoryBytes();
  await store.remove();
  rmSync(folder, { recursive: true });
  await transcoder.close();
  await engine.close();
  return {
    cpuSeconds: (user + system) / 1e6,
    peakBytes,
    hessianBytes: productBytes(found, ''),
    blockBytes: productBytes(found, 'blk.0.'),
  };
}

function inProcess(block) {
  const names = ['model', 'layers', 'windows', 'tokens', 'threads'];
  const given = names.flatMap((name) => [`--${name}`, options[name]]);
  const back = options.gradients ? ['--gradients'] : [];
  const line = [import.meta.filename, '--block', block, ...given, ...back];
  return JSON.parse(measureProcess(process.execPath, line).stdout);
}

function compare() {
  const before = machine();
  const turns = Array.from({ length: Number(options.turns) }, () => blocks.map(inProcess));
  const rows = blocks.map((block, at) => {
    const of = (value) => summarize(turns.map((turn) => value(turn[at], turn[0])));
    return {
      block,
      processor: of(({ cpuSeconds }) => cpuSeconds),
      share: of(({ cpuSeconds }, none) => cpuSeconds / none.cpuSeconds - 1),
      peak: of(({ peakBytes }) => peakBytes / 1e6),
      more: of(({ peakBytes }, none) => (peakBytes - none.peakBytes) / 1e6),
      hessianBytes: turns[0][at].hessianBytes,
      blockBytes: turns[0][at].blockBytes,
    };
  });
  printResult(
    {
      question: `${size.name}, ${layers} layers: what do Hessians cost beside ${options.gradients ? 'gradients' : 'a forward pass'}?`,
      machine: before,
      settings: { windows, tokens: length, threads, turns: options.turns },
      rows,
    },
    {
      headings: [
        'columns',
        'processor s',
        'more than none',
        'MB in all',
        'thrice of a block',
        'peak MB',
        'more than none',
      ],
      cells: rows.map((row) => [
        row.block,
        describe(row.processor),
        describe(row.share),
        ...[row.hessianBytes, 3 * row.blockBytes].map((bytes) => (bytes / 1e6).toFixed(0)),
        describe(row.peak, 0),
        describe(row.more, 0),
      ]),
    },
    options.json,
  );
}

if (options.block) console.log(JSON.stringify(await calibrate(options.block)));
else compare();

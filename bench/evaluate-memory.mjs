/**
 * How much memory does evaluating a 7 B-shaped model block by block take: this process' peak resident
 * memory beside two blocks of f32 weights and the activations. The weights (F16, seeded) are made as
 * they are read, so that no 13 GB file is needed; reading a file would add the system's cache only.
 *
 * node bench/evaluate-memory.mjs [--layers 32] [--windows 4] [--tokens 512] [--threads 2] [--json]
 */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { openOnnxScorer } from '../dist/evaluate/onnx/index.js';
import { startTranscoder } from '../dist/runtime/kernel-workers.js';
import { peakMemoryBytes } from '../dist/runtime/memory.js';
import { openOnnxEngine } from '../dist/runtime/onnx/index.js';
import { seededRandom } from '../dist/util/random.js';
import { decoderSizes, lazyModel } from './decoder-shapes.mjs';
import { machine, printResult } from './report.mjs';

const { values: options } = parseArgs({
  options: {
    layers: { type: 'string', default: '32' },
    windows: { type: 'string', default: '4' },
    tokens: { type: 'string', default: '512' },
    threads: { type: 'string', default: String(availableParallelism()) },
    json: { type: 'boolean', default: false },
  },
});
const [windows, contextLength, threads] = [options.windows, options.tokens, options.threads].map(
  Number,
);
const size = { ...decoderSizes.llama7B, layers: Number(options.layers) };

/** f32 bytes of the tensors whose names start so. */
function floatBytes({ tensors }, prefix) {
  const weights = [...tensors.values()]
    .filter(({ name }) => name.startsWith(prefix))
    .map(({ shape }) => shape.reduce((product, length) => product * length, 1));
  return 4 * weights.reduce((sum, count) => sum + count, 0);
}

/** What waits between blocks, and the largest of what one block makes on its way, three at a time. */
function activationBytes({ width, heads, ffn }) {
  const waiting = windows * contextLength * width;
  const inBlock = 3 * contextLength * Math.max(ffn, heads * contextLength, width);
  return 4 * (waiting + inBlock);
}

const before = machine();
const model = lazyModel(size);
const engine = await openOnnxEngine({ threads, providers: ['cpu'] });
const transcoder = await startTranscoder(threads);
const scorer = await openOnnxScorer(model, engine, { contextLength, mode: 'byBlock', transcoder });
const emptyBytes = process.memoryUsage.rss();
const random = seededRandom(1);
const start = performance.now();
const scores = await Promise.all(
  Array.from({ length: windows }, () => {
    const tokens = Int32Array.from({ length: contextLength }, () => random.below(size.vocabulary));
    return scorer.score({ tokens, first: contextLength / 2 });
  }),
);
const seconds = (performance.now() - start) / 1000;
const peakBytes = peakMemoryBytes();
await scorer.close();
await transcoder.close();
await engine.close();

const blockBytes = floatBytes(model, 'blk.0.');
const boundBytes = 2 * blockBytes + activationBytes(size) + emptyBytes;
const row = {
  layers: size.layers,
  weightsBytes: floatBytes(model, ''),
  blockBytes,
  activationBytes: activationBytes(size),
  emptyBytes,
  boundBytes,
  peakBytes,
  seconds,
  finite: scores.every(({ logProbs }) => logProbs.every(Number.isFinite)),
};
const gigabytes = (bytes) => (bytes / 1e9).toFixed(2);
printResult(
  {
    question: `Peak memory of evaluating a ${size.name} model by block: at most two blocks + activations?`,
    machine: before,
    settings: { layers: size.layers, windows, tokens: contextLength, threads, engine: engine.name },
    rows: [row],
  },
  {
    headings: [
      'GB',
      'all weights f32',
      'a block',
      'activations',
      'process empty',
      'bound',
      'peak',
      's',
    ],
    cells: [
      [
        row.finite ? '' : 'NOT FINITE',
        ...[
          row.weightsBytes,
          blockBytes,
          row.activationBytes,
          emptyBytes,
          boundBytes,
          peakBytes,
        ].map(gigabytes),
        seconds.toFixed(0),
      ],
    ],
  },
  options.json,
);

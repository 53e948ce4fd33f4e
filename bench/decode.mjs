/**
 * Does `pith run` decode as fast as the engine below it: tokens per second after the first, beside
 * node-llama-cpp called directly, with the same threads, context and prompt, greedily, in processes
 * of their own and in turns. Both must give the same tokens.
 *
 * node bench/decode.mjs [--models sample,generated | --models F.gguf] [--tokens N] [--runs 7]
 *   [--threads N] [--context 512] [--json]
 */
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { measureProcess, pith, warmFile } from './process.mjs';
import { quantizedGenerated, quantizedSample } from './quantized.mjs';
import { describe, machine, printResult, summarize } from './report.mjs';

const { values: options } = parseArgs({
  options: {
    models: { type: 'string', default: 'sample,generated' },
    tokens: { type: 'string' },
    runs: { type: 'string', default: '7' },
    threads: { type: 'string' },
    context: { type: 'string', default: '512' },
    json: { type: 'boolean', default: false },
  },
});
const prompt = 'Once upon a time';
const direct = resolve(import.meta.dirname, 'decode-direct.mjs');
const cores = String(availableParallelism());

/** A Q4_K_M file; the threads that suit it (the sample is best on one core); enough tokens to time. */
const inputs = {
  sample: () => ({ path: quantizedSample(), threads: '1', tokens: '480' }),
  generated: () => ({
    path: quantizedGenerated(),
    threads: cores,
    tokens: '64',
  }),
};

function runPith({ path, threads, tokens }) {
  const size = ['-n', tokens, '--threads', threads, '--context', options.context];
  const args = [pith, 'run', path, '-p', prompt, ...size, '--temp', '0', '--gpu', 'off', '--json'];
  return JSON.parse(measureProcess(process.execPath, args).stdout);
}

function runDirect({ path, threads, tokens }) {
  const args = [direct, path, prompt, tokens, threads, options.context];
  return JSON.parse(measureProcess(process.execPath, args).stdout);
}

function compare(model) {
  const known = inputs[model]?.() ?? { path: model, threads: cores, tokens: '64' };
  const { threads = known.threads, tokens = known.tokens } = options;
  const input = { ...known, threads, tokens };
  warmFile(input.path);
  const samples = [];
  for (let run = 0; run < Number(options.runs); run++) {
    const inTurn = run % 2 ? [runDirect, runPith] : [runPith, runDirect];
    const results = inTurn.map((decode) => decode(input));
    const [ours, its] = run % 2 ? results.toReversed() : results;
    if (String(ours.tokens) !== String(its.tokens)) {
      throw new Error(`${model}: other tokens:\n${ours.tokens}\n${its.tokens}`);
    }
    samples.push([ours.tokensPerSecond, its.tokensPerSecond]);
  }
  return {
    model,
    threads: Number(threads),
    tokens: Number(tokens),
    pith: summarize(samples.map(([ours]) => ours)),
    direct: summarize(samples.map(([, theirs]) => theirs)),
    ratio: summarize(samples.map(([ours, theirs]) => ours / theirs)),
    bestRatio:
      Math.max(...samples.map(([ours]) => ours)) / Math.max(...samples.map(([, its]) => its)),
  };
}

function cellsOf({ model, threads, tokens, pith, direct, ratio, bestRatio }) {
  return [
    model,
    String(threads),
    String(tokens),
    describe(pith, 1),
    describe(direct, 1),
    describe(ratio, 3),
    bestRatio.toFixed(3),
  ];
}

const before = machine();
const rows = options.models.split(',').map(compare);
printResult(
  {
    question: 'Tokens decoded per second: pith run beside node-llama-cpp called directly.',
    machine: before,
    settings: { context: options.context, 'pairs a model': options.runs },
    rows,
  },
  {
    headings: ['model', 'threads', 'tokens', 'pith', 'direct', 'ratio', 'ratio of the fastest'],
    cells: rows.map(cellsOf),
  },
  options.json,
);

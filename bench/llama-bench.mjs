/**
 * Does `pith bench` say what llama-bench says: tokens per second of prompts and of decoding after
 * them, in processes of their own and in turns, with the same threads and lengths.
 *
 * llama-bench throws random tokens at the model and samples nothing; Pith decodes as `pith run`
 * does, greedily. A model whose step takes a millisecond shows what that costs.
 *
 * node bench/llama-bench.mjs --llama-bench PATH [MODEL.gguf …] [--prompt 128] [--tokens 32]
 *   [--threads N] [--pairs 7] [--json]
 */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { measureProcess, pith, warmFile } from './process.mjs';
import { quantizedGenerated, quantizedSample } from './quantized.mjs';
import { describe, machine, printResult, summarize } from './report.mjs';

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    'llama-bench': { type: 'string' },
    prompt: { type: 'string', default: '128' },
    tokens: { type: 'string', default: '32' },
    threads: { type: 'string', default: String(availableParallelism()) },
    pairs: { type: 'string', default: '7' },
    json: { type: 'boolean', default: false },
  },
});
const llamaBench = options['llama-bench'];
if (!llamaBench) throw new Error('usage: llama-bench.mjs --llama-bench PATH [MODEL.gguf …]');
const { prompt, tokens, threads } = options;
// Of several repeats in one process the fastest counts: on a busy machine others are interrupted.
const repeats = '5';

function runPith(path) {
  const size = ['--prompts', prompt, '--tokens', tokens, '--threads', threads];
  const args = [pith, 'bench', path, ...size, '--repeats', repeats, '--gpu', 'off', '--json'];
  const { prefill, decode } = JSON.parse(measureProcess(process.execPath, args).stdout);
  return {
    prefill: prefill[0].tokensPerSecond.high,
    decode: decode[0].tokensPerSecond.high,
  };
}

function runLlamaBench(path) {
  const common = ['-m', path, '-t', threads, '-r', repeats, '-o', 'json'];
  const run = (...args) => {
    const [result] = JSON.parse(measureProcess(llamaBench, [...common, ...args]).stdout);
    return Math.max(...result.samples_ts);
  };
  return {
    prefill: run('-p', prompt, '-n', '0'),
    decode: run('-p', '0', '-n', tokens, '-d', prompt),
  };
}

function compare(path) {
  warmFile(path);
  const pairs = [];
  for (let pair = 0; pair < Number(options.pairs); pair++) {
    const inTurn = pair % 2 ? [runLlamaBench, runPith] : [runPith, runLlamaBench];
    const results = inTurn.map((measure) => measure(path));
    pairs.push(pair % 2 ? results.toReversed() : results);
  }
  return ['prefill', 'decode'].map((phase) => ({
    model: path,
    phase,
    pith: summarize(pairs.map(([ours]) => ours[phase])),
    llamaBench: summarize(pairs.map(([, theirs]) => theirs[phase])),
    ratio: summarize(pairs.map(([ours, theirs]) => ours[phase] / theirs[phase])),
    bestRatio:
      Math.max(...pairs.map(([ours]) => ours[phase])) /
      Math.max(...pairs.map(([, theirs]) => theirs[phase])),
  }));
}

const before = machine();
const models = positionals.length > 0 ? positionals : [quantizedSample(), quantizedGenerated()];
const rows = models.flatMap(compare);
printResult(
  {
    question: 'Tokens per second: pith bench beside llama-bench.',
    machine: before,
    settings: { prompt, tokens, threads, pairs: options.pairs, 'repeats a process': repeats },
    rows,
  },
  {
    headings: ['model', 'phase', 'pith', 'llama-bench', 'ratio', 'ratio of the fastest'],
    cells: rows.map(({ model, phase, pith, llamaBench, ratio, bestRatio }) => [
      model.split('/').at(-1),
      phase,
      describe(pith, 1),
      describe(llamaBench, 1),
      describe(ratio, 3),
      bestRatio.toFixed(3),
    ]),
  },
  options.json,
);

/**
 * What do experts on their own tokens save: a model of 8 experts, of which each token needs 2, block by
 * block as it is evaluated, beside the same blocks with every expert on every token and weights of 0.
 * Weights are read (F16, made as they are read) and decoded in both. Each turn is a process of its own;
 * seconds are those of all windows, peak memory the process'. Processor time is of all threads, right on
 * a busy machine too.
 *
 * node bench/experts.mjs [--windows 4] [--tokens 512] [--turns 3] [--threads 2] [--json]
 */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { BlockForward } from '../dist/evaluate/onnx/block-forward.js';
import { Programs, weightNames } from '../dist/evaluate/onnx/programs.js';
import { WeightStore } from '../dist/evaluate/onnx/weight-store.js';
import { tokenBatch } from '../dist/evaluate/onnx/window-batch.js';
import { GraphBuilder } from '../dist/graph/builder.js';
import { blockGraph, embeddingGraph, tensorOfInput } from '../dist/models/graph/decoder.js';
import { startTranscoder } from '../dist/runtime/kernel-workers.js';
import { peakMemoryBytes } from '../dist/runtime/memory.js';
import { openOnnxEngine } from '../dist/runtime/onnx/index.js';
import { seededRandom } from '../dist/util/random.js';
import { decoderSizes, lazyModel } from './decoder-shapes.mjs';
import { measureProcess } from './process.mjs';
import { describe, machine, printResult, summarize } from './report.mjs';

const { values: options } = parseArgs({
  options: {
    windows: { type: 'string', default: '4' },
    tokens: { type: 'string', default: '512' },
    turns: { type: 'string', default: '3' },
    threads: { type: 'string', default: String(availableParallelism()) },
    json: { type: 'boolean', default: false },
    way: { type: 'string' },
  },
});
const [windows, length, threads] = [options.windows, options.tokens, options.threads].map(Number);
const size = decoderSizes.experts;
const shape = { batch: 1, length };

/** Every expert on every token: what `blockGraph` computes. */
async function* denseForward(model, engine, weights, batches) {
  const programs = new Programs(engine);
  const run = async (index, inputs) => {
    const make = () => (index < 0 ? embeddingGraph(model, shape) : blockGraph(model, 0, shape));
    const program = await programs.get(index < 0 ? 'embedding' : 'block', make);
    const stored = {};
    for (const name of weightNames(program.graph))
      stored[name] = await weights.get(tensorOfInput(name, index));
    const { kept } = await program.run({ ...stored, ...inputs }, { outputs: [], keep: ['hidden'] });
    return kept.hidden;
  };
  const hidden = [];
  for (const { tokens } of batches) hidden.push(await run(-1, { tokens }));
  for (let index = 0; index < size.layers; index++) {
    for (const [at, input] of hidden.entries()) {
      hidden[at] = await run(index, { input });
      await input.release();
    }
    const block = `blk.${index}.`;
    await weights.release([...model.tensors.keys()].filter((name) => name.startsWith(block)));
  }
  yield* hidden;
}

/** One pass in this process: seconds, peak memory, and a window's output. */
async function pass(way) {
  const model = lazyModel(size);
  const engine = await openOnnxEngine({ threads, providers: ['cpu'] });
  const transcoder = await startTranscoder(threads);
  const weights = new WeightStore(model, engine, transcoder, false);
  const random = seededRandom(1);
  const batches = Array.from({ length: windows }, () =>
    tokenBatch(shape, [
      { tokens: Int32Array.from({ length }, () => random.below(size.vocabulary)) },
    ]),
  );
  const control = { check: () => undefined, onProgress: undefined };
  const started = performance.now();
  const usage = process.cpuUsage();
  const outputs =
    way === 'own'
      ? new BlockForward(model, engine, weights).run(batches, control)
      : denseForward(model, engine, weights, batches);
  const hidden = [];
  for await (const output of outputs) hidden.push(output);
  const seconds = (performance.now() - started) / 1000;
  const { user, system } = process.cpuUsage(usage);
  const cpuSeconds = (user + system) / 1e6;
  const peakBytes = peakMemoryBytes();
  const output = await values(engine, hidden[0]);
  await transcoder.close();
  await engine.close();
  return { seconds, cpuSeconds, peakBytes, output };
}

/** A stored tensor's numbers. */
async function values(engine, stored) {
  const g = new GraphBuilder();
  g.output('output', g.mul(g.input('input', 'f32', stored.shape), g.scalar(1)));
  const program = await engine.compile(g.build());
  return [...(await program.run({ input: stored })).outputs.output];
}

function passInProcess(way) {
  const given = ['--windows', options.windows, '--tokens', options.tokens];
  const line = [import.meta.filename, '--way', way, '--threads', options.threads, ...given];
  return JSON.parse(measureProcess(process.execPath, line).stdout);
}

const numbersOf = (passes) => ({
  seconds: summarize(passes.map(({ seconds }) => seconds)),
  processor: summarize(passes.map(({ cpuSeconds }) => cpuSeconds)),
  megabytes: summarize(passes.map(({ peakBytes }) => peakBytes / 1e6)),
});
const largestOf = (numbers) => numbers.reduce((most, value) => Math.max(most, Math.abs(value)), 0);

function compare() {
  const before = machine();
  const [all, own] = [[], []];
  for (let turn = 0; turn < Number(options.turns); turn++) {
    all.push(passInProcess('all'));
    own.push(passInProcess('own'));
  }
  const [reference, found] = [all[0].output, own[0].output];
  const largest = largestOf(reference);
  const difference = largestOf(reference.map((value, at) => value - found[at]));
  const timesOf = (key) => summarize(all.map((one, turn) => one[key] / own[turn][key]));
  const rows = [
    { name: 'every expert on all tokens', ...numbersOf(all) },
    {
      name: 'on its own tokens',
      ...numbersOf(own),
      times: timesOf('seconds'),
      processorTimes: timesOf('cpuSeconds'),
    },
  ];
  printResult(
    {
      question: `A ${size.name} model by block: what do experts on their own tokens save?`,
      machine: before,
      settings: {
        windows,
        tokens: length,
        threads,
        turns: options.turns,
        'largest difference': difference.toExponential(1),
        'largest value': largest.toFixed(1),
      },
      rows,
    },
    {
      headings: ['', 's', 'processor s', 'peak MB', 'times as fast', 'by processor time'],
      cells: rows.map((row) => [
        row.name,
        describe(row.seconds),
        describe(row.processor),
        describe(row.megabytes, 0),
        row.times ? describe(row.times) : '',
        row.processorTimes ? describe(row.processorTimes) : '',
      ]),
    },
    options.json,
  );
}

if (options.way) console.log(JSON.stringify(await pass(options.way)));
else compare();

/**
 * What does Pith's layer add to a decoding step: the time between tokens of `openLlama().generate()`
 * beside node-llama-cpp called directly, both open in this process and taking turns. The median step
 * is hardly moved by other work on the machine, unlike tokens per second.
 *
 * node bench/decode-steps.mjs [MODEL.gguf] [--tokens 64] [--turns 20] [--threads 1] [--json]
 */
import { getLlama, LlamaLogLevel } from 'node-llama-cpp';
import { parseArgs } from 'node:util';
import { openLlama } from '../dist/runtime/llama.js';
import { quantizedSample } from './quantized.mjs';
import { describe, machine, median, printResult, summarize } from './report.mjs';

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    tokens: { type: 'string', default: '64' },
    turns: { type: 'string', default: '20' },
    threads: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
  },
});
const path = positionals[0] ?? quantizedSample();
const maxTokens = Number(options.tokens);
const threads = Number(options.threads);
const contextLength = 512;
const prompt = 'Once upon a time';

/** Milliseconds between tokens, from when each was there. */
const stepsOf = (times) => times.slice(1).map((time, i) => time - times[i]);

async function openPith() {
  const engine = await openLlama(path, { threads, contextLength });
  const turn = async () => {
    const times = [];
    const onText = () => times.push(performance.now());
    const { tokens } = await engine.generate(prompt, { maxTokens, temperature: 0, onText });
    return { tokens, times };
  };
  return { turn, close: () => engine.close() };
}

async function openDirect() {
  const logLevel = LlamaLogLevel.error;
  const llama = await getLlama({ gpu: false, build: 'never', maxThreads: threads, logLevel });
  const model = await llama.loadModel({ modelPath: path });
  const sequence = (await model.createContext({ contextSize: contextLength })).getSequence();
  const turn = async () => {
    await sequence.clearHistory();
    const [tokens, times] = [[], []];
    for await (const token of sequence.evaluate(model.tokenize(prompt), { temperature: 0 })) {
      times.push(performance.now());
      tokens.push(token);
      if (tokens.length === maxTokens) break;
    }
    return { tokens, times };
  };
  return { turn, close: () => llama.dispose() };
}

const before = machine();
const engines = { pith: await openPith(), direct: await openDirect() };
const steps = { pith: [], direct: [] };
for (let turn = 0; turn < Number(options.turns); turn++) {
  const tokens = {};
  for (const [name, engine] of Object.entries(engines)) {
    const result = await engine.turn();
    steps[name].push(stepsOf(result.times));
    tokens[name] = String(result.tokens);
  }
  if (tokens.pith !== tokens.direct) throw new Error('other tokens', { cause: tokens });
}
for (const engine of Object.values(engines)) await engine.close();

const medians = (name) => summarize(steps[name].map(median));
const row = {
  pithStepMs: { ...medians('pith'), median: median(steps.pith.flat()) },
  directStepMs: { ...medians('direct'), median: median(steps.direct.flat()) },
  ratio: summarize(steps.pith.map((own, turn) => median(own) / median(steps.direct[turn]))),
};
printResult(
  {
    question:
      'Milliseconds of a decoding step: Pith’s runtime beside node-llama-cpp (ratio 1: no cost).',
    machine: before,
    settings: { threads, tokens: maxTokens, turns: options.turns },
    rows: [row],
  },
  {
    headings: ['', 'pith ms', 'direct ms', 'ratio'],
    cells: [
      [
        'median step',
        describe(row.pithStepMs, 3),
        describe(row.directStepMs, 3),
        describe(row.ratio, 3),
      ],
    ],
  },
  options.json,
);

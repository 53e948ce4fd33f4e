/**
 * How long do perplexity and KL divergence of a 135 M-parameter model (SmolLM2's shape, random F16
 * weights) take, beside `llama-perplexity` on the same file and tokens? Pith's time is from opening the
 * engine and the model to the last score; llama-perplexity's that of the process. The pass over the
 * base model that a divergence needs once is shown on its own. Both perplexities are printed: they
 * are of the same tokens, the second half of each window.
 *
 * node bench/evaluate-speed.mjs --llama-perplexity PATH [--tokens 51200] [--turns 1] [--threads 2] [--json]
 */
import { rmSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openOnnxScorer, scoreBase, scoreCandidate } from '../dist/evaluate/index.js';
import { openModel } from '../dist/models/index.js';
import { startTranscoder } from '../dist/runtime/kernel-workers.js';
import { openOnnxEngine } from '../dist/runtime/onnx/index.js';
import { seededRandom } from '../dist/util/random.js';
import { decoderSizes } from './decoder-shapes.mjs';
import { cacheFolder, cachedModel } from './make-model.mjs';
import { measureProcess } from './process.mjs';
import { describe, machine, printResult, summarize } from './report.mjs';

const { values: options } = parseArgs({
  options: {
    'llama-perplexity': { type: 'string' },
    tokens: { type: 'string', default: '51200' },
    turns: { type: 'string', default: '1' },
    threads: { type: 'string', default: String(availableParallelism()) },
    json: { type: 'boolean', default: false },
  },
});
const context = 512;
const chunks = Math.ceil(Number(options.tokens) / context);
const threads = Number(options.threads);
const path = cachedModel(decoderSizes.smolLM2);

const random = seededRandom(1);

/** Letters at random: a token each in the generated tokenizer, whose ids are the bytes. */
const letters = Uint8Array.from({ length: chunks * context }, () => 97 + random.below(26));

function windowsOf(bytes) {
  const windows = Array.from({ length: chunks }, (_, chunk) => ({
    tokens: Int32Array.from(bytes.subarray(chunk * context, (chunk + 1) * context)),
    first: context / 2,
    document: 0,
  }));
  const tokens = (chunks * context) / 2;
  return { windows, documents: [{ name: 'letters', tokens, bytes: tokens }], tokens, notes: [] };
}

const text = windowsOf(letters);

async function collect(scores) {
  const all = [];
  for await (const window of scores) all.push(window);
  return all;
}

const perplexityOf = (scores) => {
  const sum = scores.reduce((total, { logProbs }) => logProbs.reduce((a, b) => a + b, total), 0);
  return Math.exp(-sum / text.tokens);
};

/** Opens everything, then scores with `score`; seconds and scores. */
async function scoredByPith(score) {
  const start = performance.now();
  const engine = await openOnnxEngine({ threads, providers: ['cpu'] });
  const transcoder = await startTranscoder(threads);
  const model = await openModel(path);
  const scorer = await openOnnxScorer(model, engine, { contextLength: context, transcoder });
  const scores = await collect(score(scorer));
  const seconds = (performance.now() - start) / 1000;
  await scorer.close();
  await Promise.all([model.close(), transcoder.close(), engine.close()]);
  return { seconds, scores };
}

function scoredByLlama() {
  const file = join(cacheFolder(), 'letters.txt');
  writeFileSync(file, letters);
  const sizes = ['-c', String(context), '-b', '2048', '--chunks', String(chunks)];
  const line = ['-m', path, '-f', file, ...sizes, '-t', String(threads)];
  const { seconds, stdout, stderr } = measureProcess(options['llama-perplexity'], line);
  rmSync(file);
  const [, perplexity] = /Final estimate: PPL = ([\d.]+)/.exec(stdout + stderr) ?? [];
  return { seconds, perplexity: Number(perplexity) };
}

const before = machine();
const base = await scoredByPith((scorer) => scoreBase(scorer, text, 256));
const pith = [];
const llama = [];
let perplexity = 0;
let divergence = 0;
for (let turn = 0; turn < Number(options.turns); turn++) {
  const baseOf = async (index) => base.scores[index];
  const candidate = await scoredByPith((scorer) => scoreCandidate(scorer, text, baseOf));
  pith.push(candidate.seconds);
  perplexity = perplexityOf(candidate.scores);
  divergence = Math.max(...candidate.scores.flatMap(({ against }) => [...against.kl]));
  if (options['llama-perplexity']) llama.push(scoredByLlama());
}
const rows = [
  { name: 'pith: perplexity + KL', seconds: summarize(pith), perplexity },
  {
    name: 'pith: base, top 256',
    seconds: summarize([base.seconds]),
    perplexity: perplexityOf(base.scores),
  },
];
if (llama.length > 0) {
  const seconds = summarize(llama.map((run) => run.seconds));
  rows.push({ name: 'llama-perplexity', seconds, perplexity: llama[0].perplexity });
  const times = summarize(llama.map((run, turn) => pith[turn] / run.seconds));
  rows[0].times = times;
}
printResult(
  {
    question: 'Perplexity and KL of a 135 M-parameter model: how many times llama-perplexity?',
    machine: before,
    settings: {
      tokens: chunks * context,
      threads,
      turns: options.turns,
      context,
      'largest KL to itself': divergence,
    },
    rows,
  },
  {
    headings: ['', 's', 'times', 'perplexity'],
    cells: rows.map(({ name, seconds, times, perplexity: value }) => [
      name,
      describe(seconds, 1),
      times ? describe(times) : '',
      value.toFixed(2),
    ]),
  },
  options.json,
);

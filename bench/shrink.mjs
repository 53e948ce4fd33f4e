/**
 * How long does `pith shrink` take, and does its cost model hold: kinds of work a step, their rates measured on two
 * small models, then predicted and measured for a larger one. Models have random weights and a token a byte of text, some four
 * times as many as a tokenizer of 49,152 makes: --tokens and --scored stand for the texts in the box with such a one.
 *
 * node bench/shrink.mjs [--model smolLM2] [--layers N] [--tokens 40960] [--scored 6144] [--fit-tokens 8192] [--bits 4.5] [--predict] [--json]
 *
 * --predict measures the small models only.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openModel } from '../dist/models/index.js';
import { candidatesOf, candidateTypes } from '../dist/recipes/shrink/budget/candidates.js';
import { decoderSizes } from './decoder-shapes.mjs';
import { cachedModel } from './make-model.mjs';
import { measureProcess, pith } from './process.mjs';
import { machine, printResult } from './report.mjs';
import { fitRates, predictedSeconds, workOf } from './shrink-work.mjs';

const { values: options } = parseArgs({
  options: {
    model: { type: 'string', default: 'smolLM2' },
    layers: { type: 'string' },
    tokens: { type: 'string', default: '40960' },
    scored: { type: 'string', default: '6144' },
    'fit-tokens': { type: 'string', default: '8192' },
    bits: { type: 'string', default: '4.5' },
    predict: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
});
const scored = Number(options.scored);
const windowTokens = 512;
/** One window in eight, at most eight, is held out. */
const heldOutOf = (tokens) =>
  windowTokens * Math.min(8, Math.max(1, Math.floor(tokens / windowTokens / 8)));

const narrow = { layers: 6, width: 256, heads: 4, kvHeads: 2, ffn: 1024, vocabulary: 4096 };
const wide = { layers: 2, width: 768, heads: 12, kvHeads: 4, ffn: 2048, vocabulary: 16384 };
const small = [
  { ...narrow, name: '9 M', tied: true },
  { ...wide, name: '39 M', tied: false },
];
const chosen = decoderSizes[options.model];
const large = { ...chosen, layers: Number(options.layers ?? chosen.layers) };

async function workFor(size, tokens) {
  const model = await openModel(cachedModel(size));
  const candidates = candidatesOf(model, candidateTypes({}));
  await model.close();
  const typesOf = (name) => candidates.get(name)?.length ?? 0;
  const heldOut = heldOutOf(tokens);
  // Windows overlap by half: a token that is scored is run twice.
  return workOf(size, { tokens: tokens - heldOut, heldOut, scored: 2 * scored, typesOf });
}

/** Seconds by step, `types 4.5bit` as `types`. */
function measure(size, tokens) {
  const folder = mkdtempSync(join(tmpdir(), 'pith-bench-'));
  try {
    const line = [
      pith,
      'shrink',
      cachedModel(size),
      '--bits',
      options.bits,
      '--tokens',
      `${tokens}`,
    ];
    const rest = [
      '--max-tokens',
      `${scored}`,
      '--cache',
      join(folder, 'cache'),
      '--no-speed',
      '--json',
    ];
    const run = measureProcess(process.execPath, [...line, ...rest, '-o', join(folder, 'out')]);
    const { steps } = JSON.parse(run.stdout);
    const seconds = Object.fromEntries(
      steps.flatMap(({ name, seconds: took }) => {
        const [step, of] = name.split(' ');
        return of === undefined || of.endsWith('bit') ? [[step, took]] : [];
      }),
    );
    return { seconds, whole: run.seconds, peakBytes: run.peakBytes };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const before = machine();
const fitted = [];
for (const size of small) {
  const tokens = Number(options['fit-tokens']);
  const { seconds } = measure(size, tokens);
  const work = await workFor(size, tokens);
  for (const [step, own] of Object.entries(work))
    fitted.push({ work: own, seconds: seconds[step] });
}
const rates = fitRates(fitted);
const tokens = Number(options.tokens);
const work = await workFor(large, tokens);
const found = options.predict ? undefined : measure(large, tokens);
const rows = Object.entries(work).map(([step, own]) => ({
  step,
  predicted: predictedSeconds(own, rates),
  measured: found?.seconds[step],
}));
const predicted = rows.reduce((total, row) => total + row.predicted, 0);
rows.push({ step: 'all', predicted, measured: found?.whole });
const shown = (value, digits) => (value === undefined ? '' : value.toFixed(digits));
printResult(
  {
    question: `pith shrink of ${large.name}, ${large.layers} layers: does the cost model hold?`,
    machine: before,
    settings: { tokens, scored, 'fit-tokens': options['fit-tokens'], bits: options.bits },
    rows,
    rates: Object.fromEntries(rates),
    ...(found && { peakBytes: found.peakBytes }),
  },
  {
    headings: ['step', 'predicted s', 'measured s', 'measured / predicted'],
    cells: rows.map(({ step, predicted: expected, measured }) => [
      step,
      expected.toFixed(0),
      shown(measured, 0),
      shown(measured && measured / expected, 2),
    ]),
  },
  options.json,
);

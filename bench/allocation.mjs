/**
 * How well does the predicted KL divergence of a mix of types order what is measured, and what does
 * choosing by it gain? Random mixes between `--from` and `--to` bits a weight, each tensor's type drawn
 * near the mix' own target, are predicted from evidence (measured on `--data`) and then measured with
 * their rounded weights on ONNX Runtime (on `--text`, which should be of other documents). Prints the rank
 * correlation with its 95 % interval over draws of the mixes, and the same for costs calibrated by a few
 * probes, taken on the text of the evidence. Then what `allocate` makes of some sizes.
 *
 * node bench/allocation.mjs --data CALIBRATION.txt --text OTHER.txt [--model sample] [--mixes 24]
 *   [--tokens 6000] [--evidence-tokens 49152] [--from 2.6] [--to 6] [--probes] [--seed 1] [--json]
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import {
  allocate,
  calibrateCosts,
  choiceGroups,
  columnImportance,
  predictCosts,
  usesOf,
} from '../dist/compress/allocate/index.js';
import { readEvidence } from '../dist/compress/evidence/index.js';
import {
  cutWindows,
  keptTop,
  openOnnxScorer,
  parseDocuments,
  scoreBase,
  scoreCandidate,
} from '../dist/evaluate/index.js';
import { readFloats } from '../dist/evaluate/onnx/read-floats.js';
import { openModel } from '../dist/models/index.js';
import { calibrate } from '../dist/recipes/calibrate/calibrate.js';
import { openTokenizer } from '../dist/recipes/evaluate/tokenizer.js';
import { startTranscoder } from '../dist/runtime/kernel-workers.js';
import { openOnnxEngine } from '../dist/runtime/onnx/index.js';
import { openFile } from '../dist/storage/index.js';
import { bitsPerWeight } from '../dist/tensor/block-types.js';
import { weightsOf } from '../dist/tensor/tensor.js';
import { seededRandom } from '../dist/util/random.js';
import { machine, median, printResult } from './report.mjs';

const { values: options } = parseArgs({
  options: {
    data: { type: 'string' },
    text: { type: 'string' },
    model: { type: 'string', default: 'sample' },
    mixes: { type: 'string', default: '24' },
    tokens: { type: 'string', default: '6000' },
    'evidence-tokens': { type: 'string', default: '49152' },
    from: { type: 'string', default: '2.6' },
    to: { type: 'string', default: '6' },
    probes: { type: 'boolean', default: false },
    seed: { type: 'string', default: '1' },
    threads: { type: 'string', default: '2' },
    json: { type: 'boolean', default: false },
  },
});
if (!options.data || !options.text)
  throw new Error('Give --data, text for the evidence, and --text, other text to measure on.');
const types = [
  'IQ2_XS',
  'IQ2_S',
  'Q2_K',
  'IQ3_XXS',
  'Q3_K',
  'IQ3_S',
  'IQ4_XS',
  'Q4_K',
  'Q5_K',
  'Q6_K',
  'Q8_0',
];
const allocatedBits = [3, 3.5, 4, 4.5, 5];
const context = 512;
const stride = 256;
const resamples = 2000;
const threads = Number(options.threads);
const random = seededRandom(Number(options.seed));

const before = machine();
const engine = await openOnnxEngine({ threads, providers: ['cpu'] });
const transcoder = await startTranscoder(threads);
const model = await openModel(options.model);
const evidence = await measureEvidence();
const costs = await predictCosts(model, evidence, { types, transcoder });
const names = [...costs.keys()];
const weights = names.reduce((sum, name) => sum + weightsOf(model.tensors.get(name).shape), 0);
const tokenizer = await openTokenizer([options.model], model);
const scorer = await openOnnxScorer(model, engine, { contextLength: context, transcoder });
const probe = await divergenceOn(options.data);
const measure = await divergenceOn(options.text);
const calibrated = options.probes ? await calibrateCosts(costs, probe) : undefined;

const rows = [];
for (let mix = 0; mix < Number(options.mixes); mix++)
  rows.push(await measured(`mix ${mix}`, draw(mix)));
const mixes = rows.slice();
for (const bits of allocatedBits) {
  const found = allocate(choiceGroups(calibrated?.costs ?? costs), (bits * weights) / 8);
  rows.push(await measured(`allocated for ${bits}`, found.types));
}
const correlation = spread(mixes, 'predicted');
const ratios = mixes.map((row) => row.measured / row.predicted);
await scorer.close();
await tokenizer.close();
await Promise.all([model.close(), transcoder.close(), engine.close()]);

printResult(
  {
    question: 'Does the predicted KL divergence order mixes of types as the measured one does?',
    machine: before,
    settings: {
      model: options.model,
      mixes: mixes.length,
      tokens: options.tokens,
      'evidence tokens': evidence.tokens,
      'rank correlation': correlation,
      'measured over predicted': `${median(ratios).toFixed(2)} (${Math.min(...ratios).toFixed(2)}-${Math.max(...ratios).toFixed(2)})`,
      ...(calibrated && { 'rank correlation after probes': spread(mixes, 'calibrated') }),
      ...(calibrated && {
        factors: [...calibrated.factors].map(([of, by]) => `${of} ${by.toFixed(2)}`).join(', '),
      }),
    },
    rows,
  },
  {
    headings: ['', 'bits', 'predicted', 'calibrated', 'measured', 'measured / predicted'],
    cells: rows.map((row) => [
      row.name,
      row.bits.toFixed(2),
      row.predicted.toFixed(5),
      row.calibrated?.toFixed(5) ?? '',
      row.measured.toFixed(5),
      (row.measured / row.predicted).toFixed(2),
    ]),
  },
  options.json,
);

async function measureEvidence() {
  const folder = mkdtempSync(join(tmpdir(), 'pith-allocation-'));
  const output = join(folder, 'evidence.gguf');
  const maxTokens = Number(options['evidence-tokens']);
  await calibrate({ model: options.model, data: [options.data], maxTokens }, { output, threads });
  const source = await openFile(output);
  const evidence = await readEvidence(source);
  await source.close();
  rmSync(folder, { recursive: true });
  return evidence;
}

/** Types drawn around a target that rises from mix to mix; a type a bit away is drawn 0.6 times as often. */
function draw(mix) {
  const [from, to] = [Number(options.from), Number(options.to)];
  const target = from + ((mix + 0.5) / Number(options.mixes)) * (to - from);
  const chances = types.map((type) => Math.exp(-((bitsPerWeight(type) - target) ** 2) / 2));
  const total = chances.reduce((sum, chance) => sum + chance, 0);
  return new Map(
    names.map((name) => {
      let left = random.uniform() * total;
      const at = chances.findIndex((chance) => (left -= chance) < 0);
      return [name, costs.get(name)[Math.max(0, at)].type];
    }),
  );
}

async function measured(name, chosen) {
  const sum = (of, key) =>
    names.reduce(
      (total, one) => total + of.get(one).find(({ type }) => type === chosen.get(one))[key],
      0,
    );
  return {
    name,
    bits: (8 * sum(costs, 'bytes')) / weights,
    predicted: sum(costs, 'cost'),
    ...(calibrated && { calibrated: sum(calibrated.costs, 'cost') }),
    measured: await measure(chosen),
  };
}

/** Measures mean KL divergences of candidates on the first tokens of a text. */
async function divergenceOn(path) {
  const { documents } = parseDocuments(readFileSync(path), path);
  const maxTokens = Number(options.tokens);
  const text = cutWindows(documents, tokenizer, { context, stride, maxTokens });
  const base = [];
  for await (const window of scoreBase(scorer, text, keptTop(scorer.vocabulary))) base.push(window);
  return async (chosen) => {
    for (const [name, type] of chosen) await scorer.replaceWeights(name, await rounded(name, type));
    let sum = 0;
    for await (const { against } of scoreCandidate(scorer, text, async (at) => base[at]))
      for (const kl of against.kl) sum += kl;
    return sum / text.tokens;
  };
}

async function rounded(name, type) {
  const tensor = model.tensors.get(name);
  const columns = tensor.shape.at(-1);
  const importance = columnImportance(usesOf(name, evidence));
  const values = await readFloats(tensor, transcoder);
  const bytes = new Uint8Array(values.buffer);
  const coded = await transcoder.transcode({ from: 'F32', to: type, columns, bytes, importance });
  const decoded = await transcoder.transcode({ from: type, to: 'F32', columns, bytes: coded.out });
  const result = new Float32Array(decoded.out.slice().buffer);
  coded.release();
  decoded.release();
  return result;
}

/** `0.985 (0.962-0.994)`: Spearman's correlation, and its 95 % interval by resampling the mixes. */
function spread(of, key) {
  const resampled = Array.from({ length: resamples }, () =>
    spearman(
      of.map(() => of[random.below(of.length)]),
      key,
    ),
  ).sort((a, b) => a - b);
  const at = (share) => resampled[Math.floor(share * resamples)].toFixed(3);
  return `${spearman(of, key).toFixed(4)} (${at(0.025)}-${at(0.975)})`;
}

function spearman(of, key) {
  const [x, y] = [key, 'measured'].map((one) => ranks(of.map((row) => row[one])));
  const mean = (of.length - 1) / 2;
  const product = (a, b) => a.reduce((sum, value, at) => sum + (value - mean) * (b[at] - mean), 0);
  return product(x, y) / Math.sqrt(product(x, x) * product(y, y));
}

/** From 0; equal values share the mean of their ranks. */
function ranks(values) {
  return values.map((value) => {
    const below = values.filter((other) => other < value).length;
    const equal = values.filter((other) => other === value).length;
    return below + (equal - 1) / 2;
  });
}

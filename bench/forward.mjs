/**
 * What share of plain matrix products' speed does a whole forward pass keep: a 135 M-parameter decoder
 * (SmolLM2's shape, random weights) from tokens to the logits of all positions, beside a graph of
 * nothing but MatMuls of the same shapes, attention's products included, each with a weight of its own.
 * Both run on ONNX Runtime in this process with the same threads, and take turns.
 *
 * node bench/forward.mjs [--tokens 512] [--turns 9] [--threads 2] [--json]
 */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { GraphBuilder } from '../dist/graph/builder.js';
import { simplify } from '../dist/graph/rewrites/simplify.js';
import { decoderGraph } from '../dist/models/graph/decoder.js';
import { openOnnxEngine } from '../dist/runtime/onnx/index.js';
import { seededRandom } from '../dist/util/random.js';
import { decoderSizes, lazyModel } from './decoder-shapes.mjs';
import { describe, machine, printResult, summarize } from './report.mjs';

const { values: options } = parseArgs({
  options: {
    tokens: { type: 'string', default: '512' },
    turns: { type: 'string', default: '9' },
    threads: { type: 'string', default: String(availableParallelism()) },
    json: { type: 'boolean', default: false },
  },
});
const tokens = Number(options.tokens);
const size = decoderSizes.smolLM2;
const random = seededRandom(1);

/** The matrix products of a forward pass in a chain, and how many floating-point operations they are. */
function productsGraph({ layers, width, heads, kvHeads, ffn, vocabulary }) {
  const g = new GraphBuilder();
  const headWidth = width / heads;
  let operations = 0;
  const product = (x, name, shape) => {
    const y = g.matmul(x, g.input(name, 'f32', shape));
    operations += 2 * y.shape.reduce((count, length) => count * length, 1) * x.shape.at(-1);
    return y;
  };
  let x = g.input('x', 'f32', [tokens, width]);
  let queries = g.input('queries', 'f32', [heads, tokens, headWidth]);
  for (let layer = 0; layer < layers; layer++) {
    const at = (name) => `${layer}.${name}`;
    x = product(x, at('query'), [width, width]);
    for (const side of ['key', 'value'])
      g.output(at(`${side}s`), product(x, at(side), [width, kvHeads * headWidth]));
    queries = product(queries, at('attended'), [heads, headWidth, tokens]);
    queries = product(queries, at('weighed'), [heads, tokens, headWidth]);
    x = product(x, at('output'), [width, width]);
    g.output(at('gates'), product(x, at('gate'), [width, ffn]));
    x = product(product(x, at('up'), [width, ffn]), at('down'), [ffn, width]);
  }
  g.output('queriesOut', queries);
  g.output('logits', product(x, 'output', [width, vocabulary]));
  return { graph: g.build(), operations };
}

/** Random data for every input, stored at the engine; products keep numbers near 1. */
async function storeInputs(engine, { inputs }) {
  const stored = {};
  for (const { name, value } of inputs) {
    const { type, shape } = value;
    const count = shape.reduce((product, length) => product * length, 1);
    const scale = 1 / Math.sqrt(shape.at(-2) ?? 1);
    const floats = () =>
      shape.length === 1 ? 1 : scale * (2 * random.uniform() - 1) * Math.sqrt(3);
    const data =
      type === 'i64'
        ? BigInt64Array.from({ length: count }, () => BigInt(random.below(size.vocabulary)))
        : Float32Array.from({ length: count }, floats);
    stored[name] = await engine.store(type, shape, data);
  }
  return stored;
}

/** Seconds of one run whose result stays at the engine. */
async function timed({ program, inputs, keep }) {
  const start = performance.now();
  const { kept } = await program.run(inputs, { outputs: [], keep });
  const seconds = (performance.now() - start) / 1000;
  for (const tensor of Object.values(kept)) await tensor.release();
  return seconds;
}

const before = machine();
const engine = await openOnnxEngine({ threads: Number(options.threads), providers: ['cpu'] });
const forward = simplify(
  decoderGraph(lazyModel(size), { batch: 1, length: tokens, logits: 'all' }),
);
const { graph, operations } = productsGraph(size);
const prepare = async (prepared, keep) => ({
  program: await engine.compile(prepared),
  inputs: await storeInputs(engine, prepared),
  keep,
});
const runs = {
  'whole forward pass': await prepare(forward, ['logits']),
  'matrix products alone': await prepare(graph, ['logits', 'queriesOut']),
};
const times = Object.fromEntries(Object.keys(runs).map((name) => [name, []]));
for (let turn = -1; turn < Number(options.turns); turn++) {
  for (const [name, run] of Object.entries(runs)) {
    const seconds = await timed(run);
    if (turn >= 0) times[name].push(seconds);
  }
}
await engine.close();

const [whole, products] = Object.values(times);
const share = summarize(whole.map((seconds, turn) => products[turn] / seconds));
const rows = Object.entries(times).map(([name, seconds]) => ({
  name,
  milliseconds: summarize(seconds.map((second) => 1000 * second)),
  gigaflops: summarize(seconds.map((second) => operations / second / 1e9)),
}));
printResult(
  {
    question: `What share of plain MatMul speed does a ${size.name} forward pass keep?`,
    machine: before,
    settings: {
      tokens,
      threads: options.threads,
      turns: options.turns,
      engine: engine.name,
      GFLOP: Math.round(operations / 1e9),
    },
    rows: [...rows, { name: 'share', share, target: 0.6 }],
  },
  {
    headings: ['', 'ms', 'GFLOP/s of products', 'share'],
    cells: rows.map(({ name, milliseconds, gigaflops }, index) => [
      name,
      describe(milliseconds, 0),
      describe(gigaflops, 0),
      index === 0 ? describe(share) : '',
    ]),
  },
  options.json,
);

import { expect, test } from 'vitest';
import type { Graph } from '../../graph/graph.ts';
import { ReferenceEngine } from '../../graph/reference/engine.ts';
import type { TensorData } from '../../graph/value.ts';
import { meta } from '../../formats/gguf/metadata.ts';
import type { Model } from '../model.ts';
import { golden, goldenModel, ids, maxDelta, weightsFor } from './golden.cases.ts';
import {
  blockGraph,
  blockKinds,
  decoderGraph,
  embeddingGraph,
  headGraph,
  tapNames,
  tensorOfInput,
} from './decoder.ts';
import { encoderGraph } from './encoder.ts';

const sizes = { batch: 1, length: golden.tokens.length };
const tokens = ids(golden.tokens);
const positions = ids(golden.rows);

async function run(
  graph: Graph,
  inputs: Record<string, TensorData>,
): Promise<Readonly<Record<string, TensorData>>> {
  const program = await new ReferenceEngine().compile(graph);
  return (await program.run(inputs)).outputs;
}

async function goldenLogits(model: Model): Promise<TensorData> {
  const graph = decoderGraph(model, { ...sizes, logits: golden.rows.length });
  const weights = await weightsFor(model, graph);
  return (await run(graph, { ...weights, tokens, positions }))['logits']!;
}

test.each(golden.decoders)(
  'logits are within 1e-4 of transformers 4.57.6 in f32: $label',
  async (description) => {
    const logits = await goldenLogits(goldenModel(description));
    expect(logits).toHaveLength(description.logits.length);
    expect(maxDelta(logits, description.logits)).toBeLessThan(1e-4);
  },
);

const inPieces = ['llama, tied', 'mixtral', 'phi3, longrope beyond the original context', 'gemma2'];

test.each(golden.decoders.filter(({ label }) => inPieces.includes(label)))(
  'so are those of one block after another: $label',
  async (description) => {
    const model = goldenModel(description);
    const embedding = embeddingGraph(model, sizes);
    let { hidden } = await run(embedding, { ...(await weightsFor(model, embedding)), tokens });
    for (const [index, first] of blockKinds(model).entries()) {
      const graph = blockGraph(model, first, sizes);
      const weights = await weightsFor(model, graph, (input) => tensorOfInput(input, index));
      ({ hidden } = await run(graph, { ...weights, input: hidden! }));
    }
    const head = headGraph(model, { ...sizes, logits: golden.rows.length });
    const weights = await weightsFor(model, head);
    const { logits } = await run(head, { ...weights, input: hidden!, positions });
    expect(maxDelta(logits!, description.logits)).toBeLessThan(1e-4);
  },
);

test.each(golden.encoders)(
  'hidden states and embeddings of two texts, one padded, are within 1e-4: $label',
  async (description) => {
    const model = goldenModel(description);
    const { pair } = golden;
    const graph = encoderGraph(model, { batch: 2, length: 8 });
    const inputs = {
      tokens: ids(pair.tokens.flat()),
      attention_mask: ids(pair.mask.flat()),
      ...(description.config.model_type !== 'distilbert' && {
        token_types: ids(pair.types.flat()),
      }),
    };
    const { hidden, embedding } = await run(graph, {
      ...(await weightsFor(model, graph)),
      ...inputs,
    });
    const rows = pair.rows.flatMap(([text, position]) => {
      const start = 32 * (8 * text + position);
      return Array.from(hidden!.slice(start, start + 32), Number);
    });
    expect(maxDelta(rows, description.hidden)).toBeLessThan(1e-4);
    expect(maxDelta(embedding!, description.embedding)).toBeLessThan(1e-4);
  },
);

const plain = goldenModel(golden.decoders[0]!);

test('blocks of one kind have equal graphs, whose inputs name no layer', () => {
  expect(blockKinds(plain)).toEqual([0, 0]);
  const [first, second] = [0, 1].map((index) => blockGraph(plain, index, sizes));
  expect(second).toEqual(first);
  expect(first!.inputs.map(({ name }) => name)).toContain('blk.attn_q.weight');
});

test('a window in every second block makes two kinds of blocks', () => {
  const pattern = { type: 'array', items: 'bool', value: [true, false] } as const;
  const metadata = new Map([
    ...plain.metadata,
    ['llama.attention.sliding_window', meta.uint32(4)],
    ['llama.attention.sliding_window_pattern', pattern],
  ] as const);
  expect(blockKinds({ ...plain, metadata })).toEqual([0, 1]);
});

test('taps give the inputs and outputs of matrices and the outputs of blocks', async () => {
  const taps = ['blk.1.ffn_down.input', 'blk.1.attn_q.input', 'blk.1.attn_k.input', 'blk.0.output'];
  expect(tapNames(plain)).toEqual(expect.arrayContaining(taps));
  const graph = decoderGraph(plain, { ...sizes, taps });
  const outputs = await run(graph, { ...(await weightsFor(plain, graph)), tokens });
  expect(Object.keys(outputs).sort()).toEqual([...taps, 'hidden'].sort());
  expect(outputs['blk.1.attn_q.input']).toEqual(outputs['blk.1.attn_k.input']);
  expect(outputs['blk.1.ffn_down.input']).toHaveLength(13 * 48);
});

test('logits of all positions are those of the chosen ones', async () => {
  const graph = decoderGraph(plain, { ...sizes, logits: 'all' });
  const { logits } = await run(graph, { ...(await weightsFor(plain, graph)), tokens });
  const all = [...logits!].map(Number);
  const rows = golden.rows.flatMap((row) => all.slice(32 * row, 32 * row + 32));
  expect(maxDelta(await goldenLogits(plain), rows)).toBe(0);
});

function changed(
  change: (model: { metadata: Map<string, never>; tensors: Map<string, never> }) => void,
): Model {
  const copy = { metadata: new Map(plain.metadata), tensors: new Map(plain.tensors) };
  change(copy as never);
  return { ...plain, ...copy };
}

test.each([
  [
    'corrupt',
    'The model does not state llama.block_count.',
    changed(({ metadata }) => metadata.delete('llama.block_count')),
  ],
  [
    'corrupt',
    'The model does not state llama.attention.layer_norm_rms_epsilon.',
    changed(({ metadata }) => metadata.delete('llama.attention.layer_norm_rms_epsilon')),
  ],
  [
    'corrupt',
    'The llama model has no tensor blk.1.attn_q.weight.',
    changed(({ tensors }) => tensors.delete('blk.1.attn_q.weight')),
  ],
  [
    'unsupported',
    '1 tensors are unknown to the graph of llama models: blk.1.extra.weight.',
    changed(({ tensors }) => tensors.set('blk.1.extra.weight', {} as never)),
  ],
  [
    'unsupported',
    'Pith cannot run the GGUF architecture "llama4" as a decoder itself; it can run llama, ',
    { ...plain, architecture: 'llama4' },
  ],
])('a model that cannot be run is refused as %s: %s', (code, message, model) => {
  expect(() => decoderGraph(model, sizes)).toThrow(
    expect.objectContaining({ code, message: expect.stringContaining(message) as string }) as Error,
  );
});

test('an unknown tap is refused', () => {
  expect(() => decoderGraph(plain, { ...sizes, taps: ['blk.9.output'] })).toThrow(
    'The graph has no activation blk.9.output.',
  );
});

import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { meta, type MetadataValue } from '../../formats/gguf/metadata.ts';
import { PithError, type ErrorCode } from '../../util/errors.ts';
import type { Model } from '../model.ts';
import { blockGraph, blockKinds, decoderGraph, tapNames } from './decoder.ts';
import {
  golden,
  goldenModel,
  ids,
  maxDelta,
  runReference,
  sizes,
  tokens,
  weightsFor,
  wholeLogits,
} from './golden.cases.ts';

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
  const outputs = await runReference(graph, { ...(await weightsFor(plain, graph)), tokens });
  expect(Object.keys(outputs).sort()).toEqual([...taps, 'hidden'].sort());
  expect(outputs['blk.1.attn_q.input']).toEqual(outputs['blk.1.attn_k.input']);
  expect(outputs['blk.1.ffn_down.input']).toHaveLength(13 * 48);
});

test('logits of all positions are those of the chosen ones', async () => {
  const graph = decoderGraph(plain, { ...sizes, logits: 'all' });
  const { logits } = await runReference(graph, { ...(await weightsFor(plain, graph)), tokens });
  const all = [...logits!].map(Number);
  const rows = golden.rows.flatMap((row) => all.slice(32 * row, 32 * row + 32));
  expect(maxDelta(await wholeLogits(plain), rows)).toBe(0);
});

function withKey(key: string, value?: MetadataValue): Model {
  const metadata = new Map(plain.metadata);
  metadata.delete(key);
  return { ...plain, metadata: value ? metadata.set(key, value) : metadata };
}

function withTensor(name: string, shape?: readonly number[]): Model {
  const tensors = new Map(plain.tensors);
  tensors.delete(name);
  const other = plain.tensors.get('output_norm.weight')!;
  return { ...plain, tensors: shape ? tensors.set(name, { ...other, name, shape }) : tensors };
}

const refused: readonly (readonly [ErrorCode, string, Model])[] = [
  ['corrupt', 'The model does not state llama.block_count.', withKey('llama.block_count')],
  [
    'corrupt',
    'The model does not state llama.attention.layer_norm_rms_epsilon.',
    withKey('llama.attention.layer_norm_rms_epsilon'),
  ],
  [
    'corrupt',
    'Block 0 of this llama model has 5 heads and 2 key/value heads of width 8, which make 40 rows of ' +
      'queries; there are 32.',
    withKey('llama.attention.head_count', meta.uint32(5)),
  ],
  [
    'corrupt',
    'llama.rope.dimension_count is 10, in heads of width 8.',
    withKey('llama.rope.dimension_count', meta.uint32(10)),
  ],
  [
    'unsupported',
    'llama.rope.scaling.type is "su"; Pith knows none, linear, yarn and longrope.',
    withKey('llama.rope.scaling.type', meta.string('su')),
  ],
  [
    'corrupt',
    'The llama model has no tensor blk.1.ffn_up.weight.',
    withTensor('blk.1.ffn_up.weight'),
  ],
  [
    'unsupported',
    '1 tensors are unknown to the graph of llama models: blk.1.extra.weight.',
    withTensor('blk.1.extra.weight', [32]),
  ],
  ['shape', 'does not fit a weight', withTensor('blk.1.ffn_up.weight', [48, 31])],
  [
    'unsupported',
    'Pith cannot run the GGUF architecture "llama4" as a decoder itself; it can run llama, ',
    { ...plain, architecture: 'llama4' },
  ],
];

test.each(refused)('a model that cannot be run is refused as %s: %s', (code, message, model) => {
  expect(() => decoderGraph(model, sizes)).toThrow(
    expect.objectContaining({ code, message: expect.stringContaining(message) as string }) as Error,
  );
});

test('an output matrix of its own is left out of a graph without logits, and takes part in one with them', () => {
  const { tensors } = plain;
  const embedding = tensors.get('token_embd.weight')!;
  const own = { ...embedding, name: 'output.weight' };
  const untied = { ...plain, tensors: new Map(tensors).set('output.weight', own) };
  const inputsOf = (logits?: 'all') =>
    decoderGraph(untied, { ...sizes, ...(logits && { logits }) }).inputs.map(({ name }) => name);
  expect(inputsOf()).not.toContain('output.weight');
  expect(inputsOf('all')).toContain('output.weight');
});

test('any hyper-parameters end in a graph or a PithError', () => {
  const keys = [...plain.metadata.keys()].filter((key) => key.startsWith('llama.'));
  const more = [
    'attention.sliding_window',
    'rope.scaling.factor',
    'expert_count',
    'expert_used_count',
  ];
  const key = fc.constantFrom(...keys, ...more.map((name) => `llama.${name}`));
  const value = fc.oneof(fc.nat().map(meta.uint32), fc.float().map(meta.float32));
  const property = fc.property(key, value, (changed, to) => {
    try {
      return decoderGraph(withKey(changed, to), sizes).outputs.length > 0;
    } catch (error) {
      return error instanceof PithError;
    }
  });
  expect(fc.check(property, { numRuns: 100 })).toMatchObject({ failed: false });
});

test('a text longer than the learned positions is refused', () => {
  const gpt2 = goldenModel(golden.decoders.find(({ label }) => label === 'gpt2')!);
  expect(() => decoderGraph(gpt2, { batch: 1, length: 65 })).toThrow(
    "A text of 65 tokens does not fit the model's 64 positions.",
  );
});

async function logitsOf(batch: readonly BigInt64Array[]): Promise<number[]> {
  const graph = decoderGraph(plain, { ...sizes, batch: batch.length, logits: 'all' });
  const joined = BigInt64Array.from(batch.flatMap((text) => Array.from(text)));
  const weights = await weightsFor(plain, graph);
  const { logits } = await runReference(graph, { ...weights, tokens: joined });
  return Array.from(logits!, Number);
}

test('two texts at once give what each gives alone', async () => {
  const texts = [ids(golden.tokens), ids(golden.tokens.toReversed())];
  const alone = await Promise.all(texts.map((text) => logitsOf([text])));
  expect(maxDelta(await logitsOf(texts), alone.flat())).toBe(0);
});

test('an unknown tap is refused', () => {
  expect(() => decoderGraph(plain, { ...sizes, taps: ['blk.9.output'] })).toThrow(
    'The graph has no activation blk.9.output.',
  );
});

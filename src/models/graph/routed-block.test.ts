import { expect, test } from 'vitest';
import type { TensorData } from '../../graph/value.ts';
import type { Model } from '../model.ts';
import { tensorOfInput } from './decoder.ts';
import {
  golden,
  goldenModel,
  logitsInPieces,
  maxDelta,
  runReference,
  sizes,
  weightsFor,
} from './golden.cases.ts';
import { expertGraph, routedBlockGraph, tokensByExpert } from './routed-block.ts';

/** A block with experts: each over its own tokens, added up here. */
async function routedBlock(model: Model, index: number, input: TensorData): Promise<TensorData> {
  const graph = routedBlockGraph(model, index, sizes);
  const weights = await weightsFor(model, graph, (name) => tensorOfInput(name, index));
  const routed = await runReference(graph, { ...weights, input });
  const hidden = (routed['hidden'] as Float32Array).slice();
  const [rows, width] = [sizes.length, hidden.length / sizes.length];
  const experts = tokensByExpert(
    routed['experts.indices'] as BigInt64Array,
    routed['experts.weights'] as Float32Array,
    { count: 5, used: 2 },
  );
  expect(experts.flatMap((tokens) => tokens.rows)).toHaveLength(2 * rows);
  for (const [expert, tokens] of experts.entries()) {
    if (tokens.rows.length === 0) continue;
    const slice = async (part: string) => {
      const tensor = model.tensors.get(`blk.${index}.ffn_${part}_exps.weight`)!;
      const count = tensor.shape[1]!;
      const bytes = await tensor.read(expert * count, count);
      return new Float32Array(bytes.slice().buffer);
    };
    const source = routed['experts.input'] as Float32Array;
    const { hidden: out } = await runReference(expertGraph(model, index, tokens.rows.length), {
      input: Float32Array.from(
        tokens.rows.flatMap((row) => Array.from(source.slice(row * width, (row + 1) * width))),
      ),
      'gate.weight': await slice('gate'),
      'up.weight': await slice('up'),
      'down.weight': await slice('down'),
    });
    for (const [at, value] of (out as Float32Array).entries()) {
      const token = Math.floor(at / width);
      hidden[tokens.rows[token]! * width + (at % width)]! += tokens.weights[token]! * value;
    }
  }
  return hidden;
}

test.each(golden.decoders.filter(({ label }) => /moe|mixtral/.test(label)))(
  'logits of experts that see only their own tokens are within 1e-4 of transformers: $label',
  async (description) => {
    const model = goldenModel(description);
    const logits = await logitsInPieces(model, (index, input) => routedBlock(model, index, input));
    expect(maxDelta(logits, description.logits)).toBeLessThan(1e-4);
  },
);

test('a block without experts has none to send tokens to', () => {
  expect(() => routedBlockGraph(goldenModel(golden.decoders[0]!), 0, sizes)).toThrow(
    'no experts to send tokens to',
  );
});

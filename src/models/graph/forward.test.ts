import { expect, test } from 'vitest';
import { blockGraph, blockKinds, tensorOfInput } from './decoder.ts';
import { encoderGraph } from './encoder.ts';
import {
  golden,
  goldenModel,
  ids,
  logitsInPieces,
  maxDelta,
  runReference,
  sizes,
  weightsFor,
  wholeLogits,
} from './golden.cases.ts';

test.each(golden.decoders)(
  'logits are within 1e-4 of transformers 4.57.6 in f32: $label',
  async (description) => {
    const logits = await wholeLogits(goldenModel(description));
    expect(logits).toHaveLength(description.logits.length);
    expect(maxDelta(logits, description.logits)).toBeLessThan(1e-4);
  },
);

const inPieces = ['llama, tied', 'mixtral', 'phi3, longrope beyond the original context', 'gemma2'];

test.each(golden.decoders.filter(({ label }) => inPieces.includes(label)))(
  'so are those of one block after another: $label',
  async (description) => {
    const model = goldenModel(description);
    const kinds = blockKinds(model);
    const logits = await logitsInPieces(model, async (index, input) => {
      const graph = blockGraph(model, kinds[index]!, sizes);
      const weights = await weightsFor(model, graph, (name) => tensorOfInput(name, index));
      return (await runReference(graph, { ...weights, input }))['hidden']!;
    });
    expect(maxDelta(logits, description.logits)).toBeLessThan(1e-4);
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
    const { hidden, embedding } = await runReference(graph, {
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

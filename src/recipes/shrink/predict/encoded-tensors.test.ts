import { expect, test } from 'vitest';
import type { Evidence } from '../../../compress/evidence/evidence.ts';
import { hessianSource } from '../../../compress/evidence/hessian.ts';
import { Couplings } from '../../../compress/feedback/couplings.ts';
import { modelOf, normalWeights, tensorOf } from '../../../compress/one-tensor.cases.ts';
import type { EncodableType } from '../../../kernels/kernels.ts';
import { roundTrip } from '../../../kernels/round-trip.ts';
import { scalarKernels } from '../../../kernels/scalar.ts';
import { inlineTranscoder, type Transcoder } from '../../../kernels/transcoder.ts';
import { EncodedTensors } from './encoded-tensors.ts';

const [rows, columns] = [5, 64];
const weights = normalWeights(rows * columns, 7);
const model = modelOf(tensorOf(weights, columns));
const imatrix = { source: 'none', entries: new Map(), datasets: [], chunks: 0, notes: [] };

/** Neighbouring columns correlate by 0.9^distance. */
const hessian = Float32Array.from({ length: columns ** 2 }, (_, at) => {
  return 0.9 ** Math.abs(Math.floor(at / columns) - (at % columns));
});
const shapes = new Map([['w', { columns, blockSize: columns, tokens: 1 }]]);
const keptAs = new Map([['w', 'w']]);
const hessians = hessianSource({ keptAs, shapes, weighted: true }, async () => hessian.slice());
const evidence = { hessians } as unknown as Evidence;

/** A transcoder that counts what it encodes. */
function counting() {
  const encoded: EncodableType[] = [];
  const inline = inlineTranscoder(scalarKernels);
  const transcoder: Transcoder = {
    ...inline,
    transcode(slab) {
      if (slab.to !== 'F32') encoded.push(slab.to);
      return inline.transcode(slab);
    },
  };
  const couplings = new Couplings(evidence, transcoder);
  return { encoded, couplings, transcoder };
}

test('gives what a decoder reads of weights encoded with feedback', async () => {
  const { couplings, transcoder } = counting();
  const tensors = new EncodedTensors({ model, imatrix, couplings, transcoder });
  const coupling = (await couplings.couplingOf('w', 0))!;
  const bytes = new Uint8Array(weights.buffer);
  const slab = { from: 'F32', to: 'Q4_0', columns, bytes } as const;
  const fedBack = await roundTrip(transcoder, { ...slab, coupling });
  expect(await tensors.rounded('w', 'Q4_0')).toEqual(fedBack);
  expect(await roundTrip(transcoder, slab)).not.toEqual(fedBack);
});

test('holds one byte a weight of what was encoded last', async () => {
  const { encoded, ...tools } = counting();
  const tensors = new EncodedTensors({ model, imatrix, ...tools });
  // 320 weights: 180 bytes each, of 320.
  for (const type of ['Q4_0', 'Q4_0', 'IQ4_NL', 'Q4_0'] as const) await tensors.rounded('w', type);
  expect(encoded).toEqual(['Q4_0', 'IQ4_NL', 'Q4_0']);
});

test('what is bigger than that (340 bytes of Q8_0) is not held', async () => {
  const { encoded, ...tools } = counting();
  const tensors = new EncodedTensors({ model, imatrix, ...tools });
  for (const type of ['Q8_0', 'Q8_0', 'Q4_0', 'Q4_0'] as const) await tensors.rounded('w', type);
  expect(encoded).toEqual(['Q8_0', 'Q8_0', 'Q4_0']);
});

import { checkDecode, checkEncode, checkTranscode, notFinite, weightsIn } from './checks.ts';
import { scalarFeedback } from './feedback/feedback-math.ts';
import type { EncodableType, Encoder, Kernels } from './kernels.ts';
import { scalarDecoders } from './scalar-decoders.ts';
import { encodeQ4_1, encodeQ5_1 } from './scalar/affine.ts';
import { encodeIQ2S } from './scalar/iq2_s.ts';
import { encodeIQ2XS } from './scalar/iq2_xs.ts';
import { encodeIQ2XXS } from './scalar/iq2_xxs.ts';
import { encodeIQ3S } from './scalar/iq3_s.ts';
import { encodeIQ3XXS } from './scalar/iq3_xxs.ts';
import { encodeIQ4NL } from './scalar/iq4_nl.ts';
import { encodeIQ4XS } from './scalar/iq4_xs.ts';
import { encodeMXFP4 } from './scalar/mxfp4.ts';
import { encodeBF16, encodeF16, encodeF32 } from './scalar/numbers.ts';
import { encodeQ1_0 } from './scalar/q1_0.ts';
import { encodeQ2_0 } from './scalar/q2_0.ts';
import { encodeQ2K } from './scalar/q2_k.ts';
import { encodeQ3K } from './scalar/q3_k.ts';
import { encodeQ4K } from './scalar/q4_k.ts';
import { encodeQ5K } from './scalar/q5_k.ts';
import { encodeQ6K } from './scalar/q6_k.ts';
import { encodeQ8_0 } from './scalar/q8_0.ts';
import { encodeQ4_0, encodeQ5_0 } from './scalar/symmetric.ts';
import { encodeTQ1_0, encodeTQ2_0 } from './scalar/ternary.ts';
import { transcodeSteps } from './steps.ts';

export { scalarDecoders } from './scalar-decoders.ts';

/** The readable reference encoder of every type that Pith can write. */
const scalarEncoders: Record<EncodableType, Encoder> = {
  F32: encodeF32,
  F16: encodeF16,
  BF16: encodeBF16,
  Q8_0: encodeQ8_0,
  Q4_0: encodeQ4_0,
  Q4_1: encodeQ4_1,
  Q5_0: encodeQ5_0,
  Q5_1: encodeQ5_1,
  Q2_K: encodeQ2K,
  Q3_K: encodeQ3K,
  Q4_K: encodeQ4K,
  Q5_K: encodeQ5K,
  Q6_K: encodeQ6K,
  IQ4_NL: encodeIQ4NL,
  IQ4_XS: encodeIQ4XS,
  IQ3_S: encodeIQ3S,
  IQ3_XXS: encodeIQ3XXS,
  IQ2_S: encodeIQ2S,
  IQ2_XS: encodeIQ2XS,
  IQ2_XXS: encodeIQ2XXS,
  TQ1_0: encodeTQ1_0,
  TQ2_0: encodeTQ2_0,
  Q2_0: encodeQ2_0,
  Q1_0: encodeQ1_0,
  MXFP4: encodeMXFP4,
};

/** The reference kernels: slow, readable, and what the wasm kernels must equal. */
export const scalarKernels: Kernels = {
  name: 'scalar',
  feedback: scalarFeedback,

  decode(type, bytes, values) {
    checkDecode(type, bytes.length, values.length);
    scalarDecoders[type](bytes, values);
  },

  encode(type, values, columns, out, importance) {
    checkEncode({
      type,
      weights: values.length,
      columns,
      outBytes: out.length,
      importance: importance?.length,
    });
    return scalarEncoders[type](values, columns, out, importance);
  },

  transcode(job) {
    checkTranscode(job);
    const { from, to, columns, importance } = job;
    const total = { squaredError: 0, squaredNorm: 0 };
    for (const { first, weights, bytes, out } of transcodeSteps(job)) {
      const values = new Float32Array(weights);
      scalarDecoders[from](bytes, values);
      const bad = indexOfNonFinite(values);
      if (bad >= 0) throw notFinite(from, first + bad, columns);
      const sums = this.encode(to, values, columns, out, importance);
      total.squaredError += sums.squaredError;
      total.squaredNorm += sums.squaredNorm;
    }
    return total;
  },

  firstNonFinite(type, bytes) {
    const values = new Float32Array(weightsIn(type, bytes.length));
    scalarDecoders[type](bytes, values);
    return indexOfNonFinite(values);
  },
};

function indexOfNonFinite(values: Float32Array): number {
  return values.findIndex((x) => !Number.isFinite(x));
}

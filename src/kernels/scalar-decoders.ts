import type { Decoder } from './kernels.ts';
import * as codebook from './scalar/decode-codebook.ts';
import * as iq1 from './scalar/decode-iq1.ts';
import * as k from './scalar/decode-k-quants.ts';
import * as legacy from './scalar/decode-legacy.ts';
import * as nonlinear from './scalar/decode-nonlinear.ts';
import { numberDecoders } from './scalar/decode-numbers.ts';
import * as ternary from './scalar/decode-ternary.ts';
import type { TensorType } from '../tensor/dtypes.ts';

/** The readable reference decoder of every tensor type. */
export const scalarDecoders: Record<TensorType, Decoder> = {
  ...numberDecoders,
  Q1_0: legacy.decodeQ1_0,
  Q2_0: legacy.decodeQ2_0,
  Q4_0: legacy.decodeQ4_0,
  Q4_1: legacy.decodeQ4_1,
  Q5_0: legacy.decodeQ5_0,
  Q5_1: legacy.decodeQ5_1,
  Q8_0: legacy.decodeQ8_0,
  Q8_1: legacy.decodeQ8_1,
  Q2_K: k.decodeQ2_K,
  Q3_K: k.decodeQ3_K,
  Q4_K: k.decodeQ4_K,
  Q5_K: k.decodeQ5_K,
  Q6_K: k.decodeQ6_K,
  Q8_K: k.decodeQ8_K,
  IQ1_S: iq1.decodeIQ1_S,
  IQ1_M: iq1.decodeIQ1_M,
  IQ2_XXS: codebook.decodeIQ2_XXS,
  IQ2_XS: codebook.decodeIQ2_XS,
  IQ2_S: codebook.decodeIQ2_S,
  IQ3_XXS: codebook.decodeIQ3_XXS,
  IQ3_S: codebook.decodeIQ3_S,
  IQ4_NL: nonlinear.decodeIQ4_NL,
  IQ4_XS: nonlinear.decodeIQ4_XS,
  MXFP4: nonlinear.decodeMXFP4,
  NVFP4: nonlinear.decodeNVFP4,
  TQ1_0: ternary.decodeTQ1_0,
  TQ2_0: ternary.decodeTQ2_0,
};

import { blockTypes, type BlockType } from '../../tensor/block-types.ts';
import { PithError } from '../../util/errors.ts';
import type { TensorEvidence } from './evidence.ts';
import { meanSquares } from './moments.ts';

/** Input columns that share a scale when llama.cpp rounds activations to 8 bits. */
export type ActivationBlock = 32 | 256;

/**
 * The blocks in which llama.cpp's CPU rounds the activations that meet weights of a type: 256 columns (Q8_K) for
 * K-quants, IQ types but IQ4_NL, and ternary types; 32 (Q8_0, Q8_1) for other quantized types; undefined for floats.
 *
 * @see `vec_dot_type` in ggml-cpu.c, llama.cpp v0.5.0.
 */
export function activationBlock(type: BlockType): ActivationBlock | undefined {
  const { weights } = blockTypes[type];
  if (weights === 1) return undefined;
  return weights === 256 ? 256 : 32;
}

/**
 * The mean squared error of each input column by rounding activations to 8 bits as llama.cpp does: the step of a
 * block is max|a| / 127, and rounding errs by a twelfth of its square. Experts are drawn to their layer.
 *
 * @returns `[experts, columns]`, in the units of mean squared inputs.
 * @throws PithError `unsupported` for evidence without peaks.
 * @remarks A block's largest value is met exactly, which makes the mean over the columns of a block 1/32 or 1/256 less;
 *   but for that within 5 % of a simulation of 200 tokens, outliers or not.
 */
export function roundingNoise(
  { inputs, peaks }: TensorEvidence,
  block: ActivationBlock,
): Float64Array {
  if (!peaks)
    throw new PithError(
      'unsupported',
      'The evidence tells nothing of the peaks of activations.',
      'Make it again: pith calibrate MODEL -o evidence.gguf',
    );
  const of = block === 32 ? peaks.of32 : peaks.of256;
  const means = meanSquares(of);
  const { size, experts } = inputs;
  return Float64Array.from({ length: experts * size }, (_, at) => {
    const [expert, column] = [Math.floor(at / size), at % size];
    return means[expert * of.size + Math.floor(column / block)]! / 127 ** 2 / 12;
  });
}

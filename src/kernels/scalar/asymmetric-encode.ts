import { f16ToF32, roundHalfEven } from '../../util/half-float.ts';
import type { EncodeError, Encoder } from '../kernels.ts';
import { fitSubBlock } from './asymmetric-fit.ts';
import { type StoredScales, fitSteps } from './asymmetric-steps.ts';
import type { AsymmetricType } from './asymmetric-type.ts';
import { cut, weigh } from './asymmetric-block.ts';
import { f32, limit } from './f32.ts';

const superBlock = 256;

/** Writes one block from its scales and its 256 weight codes. */
export type BlockPacker = (out: Uint8Array, scales: StoredScales, codes: Uint8Array) => void;

/** The encoder of one of Q2_K, Q4_K and Q5_K, whose blocks of `blockBytes` bytes `pack` writes. */
export function asymmetricEncoder(
  type: AsymmetricType,
  blockBytes: number,
  pack: BlockPacker,
): Encoder {
  return (values, columns, out, importance) => {
    const error = { squaredError: 0, squaredNorm: 0 };
    for (let at = 0; at < values.length; at += superBlock) {
      const weights = values.subarray(at, at + superBlock);
      const column = at % columns;
      const block = weigh(type, weights, importance?.subarray(column, column + superBlock));
      const fitted = cut(type, block).map((sub) => ({ sub, fit: fitSubBlock(type, block, sub) }));
      const scales = fitSteps(type, fitted, block.factor);
      const codes = roundCodes(type, weights, scales, error);
      const to = (at / superBlock) * blockBytes;
      pack(out.subarray(to, to + blockBytes), scales, codes);
    }
    return error;
  };
}

/** Rounds the weights under the stored steps and adds to the sums in `error`. */
function roundCodes(
  type: AsymmetricType,
  values: Float32Array,
  scales: StoredScales,
  error: EncodeError,
): Uint8Array {
  const codes = new Uint8Array(superBlock);
  const step = f16ToF32(scales.stepHalf);
  const minStep = f16ToF32(scales.minStepHalf);
  const errors = [0, 0, 0, 0];
  const norms = [0, 0, 0, 0];
  values.forEach((x, i) => {
    const block = Math.floor(i / type.subLength);
    const scale = f32(step * scales.scaleCodes[block]!);
    const min = f32(minStep * scales.minCodes[block]!);
    const inverse = scale > 0 ? f32(1 / scale) : 0;
    const place = f32(f32(x * inverse) + f32(min * inverse));
    const code = roundHalfEven(limit(place, type.maxCode));
    codes[i] = code;
    const off = f32(x - f32(f32(scale * code) - min));
    errors[i & 3]! += off * off;
    norms[i & 3]! += x * x;
  });
  error.squaredError += errors[0]! + errors[2]! + (errors[1]! + errors[3]!);
  error.squaredNorm += norms[0]! + norms[2]! + (norms[1]! + norms[3]!);
  return codes;
}

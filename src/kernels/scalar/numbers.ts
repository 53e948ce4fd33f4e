import { f32ToBf16, f32ToF16 } from '../../util/half-float.ts';
import type { Encoder } from '../kernels.ts';
import { numberDecoders } from './decode-numbers.ts';
import { maxHalf, putWord } from './encoder.ts';
import { measure } from './measure.ts';

/** Largest bfloat16 number, (2 − 2⁻⁷) · 2¹²⁷. */
const maxBf16 = (2 - 2 ** -7) * 2 ** 127;

const clamp = (x: number, limit: number) => Math.min(Math.max(x, -limit), limit);

// Importance cannot matter in this file: every weight is rounded on its own.

/** F32: copies. */
export const encodeF32: Encoder = (values, columns, out) => {
  out.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  return measure(values, columns, out, numberDecoders.F32);
};

/** F16: nearest, ties to even; beyond ±65504 the nearest finite number, where ggml writes infinity. */
export const encodeF16: Encoder = (values, columns, out) => {
  values.forEach((x, i) => putWord(out, 2 * i, f32ToF16(clamp(x, maxHalf))));
  return measure(values, columns, out, numberDecoders.F16);
};

/** BF16: nearest, ties to even; the last half step before 2¹²⁸ stays finite, unlike in ggml. */
export const encodeBF16: Encoder = (values, columns, out) => {
  values.forEach((x, i) => putWord(out, 2 * i, f32ToBf16(clamp(x, maxBf16))));
  return measure(values, columns, out, numberDecoders.BF16);
};

// Final codes of a block for given scales; see src/kernels/scalar/codes.ts.
import { nearestSixteen, quarterOf, valuesOf } from './iq4-grid';
import { scales } from './sub-scales';
import { all, laneSum, roundingShift } from './lanes';
import { highest, inversesOf, lowest } from './symmetric-fit';

/** One byte a weight, in the block's own order. */
export const codes: usize = memory.data(256, 16);

// Squared errors as sixteen interleaved partial sums.
let errorA: v128 = i32x4.splat(0);
let errorB: v128 = i32x4.splat(0);
let errorC: v128 = i32x4.splat(0);
let errorD: v128 = i32x4.splat(0);

/** Starts a block. */
export function clearError(): void {
  errorA = errorB = errorC = errorD = all(0);
}

/** Σ (x − x̂)² since `clearError`, in units of the block's unit². */
export function squaredError(): f32 {
  return laneSum(f32x4.add(f32x4.add(errorA, errorB), f32x4.add(errorC, errorD)));
}

/** Linear codes plus `offset` of `count` sub-blocks of 16 weights, for the fitted scales. */
export function writeLinearCodes(from: usize, inverseUnit: f32, count: i32, offset: i32): void {
  const factor = all(inverseUnit);
  const shift = i8x16.splat(<i8>offset);
  const byte = i32x4.splat(255);
  clearError();
  for (let i: usize = 0; i < <usize>count; i++) {
    const x0 = f32x4.mul(v128.load(from), factor);
    const x1 = f32x4.mul(v128.load(from, 16), factor);
    const x2 = f32x4.mul(v128.load(from, 32), factor);
    const x3 = f32x4.mul(v128.load(from, 48), factor);
    const scale = v128.load32_splat(scales + i * 4);
    const inverse = inversesOf(scale, 0);
    const a = shifted(f32x4.mul(x0, inverse));
    const b = shifted(f32x4.mul(x1, inverse));
    const c = shifted(f32x4.mul(x2, inverse));
    const d = shifted(f32x4.mul(x3, inverse));
    const low = i16x8.narrow_i32x4_u(v128.and(a, byte), v128.and(b, byte));
    const high = i16x8.narrow_i32x4_u(v128.and(c, byte), v128.and(d, byte));
    v128.store(codes + i * 16, i8x16.add(i8x16.narrow_i16x8_u(low, high), shift));
    errorA = f32x4.add(errorA, squaredMiss(x0, scale, unshifted(a)));
    errorB = f32x4.add(errorB, squaredMiss(x1, scale, unshifted(b)));
    errorC = f32x4.add(errorC, squaredMiss(x2, scale, unshifted(c)));
    errorD = f32x4.add(errorD, squaredMiss(x3, scale, unshifted(d)));
    from += 64;
  }
}

/** A ratio limited to the linear grid, plus `roundingShift`: its low byte is the integer. */
// @ts-ignore: decorator
@inline
function shifted(ratio: v128): v128 {
  return f32x4.add(f32x4.pmin(f32x4.pmax(ratio, lowest), highest), all(roundingShift));
}

// @ts-ignore: decorator
@inline
function unshifted(ratio: v128): v128 {
  return f32x4.sub(ratio, all(roundingShift));
}

/** IQ4 codes of 32 weights from `from` on, for one scale, stored as codes `first` and following. */
export function writeIq4Codes(from: usize, inverseUnit: f32, scale: f32, first: usize): void {
  const factor = all(inverseUnit);
  const scales = all(scale);
  const inverse = inversesOf(scales, 0);
  for (let at = codes + first; at < codes + first + 32; at += 16) {
    const x0 = f32x4.mul(v128.load(from), factor);
    const x1 = f32x4.mul(v128.load(from, 16), factor);
    const x2 = f32x4.mul(v128.load(from, 32), factor);
    const x3 = f32x4.mul(v128.load(from, 48), factor);
    const found = nearestSixteen(
      f32x4.mul(x0, inverse),
      f32x4.mul(x1, inverse),
      f32x4.mul(x2, inverse),
      f32x4.mul(x3, inverse),
    );
    v128.store(at, found);
    const table = valuesOf(found);
    errorA = f32x4.add(errorA, squaredMiss(x0, scales, quarterOf(table, 0)));
    errorB = f32x4.add(errorB, squaredMiss(x1, scales, quarterOf(table, 1)));
    errorC = f32x4.add(errorC, squaredMiss(x2, scales, quarterOf(table, 2)));
    errorD = f32x4.add(errorD, squaredMiss(x3, scales, quarterOf(table, 3)));
    from += 64;
  }
}

// @ts-ignore: decorator
@inline
function squaredMiss(x: v128, scale: v128, code: v128): v128 {
  const miss = f32x4.sub(x, f32x4.mul(scale, code));
  return f32x4.mul(miss, miss);
}

/** Packs `count` IQ4 codes in runs of 32: byte j holds the codes of weights j and j + 16. */
export function packIq4(first: usize, count: i32, out: usize): void {
  const start = codes + first;
  for (let at = start; at < start + count; at += 32) {
    v128.store(out, v128.or(v128.load(at), i8x16.shl(v128.load(at, 16), 4)));
    out += 16;
  }
}

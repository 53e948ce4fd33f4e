// Scratch for one super-block of 256 weights. Element i of a group is three vectors, one lane a
// sub-block: the weights x (divided by a power of two near the largest), their error weights w, w · x.
import { all, laneMax, laneSum, normalizer, transpose } from './lanes';
import { groupCount, rmsShare, subLength, variances } from './asymmetric-type';

export const elementBytes: usize = 48;
const elements: usize = memory.data(256 * 12, 16);

// Fields of a group, one vector each.
export const SUM_W: usize = 0;
export const SUM_X: usize = 16;
export const INVERSE_W: usize = 32;
export const MEAN_X: usize = 48;
export const LOWEST: usize = 64;
export const INVERSE_RANGE: usize = 80;
export const SUM_L: usize = 96;
export const SUM_LL: usize = 112;
export const SUM_XL: usize = 128;
export const SCALE: usize = 144;
export const MIN: usize = 160;
export const GAIN: usize = 176;
export const SCALE_CODE: usize = 192;
export const MIN_CODE: usize = 208;
const SQUARES: usize = 224;
const HIGHEST: usize = 240;
const groupBytes: usize = 256;
const groups: usize = memory.data(4 * 256, 16);

/** Steps below this share of the largest weight count as none: 2^-100. */
export const tiny: f32 = 7.888609052210118e-31;
/** Importance below this share of the super-block's largest is raised to it: 2^-20. */
const importanceFloor: f32 = 9.5367431640625e-7;

/** Fields of group `index`. */
// @ts-ignore: decorator
@inline
export function groupAt(index: i32): usize {
  return groups + <usize>index * groupBytes;
}

/** First element of group `index`; elements lie `elementBytes` apart. */
// @ts-ignore: decorator
@inline
export function elementsAt(index: i32): usize {
  return elements + <usize>(index * subLength) * elementBytes;
}

/** 1 / value where value > `tiny`, else 0. */
// @ts-ignore: decorator
@inline
export function inverseOrZero(value: v128): v128 {
  return v128.and(f32x4.div(all(1), value), f32x4.gt(value, all(tiny)));
}

/**
 * Lays 256 weights (and their importance, or 0) out in lanes and computes the error weights.
 * Returns the power of two that x was multiplied with.
 */
export function layOut(values: usize, importance: usize): f32 {
  const groupStride = <usize>subLength * 16;
  let largest: f32 = 0;
  for (let g = 0; g < groupCount; g++) {
    largest = max<f32>(largest, gatherValues(g, values + <usize>g * groupStride));
  }
  const factor = normalizer(largest);
  let squares = all(0);
  for (let g = 0; g < groupCount; g++) squares = f32x4.add(squares, normalize(g, factor));
  let mostImportant: f32 = 0;
  if (importance) {
    for (let g = 0; g < groupCount; g++) {
      const found = gatherImportance(g, importance + <usize>g * groupStride);
      mostImportant = max<f32>(mostImportant, found);
    }
  }
  const variance = (laneSum(squares) * variances) / 256;
  const importanceFactor = normalizer(mostImportant);
  for (let g = 0; g < groupCount; g++) {
    if (mostImportant > 0) weighByImportance(g, variance, importanceFactor);
    else weighByMagnitude(g);
  }
  return factor;
}

function gatherValues(index: i32, values: usize): f32 {
  const rowBytes = <usize>subLength * 4;
  let at = elementsAt(index);
  let lowest = all(0);
  let highest = all(-Infinity);
  for (let end = values + rowBytes; values < end; values += 16) {
    transpose(values, rowBytes, at, elementBytes);
    for (let i = 0; i < 4; i++) {
      const x = v128.load(at);
      lowest = f32x4.pmin(lowest, x);
      highest = f32x4.pmax(highest, x);
      at += elementBytes;
    }
  }
  const group = groupAt(index);
  v128.store(group, lowest, LOWEST);
  v128.store(group, highest, HIGHEST);
  return laneMax(f32x4.pmax(highest, f32x4.neg(lowest)));
}

function normalize(index: i32, factor: f32): v128 {
  const group = groupAt(index);
  const lowest = f32x4.mul(v128.load(group, LOWEST), all(factor));
  const range = f32x4.sub(f32x4.mul(v128.load(group, HIGHEST), all(factor)), lowest);
  v128.store(group, lowest, LOWEST);
  v128.store(group, inverseOrZero(range), INVERSE_RANGE);
  let squares = all(0);
  let at = elementsAt(index);
  for (const end = elementsAt(index + 1); at < end; at += elementBytes) {
    const x = f32x4.mul(v128.load(at), all(factor));
    v128.store(at, x);
    squares = f32x4.add(squares, f32x4.mul(x, x));
  }
  v128.store(group, squares, SQUARES);
  return squares;
}

function gatherImportance(index: i32, importance: usize): f32 {
  const rowBytes = <usize>subLength * 4;
  let largest = all(0);
  let at = elementsAt(index);
  for (let end = importance + rowBytes; importance < end; importance += 16) {
    transpose(importance, rowBytes, at + 16, elementBytes);
    for (let i = 0; i < 4; i++) {
      largest = f32x4.pmax(largest, v128.load(at, 16));
      at += elementBytes;
    }
  }
  return laneMax(largest);
}

function weighByImportance(index: i32, variance: f32, factor: f32): void {
  let sumW = all(0);
  let sumX = all(0);
  let at = elementsAt(index);
  for (const end = elementsAt(index + 1); at < end; at += elementBytes) {
    const x = v128.load(at);
    const v = f32x4.pmax(f32x4.mul(v128.load(at, 16), all(factor)), all(importanceFloor));
    const w = f32x4.mul(v, f32x4.sqrt(f32x4.add(all(variance), f32x4.mul(x, x))));
    const wx = f32x4.mul(w, x);
    v128.store(at, w, 16);
    v128.store(at, wx, 32);
    sumW = f32x4.add(sumW, w);
    sumX = f32x4.add(sumX, wx);
  }
  storeSums(index, sumW, sumX);
}

function weighByMagnitude(index: i32): void {
  const meanSquare = f32x4.div(v128.load(groupAt(index), SQUARES), all(<f32>subLength));
  const base = f32x4.mul(f32x4.sqrt(meanSquare), all(rmsShare));
  let sumW = all(0);
  let sumX = all(0);
  let at = elementsAt(index);
  for (const end = elementsAt(index + 1); at < end; at += elementBytes) {
    const x = v128.load(at);
    const w = f32x4.add(base, f32x4.abs(x));
    const wx = f32x4.mul(w, x);
    v128.store(at, w, 16);
    v128.store(at, wx, 32);
    sumW = f32x4.add(sumW, w);
    sumX = f32x4.add(sumX, wx);
  }
  storeSums(index, sumW, sumX);
}

function storeSums(index: i32, sumW: v128, sumX: v128): void {
  const group = groupAt(index);
  const inverse = inverseOrZero(sumW);
  v128.store(group, sumW, SUM_W);
  v128.store(group, sumX, SUM_X);
  v128.store(group, inverse, INVERSE_W);
  v128.store(group, f32x4.mul(sumX, inverse), MEAN_X);
}

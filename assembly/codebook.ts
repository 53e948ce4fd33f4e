// Chooses entries of a codebook for four sub-blocks at once, one in each f32 lane; see
// src/kernels/scalar/codebook-fit.ts.
import { grouped, toWeights } from './fit-block';
import { all } from './lanes';
import { toIntegers } from './simd';
import { inversesOf } from './symmetric-fit';

/** The caller puts the entries of the codebook in use here, a byte a level, … */
export const entries: usize = memory.data(8192, 16);
/** … and the entries listed for each cell here, two bytes each. */
export const nearest: usize = memory.data(209952, 16);

export function codebookEntries(): usize {
  return entries;
}

export function codebookNearest(): usize {
  return nearest;
}

/** Entries listed for a cell. */
export const listed: i32 = 16;
/** Weights that share an entry: 4 or 8. */
export let width: i32 = 4;
export let evenSigns: bool = false;
let levels: f32 = 8;
let offset: f32 = 0;
let inverseStep: f32 = 0;

/** Describes the codebook in use. */
export function useCodebook(wide: i32, count: f32, lowest: f32, step: f32, even: bool): void {
  width = wide;
  evenSigns = even;
  levels = count;
  offset = lowest / step;
  inverseStep = <f32>1 / step;
}

/** Σ w·|x|·q and Σ w·q² of each lane, after `chooseEntries`. */
export let wxl: v128 = i32x4.splat(0);
export let wll: v128 = i32x4.splat(0);

/** Places in the lists that were chosen: a vector a group. */
export const chosen: usize = memory.data(1024, 16);

// The best entry of a group, and the best with one wrong sign.
let plainScore: v128 = i32x4.splat(0);
let plainXl: v128 = i32x4.splat(0);
let plainLl: v128 = i32x4.splat(0);
let plainAt: v128 = i32x4.splat(0);
let flippedScore: v128 = i32x4.splat(0);
let flippedXl: v128 = i32x4.splat(0);
let flippedLl: v128 = i32x4.splat(0);
let flippedAt: v128 = i32x4.splat(0);

/** Chooses among the first `count` entries of each list for `length` vectors at byte `start`. */
export function chooseEntries(start: usize, length: i32, scale: v128, count: i32): void {
  const inverse = f32x4.mul(inversesOf(scale, 0), all(inverseStep));
  const half = f32x4.mul(scale, all(0.5));
  const end = grouped + start + <usize>length * 16;
  let to = chosen + start / <usize>width;
  wxl = all(0);
  wll = all(0);
  for (let at = grouped + start; at < end; at += 128) {
    if (width == 8) {
      searchEight(at, inverse, half, count);
      keep(to, evenSigns ? oddLanes(at) : i32x4.splat(0));
      to += 16;
    } else if (evenSigns) {
      chooseTwo(at, inverse, half, count, to);
      to += 32;
    } else {
      searchFour(at, inverse, half, count);
      keep(to, i32x4.splat(0));
      searchFour(at + 64, inverse, half, count);
      keep(to + 16, i32x4.splat(0));
      to += 32;
    }
  }
}

/** Adds the best entries of a group, the flipped ones in the lanes of `flips`. */
// @ts-ignore: decorator
@inline
function keep(to: usize, flips: v128): void {
  v128.store(to, v128.bitselect(flippedAt, plainAt, flips));
  wxl = f32x4.add(wxl, v128.bitselect(flippedXl, plainXl, flips));
  wll = f32x4.add(wll, v128.bitselect(flippedLl, plainLl, flips));
}

/** Two groups of four with one set of signs: the wrong sign goes where it costs less. */
function chooseTwo(at: usize, inverse: v128, half: v128, count: i32, to: usize): void {
  const odd = oddLanes(at);
  searchFour(at, inverse, half, count);
  const first = f32x4.sub(flippedScore, plainScore);
  const firstPlainXl = plainXl;
  const firstPlainLl = plainLl;
  const firstPlainAt = plainAt;
  const firstFlippedXl = flippedXl;
  const firstFlippedLl = flippedLl;
  const firstFlippedAt = flippedAt;
  searchFour(at + 64, inverse, half, count);
  const inSecond = f32x4.gt(f32x4.sub(flippedScore, plainScore), first);
  const inFirst = v128.andnot(odd, inSecond);
  v128.store(to, v128.bitselect(firstFlippedAt, firstPlainAt, inFirst));
  wxl = f32x4.add(wxl, v128.bitselect(firstFlippedXl, firstPlainXl, inFirst));
  wll = f32x4.add(wll, v128.bitselect(firstFlippedLl, firstPlainLl, inFirst));
  keep(to + 16, v128.and(odd, inSecond));
}

/** Lanes where an odd number of the eight vectors at `at` are negative. */
function oddLanes(at: usize): v128 {
  let odd = i32x4.splat(0);
  for (let i: usize = 0; i < 128; i += 16) {
    odd = v128.xor(odd, f32x4.lt(v128.load(at + i), all(0)));
  }
  return odd;
}

/** The index of the level nearest to each lane. */
// @ts-ignore: decorator
@inline
function levelOf(magnitude: v128, inverse: v128): v128 {
  const steps = f32x4.sub(f32x4.mul(magnitude, inverse), all(offset));
  const limited = f32x4.pmin(f32x4.pmax(steps, all(0)), all(levels - 1));
  return f32x4.sub(f32x4.add(limited, all(12582912)), all(12582912));
}

// @ts-ignore: decorator
@inline
function withLevel(cell: v128, magnitude: v128, inverse: v128): v128 {
  return f32x4.add(f32x4.mul(cell, all(levels)), levelOf(magnitude, inverse));
}

// @ts-ignore: decorator
@inline
function magnitudeAt(at: usize, i: usize): v128 {
  return f32x4.abs(v128.load(at + i * 16));
}

/** Byte `k` of each lane as f32. */
// @ts-ignore: decorator
@inline
function byteOf(packed: v128, k: i32): v128 {
  return f32x4.convert_i32x4_s(v128.and(i32x4.shr_u(packed, 8 * k), i32x4.splat(255)));
}

let sumXl: v128 = i32x4.splat(0);
let sumLl: v128 = i32x4.splat(0);
let least: v128 = i32x4.splat(0);

/** Adds four weights; `packed` holds their levels in its bytes. */
// @ts-ignore: decorator
@inline
function addFour(at: usize, packed: v128): void {
  const q0 = byteOf(packed, 0);
  const q1 = byteOf(packed, 1);
  const q2 = byteOf(packed, 2);
  const q3 = byteOf(packed, 3);
  const w0 = f32x4.mul(v128.load(at, toWeights), q0);
  const w1 = f32x4.mul(v128.load(at, toWeights + 16), q1);
  const w2 = f32x4.mul(v128.load(at, toWeights + 32), q2);
  const w3 = f32x4.mul(v128.load(at, toWeights + 48), q3);
  const p0 = f32x4.mul(w0, magnitudeAt(at, 0));
  const p1 = f32x4.mul(w1, magnitudeAt(at, 1));
  const p2 = f32x4.mul(w2, magnitudeAt(at, 2));
  const p3 = f32x4.mul(w3, magnitudeAt(at, 3));
  sumXl = f32x4.add(f32x4.add(f32x4.add(f32x4.add(sumXl, p0), p1), p2), p3);
  sumLl = f32x4.add(sumLl, f32x4.mul(w0, q0));
  sumLl = f32x4.add(sumLl, f32x4.mul(w1, q1));
  sumLl = f32x4.add(sumLl, f32x4.mul(w2, q2));
  sumLl = f32x4.add(sumLl, f32x4.mul(w3, q3));
  least = f32x4.pmin(least, f32x4.pmin(f32x4.pmin(p0, p1), f32x4.pmin(p2, p3)));
}

// @ts-ignore: decorator
@inline
function startSums(): void {
  sumXl = all(0);
  sumLl = all(0);
  least = all(Infinity);
}

// @ts-ignore: decorator
@inline
function startSearch(): void {
  plainScore = all(-Infinity);
  flippedScore = all(-Infinity);
}

/** Compares the sums of the entries at `place` of the lists with the best so far. */
// @ts-ignore: decorator
@inline
function compare(half: v128, place: v128): void {
  const penalty = f32x4.mul(half, sumLl);
  const score = f32x4.sub(sumXl, penalty);
  const better = f32x4.gt(score, plainScore);
  plainScore = v128.bitselect(score, plainScore, better);
  plainXl = v128.bitselect(sumXl, plainXl, better);
  plainLl = v128.bitselect(sumLl, plainLl, better);
  plainAt = v128.bitselect(place, plainAt, better);
  if (evenSigns) {
    const wrong = f32x4.sub(sumXl, f32x4.add(least, least));
    const wrongScore = f32x4.sub(wrong, penalty);
    const wrongBetter = f32x4.gt(wrongScore, flippedScore);
    flippedScore = v128.bitselect(wrongScore, flippedScore, wrongBetter);
    flippedXl = v128.bitselect(wrong, flippedXl, wrongBetter);
    flippedLl = v128.bitselect(sumLl, flippedLl, wrongBetter);
    flippedAt = v128.bitselect(place, flippedAt, wrongBetter);
  }
}

// @ts-ignore: decorator
@inline
function entryAt(place: v128, lane: u8, k: usize, shift: usize): usize {
  let index: i32;
  if (lane == 0) index = i32x4.extract_lane(place, 0);
  else if (lane == 1) index = i32x4.extract_lane(place, 1);
  else if (lane == 2) index = i32x4.extract_lane(place, 2);
  else index = i32x4.extract_lane(place, 3);
  return entries + (<usize>load<u16>(nearest + 2 * (<usize>index + k)) << shift);
}

/** Searches the lists of four weights in each lane. */
function searchFour(at: usize, inverse: v128, half: v128, count: i32): void {
  let cell = levelOf(magnitudeAt(at, 3), inverse);
  cell = withLevel(cell, magnitudeAt(at, 2), inverse);
  cell = withLevel(cell, magnitudeAt(at, 1), inverse);
  cell = withLevel(cell, magnitudeAt(at, 0), inverse);
  const place = i32x4.shl(toIntegers(cell), 4);
  startSearch();
  for (let k: usize = 0; k < <usize>count; k++) {
    let packed = v128.load32_zero(entryAt(place, 0, k, 2));
    packed = v128.load32_lane(entryAt(place, 1, k, 2), packed, 1);
    packed = v128.load32_lane(entryAt(place, 2, k, 2), packed, 2);
    packed = v128.load32_lane(entryAt(place, 3, k, 2), packed, 3);
    startSums();
    addFour(at, packed);
    compare(half, i32x4.add(place, i32x4.splat(<i32>k)));
  }
}

/** Searches the lists of eight weights in each lane. */
function searchEight(at: usize, inverse: v128, half: v128, count: i32): void {
  let cell = levelOf(magnitudeAt(at, 7), inverse);
  for (let i: usize = 7; i > 0; i--) cell = withLevel(cell, magnitudeAt(at, i - 1), inverse);
  const place = i32x4.shl(toIntegers(cell), 4);
  startSearch();
  for (let k: usize = 0; k < <usize>count; k++) {
    const a = entryAt(place, 0, k, 3);
    const b = entryAt(place, 1, k, 3);
    const c = entryAt(place, 2, k, 3);
    const d = entryAt(place, 3, k, 3);
    const ab = v128.load64_lane(b, v128.load64_zero(a), 1);
    const cd = v128.load64_lane(d, v128.load64_zero(c), 1);
    startSums();
    addFour(at, v128.shuffle<u32>(ab, cd, 0, 2, 4, 6));
    addFour(at + 64, v128.shuffle<u32>(ab, cd, 1, 3, 5, 7));
    compare(half, i32x4.add(place, i32x4.splat(<i32>k)));
  }
}

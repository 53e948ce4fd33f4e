// Coding a block of a codebook type group after group; see src/kernels/feedback/choose-entry.ts.
import { entries, listed, nearest } from './codebook';
import { codeValue, feedbackBlock, feedbackFactor } from './feedback';

/** The caller puts `[width, width]` f32 for each group here. */
const metrics: usize = memory.data(8192, 16);
/** The metric at hand in f64, each element twice; ratios of a group; errors of two entries in f64. */
const metric: usize = memory.data(1024, 16);
const ratios: usize = memory.data(32, 16);
const pairs: usize = memory.data(128, 16);

export function feedbackMetrics(): usize {
  return metrics;
}

let least: f64 = 0;
let bestEntry: usize = 0;
let bestSigns: i32 = 0;

/** Widens the metric of a group. */
// @ts-ignore: decorator
@inline
function useMetric(group: usize, count: usize): void {
  const from = metrics + group * count * 4;
  for (let at: usize = 0; at < count; at++)
    v128.store(metric + at * 16, f64x2.splat(<f64>load<f32>(from + at * 4)));
}

// @ts-ignore: decorator
@inline
function levelOf(entry: usize, j: usize, width: usize, signs: i32): f32 {
  const level = <f32>load<i8>(entries + entry * width + j);
  return (signs >> <i32>j) & 1 ? -level : level;
}

/** eᵀ · metric · e for two entries, from the errors in `pairs`. */
// @ts-ignore: decorator
@inline
function costs(width: usize): v128 {
  let cost = f64x2.splat(0);
  for (let i: usize = 0; i < width; i++) {
    const row = metric + i * width * 16;
    let sum = f64x2.splat(0);
    for (let j: usize = 0; j < i; j++)
      sum = f64x2.add(sum, f64x2.mul(v128.load(row + j * 16), v128.load(pairs + j * 16)));
    const error = v128.load(pairs + i * 16);
    const own = f64x2.mul(v128.load(row + i * 16), error);
    cost = f64x2.add(cost, f64x2.mul(error, f64x2.add(f64x2.add(sum, sum), own)));
  }
  return cost;
}

// @ts-ignore: decorator
@inline
function keep(cost: f64, entry: usize, signs: i32): void {
  if (cost >= least) return;
  least = cost;
  bestEntry = entry;
  bestSigns = signs;
}

/** Tries the entries of a list, two at a time. */
function tryList(list: usize, width: usize, signs: i32): void {
  for (let k = 0; k < listed; k += 2, list += 4) {
    const one = <usize>load<u16>(list);
    const two = <usize>load<u16>(list, 2);
    for (let j: usize = 0; j < width; j++) {
      const ratio = load<f32>(ratios + j * 4);
      store<f64>(pairs + j * 16, <f64>(ratio - levelOf(one, j, width, signs)));
      store<f64>(pairs + j * 16, <f64>(ratio - levelOf(two, j, width, signs)), 8);
    }
    const cost = costs(width);
    keep(f64x2.extract_lane(cost, 0), one, signs);
    keep(f64x2.extract_lane(cost, 1), two, signs);
  }
}

/** Chooses for the group whose ratios are known; `parity` is -1 where any number of weights can be negative. */
function choose(width: usize, parity: i32, count: i32, offset: f32, step: f32): void {
  let signs = 0;
  let cell = 0;
  for (let j = width; j > 0; j--) {
    const ratio = load<f32>(ratios + (j - 1) * 4);
    if (ratio < 0) signs |= 1 << <i32>(j - 1);
    const steps = abs(ratio) / step - offset;
    cell = cell * count + <i32>nearestInteger(min(max(steps, 0), <f32>(count - 1)));
  }
  const list = nearest + <usize>(cell * listed) * 2;
  least = Infinity;
  if (parity < 0 || (popcnt(signs) & 1) == parity) tryList(list, width, signs);
  else for (let j: usize = 0; j < width; j++) tryList(list, width, signs ^ (1 << <i32>j));
}

// @ts-ignore: decorator
@inline
function nearestInteger(value: f32): f32 {
  return value + <f32>12582912 - <f32>12582912;
}

/** Codes 256 targets; leaves an entry a group (two bytes) and, 512 bytes on, a byte of signs for eight weights. */
export function codeEntries(
  column: usize, width: usize, evenSigns: i32, reach: usize, levels: i32, offset: f32, step: f32,
): void {
  const block = feedbackBlock();
  const scales = block + 1024;
  const chosen = block + 3072;
  const signs = chosen + 512;
  const row = feedbackFactor() + (column << 10) + (column << 2);
  memory.fill(signs, 0, 32);
  for (let at: usize = 0; at < 256; at += width) {
    const octet = signs + (at >> 3);
    const scale = load<f32>(scales + at * 4);
    const inverse: f32 = scale == 0 ? 0 : <f32>1 / scale;
    for (let j: usize = 0; j < width; j++)
      store<f32>(ratios + j * 4, load<f32>(block + (at + j) * 4) * inverse);
    useMetric(at / width, width * width);
    const isLast = ((at + width) & 7) == 0;
    const parity = evenSigns && isLast ? popcnt(<i32>load<u8>(octet)) & 1 : -1;
    choose(width, parity, levels, offset, step);
    store<u16>(chosen + (at / width) * 2, <u16>bestEntry);
    store<u8>(octet, <u8>(<i32>load<u8>(octet) | (bestSigns << <i32>(at & 7))));
    for (let j: usize = 0; j < width; j++)
      codeValue(at + j, scale * levelOf(bestEntry, j, width, bestSigns), row, reach);
  }
}

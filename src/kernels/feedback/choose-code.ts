const f = Math.fround;

/** Half way between neighbouring levels, which rise. */
export function thresholdsOf(levels: Float32Array): Float32Array {
  return Float32Array.from(levels.subarray(1), (level, code) => f(levels[code]! + level) * 0.5);
}

/** The code of the level nearest to `ratio`; of two, the lower. */
export function nearestCode(thresholds: Float32Array, ratio: number): number {
  let low = 0;
  let high = thresholds.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ratio > thresholds[middle]!) low = middle + 1;
    else high = middle;
  }
  return low;
}

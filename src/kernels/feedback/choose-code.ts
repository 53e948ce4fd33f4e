const f = Math.fround;

/** The code of the level nearest to `ratio`; of two, the lower. Levels rise. */
export function nearestCode(levels: Float32Array, ratio: number): number {
  let low = 0;
  let high = levels.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ratio > f(f(levels[middle]! + levels[middle + 1]!) * 0.5)) low = middle + 1;
    else high = middle;
  }
  return low;
}

const { fround } = Math;

/**
 * Sums `term(0) … term(count − 1)` in f32 in the order of the SIMD twin: lane i mod 4 collects its
 * terms one after the other, then (s0 + s1) + (s2 + s3). `count` is a multiple of 4.
 */
export function laneSum(count: number, term: (i: number) => number): number {
  const lanes = new Float32Array(4);
  for (let i = 0; i < count; i++) lanes[i & 3] = lanes[i & 3]! + fround(term(i));
  return fround(fround(lanes[0]! + lanes[1]!) + fround(lanes[2]! + lanes[3]!));
}

/**
 * Sums in f32 over twice as many lanes, i mod 8, for long sums whose additions would wait for each
 * other; lanes j and j + 4 meet at the end. `count` is a multiple of 8.
 */
export function doubleLaneSum(count: number, term: (i: number) => number): number {
  const lanes = new Float32Array(8);
  for (let i = 0; i < count; i++) lanes[i & 7] = lanes[i & 7]! + fround(term(i));
  return laneSum(4, (j) => lanes[j]! + lanes[j + 4]!);
}

/** The order of `laneSum` in f64; `count` may be anything. */
export function wideLaneSum(count: number, term: (i: number) => number): number {
  const lanes = new Float64Array(4);
  for (let i = 0; i < count; i++) lanes[i & 3] = lanes[i & 3]! + term(i);
  return lanes[0]! + lanes[1]! + (lanes[2]! + lanes[3]!);
}

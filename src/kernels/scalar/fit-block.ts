const f = Math.fround;
const bits = new DataView(new ArrayBuffer(4));

/** One block on its way to being quantized, in units of `unit` so that nothing over- or underflows. */
export interface FitBlock {
  /** Weights of the tensor divided by `unit`; the largest magnitude lies in [1, 4), or all are 0. */
  readonly values: Float32Array;
  /** What the squared error of each weight counts; positive unless all values are 0. */
  readonly weights: Float32Array;
  /** Weights that share a scale; divides the block. */
  readonly subBlock: number;
  /** A power of two. */
  unit: number;
}

/** Copies a block divided by its unit; returns Σ x² in units of unit². */
export function normalize(source: Float32Array, block: FitBlock): number {
  let largest = 0;
  for (const value of source) largest = Math.max(largest, Math.abs(value));
  block.unit = powerOfTwoBelow(largest);
  const inverse = 1 / block.unit;
  for (let i = 0; i < source.length; i++) block.values[i] = source[i]! * inverse;
  return energyOf(block);
}

/** Σ x² in f32 in the order of SIMD lanes, which hold one sub-block each. */
function energyOf({ values, subBlock }: FitBlock): number {
  const partial = new Float32Array(16);
  values.forEach((value, i) => {
    const lane = Math.floor(i / subBlock) & 3;
    partial[(i & 3) * 4 + lane]! += f(value * value);
  });
  return sumOfSixteen(partial);
}

/** The largest power of two that is at most `magnitude`, kept within 2^±126. */
export function powerOfTwoBelow(magnitude: number): number {
  bits.setFloat32(0, magnitude);
  const exponent = bits.getUint32(0) >>> 23;
  return 2 ** (Math.min(Math.max(exponent, 1), 253) - 127);
}

/** Weighs errors with x², plus `ridge` times its mean. */
export function weighBySquare({ values, weights }: FitBlock, energy: number, ridge: number): void {
  const floor = f(f(ridge) * f(energy / values.length));
  for (let i = 0; i < values.length; i++) weights[i] = f(values[i]! * values[i]!) + floor;
}

/** Weighs errors with importance · sqrt(2·mean(x²) + x²). */
export function weighByBoth(
  { values, weights }: FitBlock,
  energy: number,
  importance: Float32Array,
): void {
  const variance = f(2 * f(energy / values.length));
  for (let i = 0; i < values.length; i++) {
    const square = f(values[i]! * values[i]!);
    weights[i] = importance[i]! * f(Math.sqrt(f(variance + square)));
  }
}

/** Importance divided by its mean, plus `ridge`; importance 0 in every column counts as 1. */
export function relativeImportance(importance: Float32Array, ridge: number): Float32Array {
  let sum = 0;
  for (const each of importance) sum += each;
  const mean = sum / importance.length;
  return importance.map((each) => (mean > 0 ? each / mean : 1) + f(ridge));
}

/** Sums in f32 as sixteen interleaved partial sums: four SIMD registers of four lanes. */
export function sumInSixteen(terms: Float32Array): number {
  const partial = new Float32Array(16);
  for (let i = 0; i < terms.length; i++) partial[i & 15]! += terms[i]!;
  return sumOfSixteen(partial);
}

function sumOfSixteen(partial: Float32Array): number {
  const [a, b, c, d] = [0, 4, 8, 12].map((from) => partial.subarray(from, from + 4));
  return sumInFour(a!.map((first, i) => f(first + b![i]!) + f(c![i]! + d![i]!)));
}

/** Sums in f32 as four interleaved partial sums: one SIMD register. */
export function sumInFour(terms: ArrayLike<number>): number {
  const lanes = new Float32Array(4);
  for (let i = 0; i < terms.length; i++) lanes[i & 3]! += terms[i]!;
  return f(f(lanes[0]! + lanes[1]!) + f(lanes[2]! + lanes[3]!));
}

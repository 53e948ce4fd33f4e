/** Rounds to f32. */
export const f32 = Math.fround;

/** Steps and sums below 2^-100 count as zero; weights are normalized to about 1 first. */
const tiny = 2 ** -100;

/** 1 / value, or 0 for a value that counts as zero. */
export function inverseOrZero(value: number): number {
  return value > tiny ? f32(1 / value) : 0;
}

/** Limits to 0 … most. */
export function limit(value: number, most: number): number {
  return Math.min(Math.max(value, 0), most);
}

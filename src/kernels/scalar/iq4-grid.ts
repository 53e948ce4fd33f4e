import { packNibbles } from './pack.ts';
import { roundSmall, type Grid, type Search } from './symmetric-fit.ts';

/**
 * The sixteen values of IQ4_NL and IQ4_XS, by code.
 *
 * @see ggml-common.h kvalues_iq4nl.
 */
export const iq4Values = [
  -127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113,
] as const;

/** Where one code ends and the next begins: a ratio at a midpoint belongs to the upper code. */
const midpoints = iq4Values.slice(1).map((value, below) => (value + iq4Values[below]!) / 2);

/** The code whose value is nearest to `ratio`. */
export function nearestIq4Code(ratio: number): number {
  return midpoints.reduce((code, midpoint) => code + (ratio >= midpoint ? 1 : 0), 0);
}

/** The nearest value of each integer −128 … 127. */
const valueOfInteger = Int8Array.from({ length: 256 }, (_, index) => {
  return iq4Values[nearestIq4Code(index - 128)]!;
});

/** The grid; its search rounds to an integer first, so that a table finds the value. */
export const iq4Grid: Grid = {
  lowest: -127,
  highest: 113,
  snap: (ratio) => valueOfInteger[roundSmall(Math.min(Math.max(ratio, -128), 127)) + 128]!,
  nearest: (ratio) => iq4Values[nearestIq4Code(ratio)]!,
};

/** Packs grid values of runs of 32 weights: byte j holds the codes of weights j and j + 16. */
export function packIq4(values: Float32Array, out: Uint8Array, at: number): void {
  packNibbles(Uint8Array.from(values, nearestIq4Code), out, at);
}

const search: Search = {
  targets: [-140, -132, -126, -120, -113, -104, 90, 98, 105, 111, 117, 125],
  refinements: 1,
  subScaleSteps: [0, 1, -1],
};

/** How both IQ4 types search and weigh. */
export const iq4Tuning = {
  plain: { ridge: 1.3, search },
  importance: { ridge: 0.2, search },
} as const;

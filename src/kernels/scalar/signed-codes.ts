import { f16ToF32, roundHalfEven } from '../../util/half-float.ts';
import { scaleToHalf } from './encoder.ts';
import { laneSum } from './lanes.ts';

const { fround } = Math;

/** Integers that are multiplied with one scale of either sign, and how that is searched. */
export interface SignedSearch {
  /** Codes are `lowest` … `highest`. */
  readonly lowest: number;
  readonly highest: number;
  /** Where the search puts the weight of largest magnitude, in steps. */
  readonly targets: readonly number[];
  /** How often codes and scale are refitted to each other after the search. */
  readonly refits: number;
}

type Codes = Pick<SignedSearch, 'lowest' | 'highest'>;

/** The codes at `inverse` steps per unit. */
function codesAt(values: Float32Array, inverse: number, { lowest, highest }: Codes): Float32Array {
  return values.map((x) => Math.max(Math.min(roundHalfEven(fround(x * inverse)), highest), lowest));
}

/** The least-squares scale of the best codes met: those whose scale explains most of Σ w x². */
export function searchScale(
  values: Float32Array,
  weights: Float32Array,
  peak: number,
  search: SignedSearch,
): number {
  let best = { gain: -1, scale: 0 };
  const attempt = (inverse: number) => {
    const codes = codesAt(values, inverse, search);
    const weighed = codes.map((code, i) => code * weights[i]!);
    const xl = laneSum(values.length, (i) => weighed[i]! * values[i]!);
    const ll = laneSum(values.length, (i) => weighed[i]! * codes[i]!);
    const gain = ll > 0 ? fround(fround(xl * xl) / ll) : 0;
    if (gain <= best.gain) return false;
    best = { gain, scale: fround(ll > 0 ? xl / ll : 1 / inverse) };
    return true;
  };
  for (const target of search.targets) attempt(fround(target / peak));
  for (let round = 0; round < search.refits && attempt(fround(1 / best.scale)); round++);
  return best.scale;
}

/** A scale as binary16, and the codes nearest to the weights at what that reads back as. */
export function storedCodes(values: Float32Array, scale: number, codes: Codes) {
  const half = scaleToHalf(scale);
  const d = f16ToF32(half);
  return { half, codes: codesAt(values, d === 0 ? 0 : fround(1 / d), codes) };
}

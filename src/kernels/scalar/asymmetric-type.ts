/**
 * What tells Q2_K, Q4_K and Q5_K apart: 256 weights in sub-blocks, x ≈ d · scaleCode · code −
 * dmin · minCode, with one f16 pair d, dmin for all and small integers a sub-block.
 */
export interface AsymmetricType {
  /** Weights of a sub-block. */
  readonly subLength: 16 | 32;
  /** Largest weight code. */
  readonly maxCode: number;
  /** Largest scale code and min code. */
  readonly maxScale: number;
  /** With importance v, errors weigh w = v · sqrt(variances · mean(x²) + x²), mean over all 256. */
  readonly variances: number;
  /** Without, w = rmsShare · rms(sub-block) + |x|. */
  readonly rmsShare: number;
  /**
   * Where the fit of a sub-block starts: how many levels span the range of its weights, and how
   * many of them code 0 lies above the lowest. Chosen greedily on Gaussian, Student-t and real
   * weights for the least error of the best start.
   */
  readonly starts: readonly (readonly [levels: number, zero: number])[];
  /** Codes that the largest scale and min get in the search for d and dmin. */
  readonly tops: readonly number[];
}

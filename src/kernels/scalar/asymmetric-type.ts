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
   * many of them code 0 lies above the lowest. Found by hill climbing on the final weighted error
   * (and 0.3 of the plain one, in logarithms) of Gaussian, Laplace, Student-t and real weights, with
   * and without importance. 300 random starts leave 0.1 (Q2_K) to 0.8 % (Q4_K) less error.
   */
  readonly starts: readonly (readonly [levels: number, zero: number])[];
  /** Codes that the largest scale and min get in the search for d and dmin. */
  readonly tops: readonly number[];
}

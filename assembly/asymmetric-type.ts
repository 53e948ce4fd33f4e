// What tells Q2_K, Q4_K and Q5_K apart while a super-block is fitted; set once per encode call.

/** Weights of a sub-block. */
export let subLength: i32 = 32;
/** Sub-blocks are worked on in groups of four, one a lane. */
export let groupCount: i32 = 2;
/** Largest weight code, and largest sub-scale and sub-min code. */
export let maxCode: f32 = 15;
export let maxScale: f32 = 63;
/** Importance form of the error weights: w = v · sqrt(variances · mean(x²) + x²). */
export let variances: f32 = 2;
/** Form without importance: w = rmsShare · rms(sub-block) + |x|. */
export let rmsShare: f32 = 1;

/** Makes a type current. */
export function setType(
  length: i32,
  largestCode: f32,
  largestScale: f32,
  varianceFactor: f32,
  rmsFactor: f32,
): void {
  subLength = length;
  groupCount = 64 / length;
  maxCode = largestCode;
  maxScale = largestScale;
  variances = varianceFactor;
  rmsShare = rmsFactor;
}

/** Where the fit of a sub-block starts: `startCount` pairs of f32, see `fitGroup`. */
export let starts: usize = 0;
export let startCount: i32 = 0;
/** Codes that the largest scale and min get in the search for d and dmin: `topCount` f32. */
export let tops: usize = 0;
export let topCount: i32 = 0;

/** Sets the tables that the searches run over. */
export function setSearch(fitStarts: usize, fits: i32, stepTops: usize, steps: i32): void {
  starts = fitStarts;
  startCount = fits;
  tops = stepTops;
  topCount = steps;
}

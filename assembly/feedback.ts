// Coding a block of weights one after the other; see src/kernels/feedback/block-coder.ts.

/** The caller puts the factor of up to 256 neighbouring columns here, 256 f32 a row, … */
const factor: usize = memory.data(262144, 16);
/** … and what belongs to a block here: eight arrays of 256 f32 each, … */
const block: usize = memory.data(8192, 16);
const scales = block + 1024;
const offsets = block + 2048;
const thresholds = block + 3072;
const levels = block + 4096;
const values = block + 5120;
const errors = block + 6144;
/** … of which the last holds codes, a byte each. */
const codes = block + 7168;

export function feedbackFactor(): usize {
  return factor;
}

export function feedbackBlock(): usize {
  return block;
}

/** The number of thresholds, of `count` rising ones, that lie below `ratio`. */
// @ts-ignore: decorator
@inline
function nearestCode(ratio: f32, count: i32): i32 {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >> 1;
    const above = ratio > load<f32>(thresholds + (<usize>middle << 2));
    low = select(middle + 1, low, above);
    high = select(high, middle, above);
  }
  return low;
}

/** Subtracts `error` times a row of the factor from the targets after `j`; what stood before them is spent. */
// @ts-ignore: decorator
@inline
function passOn(error: f32, row: usize, j: usize, reach: usize): void {
  const e = f32x4.splat(error);
  const end = block + (reach << 2);
  let to = block + (((j + 1) & ~15) << 2);
  for (let u = row + (to - block); to < end; to += 64, u += 64) {
    v128.store(to, f32x4.sub(v128.load(to), f32x4.mul(e, v128.load(u))));
    v128.store(to, f32x4.sub(v128.load(to, 16), f32x4.mul(e, v128.load(u, 16))), 16);
    v128.store(to, f32x4.sub(v128.load(to, 32), f32x4.mul(e, v128.load(u, 32))), 32);
    v128.store(to, f32x4.sub(v128.load(to, 48), f32x4.mul(e, v128.load(u, 48))), 48);
  }
}

/** Stores the value and the error of weight `j`, and passes the error on. `first` is the factor's row of the block's first. */
// @ts-ignore: decorator
@inline
export function codeValue(j: usize, value: f32, first: usize, reach: usize): void {
  const at = j << 2;
  const row = first + (j << 10);
  store<f32>(values + at, value);
  const error = (load<f32>(block + at) - value) / load<f32>(row + at);
  store<f32>(errors + at, error);
  passOn(error, row, j, reach);
}

/** Codes `weights` targets from `column` of the factor on; errors reach `reach` targets, a multiple of 16. */
export function codeLevels(column: usize, weights: usize, reach: usize, count: i32): void {
  const row = factor + (column << 10) + (column << 2);
  for (let j: usize = 0; j < weights; j++) {
    const at = j << 2;
    const scale = load<f32>(scales + at);
    const offset = load<f32>(offsets + at);
    const inverse: f32 = scale == 0 ? 0 : <f32>1 / scale;
    const code = nearestCode((load<f32>(block + at) + offset) * inverse, count);
    store<u8>(codes + j, <u8>code);
    codeValue(j, scale * load<f32>(levels + (<usize>code << 2)) - offset, row, reach);
  }
}

// Sums of squares over an encode call in f64, in the order of src/kernels/scalar/lanes.ts: lane
// i mod 4 collects value i, then (s0 + s1) + (s2 + s3).

/** Lanes 0 to 3 of the squared error, then of the squared norm. */
const lanes = memory.data(64, 16);
/** Values decoded at a time. */
const chunk = 256;
const decoded = memory.data(1024, 16);

type Decode = (bytes: usize, units: i32, values: usize) => void;

export function startError(): void {
  memory.fill(lanes, 0, 64);
}

@inline function square(v: v128): v128 {
  return f64x2.mul(v, v);
}

@inline function lowPair(v: v128): v128 {
  return f64x2.promote_low_f32x4(v);
}

@inline function highPair(v: v128): v128 {
  return f64x2.promote_low_f32x4(v128.shuffle<f32>(v, v, 2, 3, 2, 3));
}

@inline function addTo(at: usize, term: f64): void {
  store<f64>(at, load<f64>(at) + term);
}

/** Adds `count` values and what a decoder made of them; only the last call may have a tail. */
function addValues(values: usize, approximate: usize, count: i32): void {
  let error01 = v128.load(lanes);
  let error23 = v128.load(lanes, 16);
  let norm01 = v128.load(lanes, 32);
  let norm23 = v128.load(lanes, 48);
  const vectors = values + (<usize>(count & ~3) << 2);
  for (; values < vectors; values += 16, approximate += 16) {
    const x = v128.load(values);
    const difference = f32x4.sub(x, v128.load(approximate));
    error01 = f64x2.add(error01, square(lowPair(difference)));
    error23 = f64x2.add(error23, square(highPair(difference)));
    norm01 = f64x2.add(norm01, square(lowPair(x)));
    norm23 = f64x2.add(norm23, square(highPair(x)));
  }
  v128.store(lanes, error01);
  v128.store(lanes, error23, 16);
  v128.store(lanes, norm01, 32);
  v128.store(lanes, norm23, 48);
  for (let i: usize = 0; i < (<usize>count & 3); i++) {
    const x = load<f32>(values + 4 * i);
    const difference = <f64>(x - load<f32>(approximate + 4 * i));
    addTo(lanes + 8 * i, difference * difference);
    addTo(lanes + 32 + 8 * i, <f64>x * <f64>x);
  }
}

/** Decodes what was written for `count` values, in units of `width` values, and adds their error. */
export function addError(
  values: usize, count: i32, bytes: usize, width: i32, size: i32, decode: Decode,
): void {
  for (; count > 0; count -= chunk, values += chunk << 2) {
    const units = min(count, chunk) / width;
    decode(bytes, units, decoded);
    addValues(values, decoded, units * width);
    bytes += units * size;
  }
}

@inline function fold(at: usize): f64 {
  return load<f64>(at) + load<f64>(at, 8) + (load<f64>(at, 16) + load<f64>(at, 24));
}

export function finishError(stats: usize): void {
  store<f64>(stats, fold(lanes));
  store<f64>(stats, fold(lanes + 32), 8);
}

/** The mean square of a row, at most 2^40. */
export function meanSquare(values: usize, count: i32): f32 {
  let sum01 = f64x2.splat(0);
  let sum23 = f64x2.splat(0);
  for (let at = values, end = values + (<usize>count << 2); at < end; at += 16) {
    const x = v128.load(at);
    sum01 = f64x2.add(sum01, square(lowPair(x)));
    sum23 = f64x2.add(sum23, square(highPair(x)));
  }
  const sum =
    f64x2.extract_lane(sum01, 0) +
    f64x2.extract_lane(sum01, 1) +
    (f64x2.extract_lane(sum23, 0) + f64x2.extract_lane(sum23, 1));
  return min(<f32>(sum / <f64>count), <f32>1099511627776);
}

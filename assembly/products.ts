// Products of matrices, subtracted; see src/kernels/linear-algebra/products.ts. Four rows times 32 bytes of columns
// are held in registers while the depth goes by, so every element sees its products in rising depth.

/** Copies `[depth, columns]` in strips 32 bytes wide, each with all of its depth. Steps are in bytes. */
// @ts-ignore: decorator
@inline
function packStrips<T>(from: usize, rowStep: usize, columnStep: usize, depth: i32, columns: i32, to: usize): void {
  const width = 32 / <i32>sizeof<T>();
  for (let column = 0; column < columns; column += width, from += <usize>width * columnStep) {
    for (let k = 0, row = from; k < depth; k++, row += rowStep, to += 32) {
      if (columnStep == sizeof<T>()) {
        v128.store(to, v128.load(row));
        v128.store(to, v128.load(row, 16), 16);
      } else
        for (let j = 0; j < width; j++)
          store<T>(to + (<usize>j) * sizeof<T>(), load<T>(row + <usize>j * columnStep));
    }
  }
}

/** Copies `[rows, depth]` in groups of four rows, interleaved; missing rows are 0. */
// @ts-ignore: decorator
@inline
function packGroups<T>(from: usize, rowStep: usize, depthStep: usize, rows: i32, depth: i32, to: usize): void {
  for (let row = 0; row < rows; row += 4, from += 4 * rowStep)
    for (let k = 0, at = from; k < depth; k++, at += depthStep)
      for (let i = 0; i < 4; i++, to += sizeof<T>())
        store<T>(to, row + i < rows ? load<T>(at + <usize>i * rowStep) : 0);
}

export function packStrips_F32(from: usize, rowStep: usize, columnStep: usize, depth: i32, columns: i32, to: usize): void {
  packStrips<f32>(from, rowStep, columnStep, depth, columns, to);
}

export function packStrips_F64(from: usize, rowStep: usize, columnStep: usize, depth: i32, columns: i32, to: usize): void {
  packStrips<f64>(from, rowStep, columnStep, depth, columns, to);
}

export function packGroups_F32(from: usize, rowStep: usize, depthStep: usize, rows: i32, depth: i32, to: usize): void {
  packGroups<f32>(from, rowStep, depthStep, rows, depth, to);
}

export function packGroups_F64(from: usize, rowStep: usize, depthStep: usize, rows: i32, depth: i32, to: usize): void {
  packGroups<f64>(from, rowStep, depthStep, rows, depth, to);
}

// @ts-ignore: decorator
@inline
function splat<T>(at: usize): v128 {
  return sizeof<T>() == 4 ? v128.load32_splat(at) : v128.load64_splat(at);
}

// @ts-ignore: decorator
@inline
function less<T>(from: v128, x: v128, y: v128): v128 {
  return v128.sub<T>(from, v128.mul<T>(x, y));
}

// @ts-ignore: decorator
@inline
function tile<T>(to: usize, stride: usize, left: usize, right: usize, depth: i32): void {
  const to1 = to + stride;
  const to2 = to1 + stride;
  const to3 = to2 + stride;
  let a0 = v128.load(to);
  let b0 = v128.load(to, 16);
  let a1 = v128.load(to1);
  let b1 = v128.load(to1, 16);
  let a2 = v128.load(to2);
  let b2 = v128.load(to2, 16);
  let a3 = v128.load(to3);
  let b3 = v128.load(to3, 16);
  const end = right + (<usize>depth << 5);
  for (; right < end; right += 32, left += 4 * sizeof<T>()) {
    const u = v128.load(right);
    const v = v128.load(right, 16);
    const x0 = splat<T>(left);
    a0 = less<T>(a0, x0, u);
    b0 = less<T>(b0, x0, v);
    const x1 = splat<T>(left + sizeof<T>());
    a1 = less<T>(a1, x1, u);
    b1 = less<T>(b1, x1, v);
    const x2 = splat<T>(left + 2 * sizeof<T>());
    a2 = less<T>(a2, x2, u);
    b2 = less<T>(b2, x2, v);
    const x3 = splat<T>(left + 3 * sizeof<T>());
    a3 = less<T>(a3, x3, u);
    b3 = less<T>(b3, x3, v);
  }
  v128.store(to, a0);
  v128.store(to, b0, 16);
  v128.store(to1, a1);
  v128.store(to1, b1, 16);
  v128.store(to2, a2);
  v128.store(to2, b2, 16);
  v128.store(to3, a3);
  v128.store(to3, b3, 16);
}

// @ts-ignore: decorator
@inline
function subtract<T>(to: usize, stride: usize, rows: i32, depth: i32, left: usize, right: usize): void {
  const group = <usize>depth * 4 * sizeof<T>();
  for (let at: usize = 0; at < stride; at += 32, right += <usize>depth << 5) {
    let factors = left;
    let row = to + at;
    for (let i = 0; i < rows; i += 4, factors += group, row += 4 * stride)
      tile<T>(row, stride, factors, right, depth);
  }
}

/** Rows `stride` bytes apart, whose operands were packed; `rows` is rounded up to four, `stride` a multiple of 32. */
export function subtract_F32(to: usize, stride: usize, rows: i32, depth: i32, left: usize, right: usize): void {
  subtract<f32>(to, stride, rows, depth, left, right);
}

export function subtract_F64(to: usize, stride: usize, rows: i32, depth: i32, left: usize, right: usize): void {
  subtract<f64>(to, stride, rows, depth, left, right);
}

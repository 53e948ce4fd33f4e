// 32 codes as two vectors of bytes, to the bytes of the legacy formats.

/** Byte j holds the low nibble of code j and, above it, that of code j + 16. */
@inline export function storeNibbles(first: v128, second: v128, out: usize): void {
  v128.store(out, v128.or(v128.and(first, i8x16.splat(15)), i8x16.shl(second, 4)));
}

/** Bit 4 of code j becomes bit j of a 32-bit word. */
@inline export function storeFifthBits(first: v128, second: v128, out: usize): void {
  store<u16>(out, i8x16.bitmask(i8x16.shl(first, 3)));
  store<u16>(out, i8x16.bitmask(i8x16.shl(second, 3)), 2);
}

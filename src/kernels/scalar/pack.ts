/**
 * Packs the low four bits of each run of 2 · `half` codes: byte j holds code j and, above it, code
 * j + half.
 */
export function packNibbles(
  codes: ArrayLike<number>,
  out: Uint8Array,
  at: number,
  half: 16 | 32 | 64 = 16,
): void {
  for (let first = 0; first < codes.length; first += 2 * half) {
    const to = at + first / 2;
    for (let j = first; j < first + half; j++)
      out[to + j - first] = (codes[j]! & 15) | ((codes[j + half]! & 15) << 4);
  }
}

/** Packs bits `shift` and `shift` + 1 of each run of 128 codes: byte j has j, j + 32, j + 64, j + 96. */
export function packBitPairs(
  codes: ArrayLike<number>,
  out: Uint8Array,
  at: number,
  shift: 0 | 4,
): void {
  for (let first = 0; first < codes.length; first += 128) {
    const to = at + first / 4;
    for (let j = first; j < first + 32; j++) {
      const low = ((codes[j]! >> shift) & 3) | (((codes[j + 32]! >> shift) & 3) << 2);
      const high = ((codes[j + 64]! >> shift) & 3) | (((codes[j + 96]! >> shift) & 3) << 2);
      out[to + j - first] = low | (high << 4);
    }
  }
}

/** Packs bit `shift` of 256 codes: bit k of byte j is code 32 k + j's. */
export function packBits(
  codes: ArrayLike<number>,
  out: Uint8Array,
  at: number,
  shift: 2 | 4,
): void {
  for (let j = 0; j < 32; j++) {
    let byte = 0;
    for (let k = 0; k < 8; k++) byte |= ((codes[32 * k + j]! >> shift) & 1) << k;
    out[at + j] = byte;
  }
}

/** Packs 32 codes of five bits: their fifth bits in a little-endian word, then `packNibbles`. */
export function packFiveBits(codes: ArrayLike<number>, out: Uint8Array, at: number): void {
  for (let k = 0; k < 4; k++) {
    let byte = 0;
    for (let j = 0; j < 8; j++) byte |= ((codes[8 * k + j]! >> 4) & 1) << j;
    out[at + k] = byte;
  }
  packNibbles(codes, out, at + 4);
}

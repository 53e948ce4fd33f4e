/** Packs the low nibbles of 32 codes: byte j holds code j and, above it, code j + 16. */
export function packNibbles(codes: ArrayLike<number>, out: Uint8Array, at: number): void {
  for (let j = 0; j < 16; j++) out[at + j] = (codes[j]! & 15) | ((codes[j + 16]! & 15) << 4);
}

/** Packs bit 4 of 32 codes into four bytes: bit j of the little-endian word is code j's. */
export function packFifthBits(codes: ArrayLike<number>, out: Uint8Array, at: number): void {
  for (let k = 0; k < 4; k++) {
    let byte = 0;
    for (let j = 0; j < 8; j++) byte |= ((codes[8 * k + j]! >> 4) & 1) << j;
    out[at + k] = byte;
  }
}

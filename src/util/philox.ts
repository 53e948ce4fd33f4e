/**
 * Philox4x32-10: four random words for a counter of four words and a key of two.
 *
 * The same counter and key give the same words, on any machine and in any order, and every bit of either
 * changes all of them.
 *
 * @param out - `[4]`: receives the words.
 * @see Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3". Checked against the known
 *   answers of its authors' library, Random123.
 */
export function philox(counter: Words4, key: Words2, out: Uint32Array): void {
  let [a, b, c, d] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < 10; round += 1) {
    const high0 = highWord(0xd2511f53, a);
    const high1 = highWord(0xcd9e8d57, c);
    [a, b, c, d] = [high1 ^ b ^ k0, Math.imul(0xcd9e8d57, c), high0 ^ d ^ k1, low0(a)];
    k0 = (k0 + 0x9e3779b9) | 0;
    k1 = (k1 + 0xbb67ae85) | 0;
  }
  out[0] = a;
  out[1] = b;
  out[2] = c;
  out[3] = d;
}

type Words4 = readonly [number, number, number, number];
type Words2 = readonly [number, number];

function low0(a: number): number {
  return Math.imul(0xd2511f53, a);
}

/** The upper 32 bits of a product of two 32-bit words. */
function highWord(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16);
  const carry = ((middle & 0xffff) + aLow * bHigh) >>> 16;
  return aHigh * bHigh + (middle >>> 16) + carry;
}

import { describe, expect, test } from 'vitest';
import golden from '../../../test/golden/pack-groups.json' with { type: 'json' };
import { PithError } from '../../util/errors.ts';
import { seededRandom } from '../../util/random.ts';
import { emptyCodes, groupValues, type GroupCodes, type GroupGrid } from './group-codes.ts';
import { packGptq, packQuantized } from './pack-int32.ts';
import { packMatMulNBits } from './pack-matmul-nbits.ts';

type Codes = Omit<GroupCodes, 'error'>;

/** Random codes; zero points are at least 1. */
function randomCodes(rows: number, columns: number, grid: GroupGrid): Codes {
  const random = seededRandom(rows * columns + grid.bits);
  const codes = emptyCodes({ rows, columns }, grid);
  const top = 2 ** grid.bits - 1;
  const half = 2 ** (grid.bits - 1);
  return {
    ...codes,
    codes: codes.codes.map(() => random.below(top + 1)),
    scales: codes.scales.map(() => Math.fround(0.01 + random.uniform())),
    zeroPoints: codes.zeroPoints.map(() => (grid.symmetric ? half : 1 + random.below(top))),
  };
}

describe('compressed-tensors', () => {
  test.each(golden.cases)(
    `words of $bits-bit codes and zero points are those of ${golden.source}`,
    ({ bits, codes, zeroPoints, packed, packedZeroPoints }) => {
      const { rows, columns } = golden;
      const grid = { bits: bits as 2 | 4 | 8, groupSize: 8, symmetric: false };
      const given = {
        ...emptyCodes({ rows, columns }, grid),
        codes: Uint8Array.from(codes),
        zeroPoints: Uint8Array.from(zeroPoints),
      };
      const found = packQuantized(given);
      expect([...found.weight_packed]).toEqual(packed);
      expect([...found.weight_zero_point!]).toEqual(packedZeroPoints);
      expect([...found.weight_shape]).toEqual([6n, 20n]);
      expect(packQuantized({ ...given, symmetric: true }).weight_zero_point).toBeUndefined();
    },
  );
});

describe('GPTQ', () => {
  test.each([2, 4, 8] as const)(
    'AutoGPTQ’s formula reads the weights back from words of %i-bit codes',
    (bits) => {
      const [rows, columns, groupSize] = [32, 48, 16];
      const codes = randomCodes(rows, columns, { bits, groupSize, symmetric: false });
      const { qweight, qzeros, scales, g_idx: groupOf } = packGptq(codes);
      const perWord = 32 / bits;
      const mask = 2 ** bits - 1;
      // qlinear_cuda_old.py: (qweight[k / n] >> b (k % n)) & mask, less ((qzeros >> …) & mask) + 1, times scales.
      const read = Float32Array.from({ length: rows * columns }, (_, at) => {
        const [row, column] = [Math.floor(at / columns), at % columns];
        const word = qweight[Math.floor(column / perWord) * rows + row]!;
        const code = (word >>> (bits * (column % perWord))) & mask;
        const group = groupOf[column]!;
        const zeros = qzeros[group * (rows / perWord) + Math.floor(row / perWord)]!;
        const zero = ((zeros >>> (bits * (row % perWord))) & mask) + 1;
        return (code - zero) * scales[group * rows + row]!;
      });
      expect(read).toEqual(groupValues(codes));
    },
  );

  test('what the layout cannot hold is refused: 3 bits, part-filled words, a zero point of 0', () => {
    const grid = { bits: 4, groupSize: 16, symmetric: true } as const;
    const codes = randomCodes(8, 16, grid);
    expect(() => packGptq(randomCodes(7, 16, grid))).toThrow('7 × 16');
    expect(() => packGptq(randomCodes(8, 16, { ...grid, bits: 3 }))).toThrow('3 bits');
    const zero = { ...codes, zeroPoints: codes.zeroPoints.map(() => 0) };
    expect(() => packGptq(zero)).toThrow('zero point of 0');
  });
});

describe('MatMulNBits', () => {
  test('two 4-bit codes a byte, the first in the low half; the last group is filled with weights of 0', () => {
    const codes = randomCodes(2, 18, { bits: 4, groupSize: 16, symmetric: false });
    const { weights, zeroPoints, scales, attributes } = packMatMulNBits(codes);
    expect(attributes).toEqual({ K: 18, N: 2, bits: 4, block_size: 16 });
    expect(scales).toBe(codes.scales);
    expect(weights).toHaveLength(2 * 2 * 8);
    const nibbles = [...weights].flatMap((byte) => [byte & 15, byte >> 4]);
    const [, zero] = codes.zeroPoints;
    expect(nibbles.slice(0, 32)).toEqual([
      ...codes.codes.subarray(0, 18),
      ...Array.from({ length: 14 }, () => zero),
    ]);
    expect([...zeroPoints!]).toEqual(
      [0, 2].map((at) => codes.zeroPoints[at]! | (codes.zeroPoints[at + 1]! << 4)),
    );
  });

  test('8-bit codes are bytes; three 2-bit zero points of a row share a byte', () => {
    const wide = randomCodes(3, 32, { bits: 8, groupSize: 16, symmetric: true });
    expect(packMatMulNBits(wide).weights).toEqual(wide.codes);
    expect(packMatMulNBits(wide).zeroPoints).toBeUndefined();
    const narrow = randomCodes(2, 48, { bits: 2, groupSize: 16, symmetric: false });
    const [a, b, c] = narrow.zeroPoints;
    expect(packMatMulNBits(narrow).zeroPoints![0]).toBe(a! | (b! << 2) | (c! << 4));
  });

  test.each([
    { bits: 3, groupSize: 32 },
    { bits: 4, groupSize: 8 },
    { bits: 4, groupSize: 48 },
    { bits: 4, groupSize: 'channel' },
  ] as const)('groups of $groupSize weights of $bits bits are refused', (one) => {
    const codes = randomCodes(2, 96, { ...one, symmetric: true });
    expect(() => packMatMulNBits(codes)).toThrow(PithError);
  });
});

import { PithError } from '../../util/errors.ts';
import { groupsInRow, type GroupCodes } from './group-codes.ts';

/** The constant inputs and the attributes of ONNX Runtime's MatMulNBits. */
export interface MatMulNBits {
  /** Input B: uint8 `[rows, groups, blockSize · bits / 8]`. */
  readonly weights: Uint8Array;
  /** Input scales: `[rows, groups]`, in values; store them as F32 or F16. */
  readonly scales: Float32Array;
  /** Input zero_points: uint8 `[rows, ⌈groups · bits / 8⌉]`; none when symmetric, which is what the operator assumes. */
  readonly zeroPoints?: Uint8Array;
  readonly attributes: {
    readonly K: number;
    readonly N: number;
    readonly bits: number;
    readonly block_size: number;
  };
}

/**
 * Packs codes for `Y = A · Wᵀ` by MatMulNBits (com.microsoft): along a row, the first code in the lowest bits.
 * A last group that is not full is filled with weights of 0.
 *
 * @throws PithError `unsupported` unless there are 2, 4 or 8 bits and the group size is a power of 2 from 16 on.
 * @see docs/ContribOperators.md of ONNX Runtime 1.30.
 * @remarks Checked against onnxruntime-node: test/peer/matmul-nbits.test.ts.
 */
export function packMatMulNBits(quantized: Omit<GroupCodes, 'error'>): MatMulNBits {
  const { rows, columns, codes, scales, zeroPoints, groupSize, bits, symmetric } = quantized;
  if (bits === 3 || groupSize < 16 || !Number.isInteger(Math.log2(groupSize)))
    throw new PithError(
      'unsupported',
      `MatMulNBits has no groups of ${groupSize} weights of ${bits} bits.`,
      'Use 2, 4 or 8 bits and a group size of 16, 32, 64, 128 or 256.',
    );
  const groups = groupsInRow(quantized);
  const padded = new Uint8Array(rows * groups * groupSize);
  for (let row = 0; row < rows; row++) {
    const to = row * groups * groupSize;
    padded.fill(zeroPoints[(row + 1) * groups - 1]!, to, to + groups * groupSize);
    padded.set(codes.subarray(row * columns, (row + 1) * columns), to);
  }
  return {
    weights: packBytes(padded, groupSize, bits),
    scales,
    ...(!symmetric && { zeroPoints: packBytes(zeroPoints, groups, bits) }),
    attributes: { K: columns, N: rows, bits, block_size: groupSize },
  };
}

/** Packs lines of `length` numbers into whole bytes each, the first in the lowest bits. */
function packBytes(numbers: Uint8Array, length: number, bits: number): Uint8Array {
  const perByte = 8 / bits;
  const lineBytes = Math.ceil(length / perByte);
  const packed = new Uint8Array((numbers.length / length) * lineBytes);
  for (const [at, number] of numbers.entries()) {
    const place = at % length;
    const to = Math.floor(at / length) * lineBytes + Math.floor(place / perByte);
    packed[to]! |= number << (bits * (place % perByte));
  }
  return packed;
}

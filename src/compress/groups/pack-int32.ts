import { PithError } from '../../util/errors.ts';
import { groupsInRow, type GroupCodes } from './group-codes.ts';

/** Tensors of a linear layer as AutoGPTQ and GPTQModel store them, by the end of their names. */
export interface GptqTensors {
  /** i32 `[columns · bits / 32, rows]`: words of codes down a column of the transposed matrix. */
  readonly qweight: Int32Array;
  /** i32 `[groups, rows · bits / 32]`: zero points less 1, which readers add again. */
  readonly qzeros: Int32Array;
  /** `[groups, rows]`, to be stored as F16. */
  readonly scales: Float32Array;
  /** i32 `[columns]`: the group of each column. */
  readonly g_idx: Int32Array;
}

/** Tensors of a linear layer as compressed-tensors' `pack-quantized` stores them, by the end of their names. */
export interface PackQuantizedTensors {
  /** i32 `[rows, ⌈columns · bits / 32⌉]`. */
  readonly weight_packed: Int32Array;
  /** `[rows, groups]`. */
  readonly weight_scale: Float32Array;
  /** i32 `[⌈rows · bits / 32⌉, groups]`; none when symmetric. */
  readonly weight_zero_point?: Int32Array;
  /** i64 `[2]`: rows, columns. */
  readonly weight_shape: BigInt64Array;
}

/**
 * Packs codes for vLLM and transformers in the GPTQ layout (`quant_method: gptq`, `checkpoint_format: gptq`).
 *
 * @throws PithError `unsupported` for 3 bits, for rows or columns that do not fill words, and for a zero point of 0:
 *   AutoGPTQ's formula reads it back as 2^bits.
 * @see qlinear_cuda_old.py of AutoGPTQ, by whose formula the tests read the words back.
 */
export function packGptq(quantized: Omit<GroupCodes, 'error'>): GptqTensors {
  const { rows, columns, codes, scales, zeroPoints, groupSize, bits } = quantized;
  const perWord = wordCodes(bits);
  if (rows % perWord !== 0 || columns % perWord !== 0)
    throw new PithError(
      'unsupported',
      `A ${rows} × ${columns} matrix of ${bits}-bit codes does not fill words of 32 bits along both sides.`,
      'Leave the matrix as it is, or use the compressed-tensors layout.',
    );
  if (zeroPoints.includes(0))
    throw new PithError(
      'unsupported',
      'A zero point of 0 cannot be stored less 1.',
      'Quantize symmetrically, or use the compressed-tensors layout.',
    );
  const groups = groupsInRow(quantized);
  const byColumn = transposed(codes, rows, columns);
  const less1 = transposed(zeroPoints, rows, groups).map((zero) => zero - 1);
  return {
    qweight: packDown(byColumn, rows, bits),
    qzeros: packAlong(less1, rows, bits),
    scales: transposed(scales, rows, groups),
    g_idx: Int32Array.from({ length: columns }, (_, column) => Math.floor(column / groupSize)),
  };
}

/**
 * Packs codes for vLLM and transformers in compressed-tensors' `pack-quantized` layout.
 *
 * @throws PithError `unsupported` for 3 bits.
 * @see `pack_to_int32` of compressed-tensors 0.12.2, which made the tests' words: interop/pack-groups.py.
 */
export function packQuantized(quantized: Omit<GroupCodes, 'error'>): PackQuantizedTensors {
  const { rows, columns, codes, scales, zeroPoints, bits, symmetric } = quantized;
  wordCodes(bits);
  return {
    weight_packed: packAlong(codes, columns, bits),
    weight_scale: scales,
    ...(!symmetric && { weight_zero_point: packDown(zeroPoints, groupsInRow(quantized), bits) }),
    weight_shape: BigInt64Array.of(BigInt(rows), BigInt(columns)),
  };
}

function wordCodes(bits: number): number {
  if (32 % bits === 0) return 32 / bits;
  throw new PithError(
    'unsupported',
    `Codes of ${bits} bits do not fill words of 32 bits.`,
    'Use 2, 4 or 8 bits.',
  );
}

/** `[rows, columns]` → `[columns, rows]`. */
function transposed<T extends Uint8Array | Float32Array>(
  values: T,
  rows: number,
  columns: number,
): T {
  const out = values.slice() as T;
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++)
      out[column * rows + row] = values[row * columns + column]!;
  return out;
}

/** Words along each line of `length` codes, the first code in the lowest bits, the last word filled with zeros. */
function packAlong(codes: Uint8Array, length: number, bits: number): Int32Array {
  const perWord = wordCodes(bits);
  const words = Math.ceil(length / perWord);
  const packed = new Int32Array((codes.length / length) * words);
  for (const [at, code] of codes.entries()) {
    const place = at % length;
    const to = Math.floor(at / length) * words + Math.floor(place / perWord);
    packed[to]! |= code << (bits * (place % perWord));
  }
  return packed;
}

/** Words down the lines: each holds codes of neighbouring lines at the same place. */
function packDown(codes: Uint8Array, length: number, bits: number): Int32Array {
  const perWord = wordCodes(bits);
  const lines = codes.length / length;
  const packed = new Int32Array(Math.ceil(lines / perWord) * length);
  for (const [at, code] of codes.entries()) {
    const line = Math.floor(at / length);
    const to = Math.floor(line / perWord) * length + (at % length);
    packed[to]! |= code << (bits * (line % perWord));
  }
  return packed;
}

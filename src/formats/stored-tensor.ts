import { rowBytes, blockTypes, type BlockType } from '../tensor/block-types.ts';
import { unitOf, type TensorType } from '../tensor/dtypes.ts';
import { columnsOf, rowsOf, type Tensor } from '../tensor/tensor.ts';
import type { ByteSource } from '../util/byte-source.ts';
import { PithError } from '../util/errors.ts';

/** A tensor that lies as one run of bytes in a file. */
export interface StoredTensor<T extends TensorType = TensorType> extends Tensor {
  readonly type: T;
  /** Where its bytes start, counted from the start of the file. */
  readonly offset: number;
  readonly byteLength: number;
}

/** What a format's header says about one tensor. */
export type TensorPlace<T extends TensorType = TensorType> = Omit<StoredTensor<T>, 'read'>;

/** The lazy tensor for a place in a source; `read` throws `shape` when asked for rows it has not. */
export function storedTensor<T extends TensorType>(
  source: ByteSource,
  place: TensorPlace<T>,
): StoredTensor<T> {
  const rows = rowsOf(place.shape);
  const bytesPerRow = rows === 0 ? 0 : place.byteLength / rows;
  return {
    ...place,
    async read(first, count, into) {
      if (!(first >= 0 && count >= 0 && first + count <= rows)) {
        const asked = `rows ${first} to ${first + count}`;
        throw new PithError('shape', `${place.name}: asked for ${asked}, but it has ${rows}.`);
      }
      return source.read(place.offset + first * bytesPerRow, count * bytesPerRow, into);
    },
  };
}

/**
 * Bytes of a tensor of this shape and type.
 *
 * @throws {@link PithError} `shape` when blocks do not divide its rows; `corrupt` when the size is
 * beyond 2^53.
 */
export function tensorBytes(name: string, shape: readonly number[], type: TensorType): number {
  const columns = columnsOf(shape);
  const inRow =
    type in blockTypes ? rowBytes(type as BlockType, columns) : columns * unitOf(type).bytes;
  if (inRow === undefined) {
    throw new PithError(
      'shape',
      `${name}: rows of ${columns} weights are not whole blocks of ${unitOf(type).weights} (${type}).`,
      'Choose a type with smaller blocks for this tensor.',
    );
  }
  if (shape.includes(0)) return 0;
  let bytes = inRow;
  for (const size of shape.slice(0, -1)) bytes *= size;
  if (Number.isSafeInteger(bytes)) return bytes;
  throw new PithError(
    'corrupt',
    `${name}: shape [${shape.join(', ')}] is beyond 2^53 bytes.`,
    'The file is damaged: get it again from its source.',
  );
}

import type { EncodableType, TranscodeJob } from './kernels.ts';
import { blockTypes } from '../tensor/block-types.ts';
import { unitOf, type TensorType } from '../tensor/dtypes.ts';
import { PithError } from '../util/errors.ts';

/** What an encode call is given, in numbers. */
interface EncodeSizes {
  readonly type: EncodableType;
  readonly weights: number;
  readonly columns: number;
  readonly outBytes: number;
  /** Length of the importance, if there is one. */
  readonly importance: number | undefined;
}

/** Weights that `byteLength` bytes hold; throws `shape` unless they are whole units. */
export function weightsIn(type: TensorType, byteLength: number): number {
  const unit = unitOf(type);
  if (byteLength % unit.bytes !== 0)
    throw new PithError(
      'shape',
      `${byteLength} bytes are not a whole number of ${type} units of ${unit.bytes} bytes.`,
    );
  return (byteLength / unit.bytes) * unit.weights;
}

/** Throws `shape` when the sizes of a decode call disagree. */
export function checkDecode(type: TensorType, byteLength: number, room: number): void {
  const weights = weightsIn(type, byteLength);
  if (weights > room)
    throw new PithError(
      'shape',
      `${byteLength} bytes of ${type} hold ${weights} weights; there is room for ${room}.`,
    );
}

/** Throws `shape` when the sizes of an encode call disagree. */
export function checkEncode(sizes: EncodeSizes): void {
  const { type, weights, columns, outBytes, importance } = sizes;
  const block = blockTypes[type];
  if (columns < 1 || weights % columns !== 0)
    throw new PithError('shape', `${weights} weights are not whole rows of ${columns}.`);
  if (columns % block.weights !== 0)
    throw new PithError(
      'shape',
      `Rows of ${columns} weights do not divide into ${type} blocks of ${block.weights}.`,
      'Choose a type with smaller blocks for this tensor.',
    );
  const needed = (weights / block.weights) * block.bytes;
  if (outBytes !== needed)
    throw new PithError('shape', `${type} needs ${needed} bytes here, not ${outBytes}.`);
  if (importance !== undefined && importance !== columns)
    throw new PithError('shape', `${importance} importance values for ${columns} columns.`);
}

/** Throws `shape` when the sizes of a transcode job disagree. */
export function checkTranscode(job: TranscodeJob): void {
  const { from, to, columns, bytes, out, importance } = job;
  const weights = weightsIn(from, bytes.length);
  const block = unitOf(from).weights;
  if (columns % block !== 0)
    throw new PithError(
      'shape',
      `Rows of ${columns} weights are not whole ${from} blocks of ${block}.`,
    );
  const outBytes = out.length;
  checkEncode({ type: to, weights, columns, outBytes, importance: importance?.length });
}

/** The error for a weight that is NaN or infinite. */
export function notFinite(type: TensorType, index: number, columns: number): PithError {
  const row = Math.floor(index / columns);
  return new PithError(
    'not-finite',
    `Weight ${index} of the ${type} slab (row ${row}, column ${index % columns}) is not a finite number.`,
    'The model file is damaged or was saved from a failed training run; get it again.',
  );
}

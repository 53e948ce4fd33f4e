import { blockTypeNames } from '../tensor/block-types.ts';
import { dtypes, type TensorType } from '../tensor/dtypes.ts';

/** Every tensor type: what a table of decoders must cover. */
export const tensorTypes = [
  ...new Set([...Object.keys(dtypes), ...blockTypeNames]),
] as TensorType[];

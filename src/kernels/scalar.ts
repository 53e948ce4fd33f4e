import type { Decoder, EncodableType, Encoder } from './kernels.ts';
import type { TensorType } from '../tensor/dtypes.ts';

/** The readable reference decoder of every tensor type. */
export const scalarDecoders: Partial<Record<TensorType, Decoder>> = {};

/** The readable reference encoder of every type that Pith can write. */
export const scalarEncoders: Partial<Record<EncodableType, Encoder>> = {};

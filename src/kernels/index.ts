/**
 * Block codecs: decode every GGUF and safetensors type, encode 25 of them; scalar and wasm SIMD.
 *
 * @module
 */
export { blockTypes, bitsPerWeight, rowBytes, type BlockType } from '../tensor/block-types.ts';
export { dtypes, type Dtype, type TensorType } from '../tensor/dtypes.ts';
export { encodableTypes } from './kernels.ts';
export type { EncodableType, EncodeError, Kernels, TranscodeJob } from './kernels.ts';
export { scalarKernels } from './scalar.ts';
export { inlineTranscoder, type Transcoder } from './transcoder.ts';
export { createWasmKernels } from './wasm.ts';

/**
 * Models as lazy values, from Hugging Face folders and GGUF files, and their forward passes as graphs.
 *
 * @module
 */
export type { Model } from './model.ts';
export { locateModel, openModel, type ModelLocation } from './open.ts';
export {
  blockGraph,
  blockKinds,
  decoderGraph,
  embeddingGraph,
  headGraph,
  tapNames,
  tensorOfInput,
  type DecoderOutputs,
} from './graph/decoder.ts';
export type { GraphSizes } from './graph/embedding.ts';
export { encoderGraph, type EncoderOutputs, type Pooling } from './graph/encoder.ts';
export type { ModelOutline } from './graph/model-scope.ts';
export {
  expertGraph,
  routedBlockGraph,
  tokensByExpert,
  type ExpertTokens,
} from './graph/routed-block.ts';

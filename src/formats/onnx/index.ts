/**
 * ONNX: models as plain values, to and from bytes; weights beside the model file when it is large.
 *
 * @module
 */
export {
  onnxElementTypes,
  type OnnxAttribute,
  type OnnxElementType,
  type OnnxGraph,
  type OnnxModel,
  type OnnxNode,
  type OnnxTensor,
  type OnnxValueInfo,
} from './model.ts';
export { planOnnx, type OnnxFilePlan, type OnnxPlan, type OnnxPlanOptions } from './plan.ts';
export { streamOnnx, writeOnnx, type OnnxStreamOptions } from './write.ts';
export { readOnnx, type OnnxFile } from './read.ts';
export type { OpenExternal } from './external.ts';

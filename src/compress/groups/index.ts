/**
 * Integers in groups with a scale each, for runtimes other than llama.cpp: ONNX Runtime, vLLM, transformers.
 *
 * @module
 */
export { prepareFeedback, type Feedback } from './feedback.ts';
export { gptqGroups } from './gptq.ts';
export { groupValues, type GroupCodes, type GroupError, type GroupGrid } from './group-codes.ts';
export {
  packGptq,
  packQuantized,
  type GptqTensors,
  type PackQuantizedTensors,
} from './pack-int32.ts';
export { packMatMulNBits, type MatMulNBits } from './pack-matmul-nbits.ts';
export { roundToNearest, type GroupMatrix } from './round-to-nearest.ts';

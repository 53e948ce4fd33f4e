/**
 * Quantization: llama.cpp's mixes, overrides, importance, exact plans, streaming writer.
 *
 * @module
 */
export { fileTypes, fileTypeNames, parseFileType, type FileType } from './file-types.ts';
export { readImatrix } from './imatrix.ts';
export type { Imatrix, Importance } from './importance.ts';
export { parseOverride, type TensorOverride } from './overrides.ts';
export { planAllocation, quantizableTensors } from './plan-allocation.ts';
export { planQuantization } from './plan.ts';
export type { QuantizationPlan, QuantizeOptions } from './quantization-plan.ts';
export { writeQuantized, type TensorReport, type WriteOptions } from './write.ts';

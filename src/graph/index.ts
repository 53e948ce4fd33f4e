/**
 * Computations as values: a builder with numpy's rules, gradients, ONNX, and a scalar reference.
 *
 * @module
 */
export { GraphBuilder } from './builder.ts';
export { gelu, geluTanh, relu, silu, softCap } from './composites/activations.ts';
export { crossEntropy, tokenLogProbs } from './composites/loss.ts';
export { layerNorm, rmsNorm } from './composites/normalization.ts';
export { differentiate, gradientName, pullBack } from './differentiate.ts';
export type { Engine, Program, RunOptions, RunResult, StoredTensor } from './engine.ts';
export type { Graph, NamedValue, Node } from './graph.ts';
export type { Operations } from './operations.ts';
export { ReferenceEngine } from './reference/engine.ts';
export { evaluate } from './reference/evaluate.ts';
export { simplify } from './rewrites/simplify.ts';
export { elementTypeOf, int64, tensorData } from './tensor-data.ts';
export { toOnnx } from './to-onnx.ts';
export type { ElementType, Shape, TensorData, Value } from './value.ts';

/**
 * ONNX Runtime as an engine of graphs, in a worker thread; onnxruntime-node is loaded when first needed.
 *
 * @module
 */
export { OnnxEngine, type OnnxEngineFacts } from './engine.ts';
export { openOnnxEngine, type OnnxOptions } from './open.ts';
export { OnnxProgram, type OnnxRunOptions } from './program.ts';
export { onnxProviders, type OnnxProvider } from './provider-names.ts';

/**
 * Computations as values: a builder with numpy's rules, for forward passes and training steps.
 *
 * @module
 */
export { GraphBuilder } from './builder.ts';
export type { Engine, Program, RunOptions, RunResult, StoredTensor } from './engine.ts';
export type { Graph, NamedValue, Node } from './graph.ts';
export type { Operations } from './operations.ts';
export type { ElementType, Shape, TensorData, Value } from './value.ts';

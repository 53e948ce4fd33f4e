import type { OnnxNode } from '../formats/onnx/model.ts';
import type { Operations } from './operations.ts';
import type { AnySignature } from './signatures.ts';
import type { Value } from './value.ts';

/** Element type and shape of a value that has no id yet. */
export type Typed = Omit<Value, 'id'>;

/** A tuple as long as `Inputs`. */
export type Each<Inputs extends readonly Value[], T> = { readonly [I in keyof Inputs]: T };

/** All that is known of an operator, besides its reference kernel. */
export interface OpRow<S extends AnySignature> {
  /** Types and shapes of the results; throws PithError `shape` when the operands do not fit. */
  readonly infer: (inputs: S['inputs'], attributes: S['attributes']) => readonly Typed[];
  /** The same computation in ONNX's own operators. */
  readonly onnx: (call: OnnxCall<S>) => readonly OnnxNode[];
  /** How a gradient passes backwards, or why none does. */
  readonly gradient: Gradient<S> | NoGradient;
}

/** A node to be written as ONNX: names instead of values. */
export interface OnnxCall<S extends AnySignature> {
  readonly inputs: Each<S['inputs'], string>;
  readonly outputs: readonly string[];
  readonly attributes: S['attributes'];
  /** Operands and results with their shapes. */
  readonly node: { readonly inputs: S['inputs']; readonly outputs: readonly Value[] };
  /** Name of an i64 constant: sizes and axes are operands in ONNX. */
  readonly integers: (values: readonly number[], shape?: readonly number[]) => string;
  /** A name for a value between the nodes of this call. */
  readonly between: (hint: string) => string;
}

/**
 * Gradients of the loss by each operand, from those by the results; null where none passes. A result
 * may have the broadcast shape: whoever calls sums it to the operand's. What nobody needs is dropped.
 */
export type Gradient<S extends AnySignature> = (
  call: BackwardCall<S>,
) => Each<S['inputs'], Value | null>;

/** The reason why an operator passes no gradient to any operand. */
export interface NoGradient {
  readonly none: string;
}

/** A node to go back through. */
export interface BackwardCall<S extends AnySignature> {
  /** Where the backward nodes are emitted. */
  readonly g: Operations;
  readonly inputs: S['inputs'];
  readonly attributes: S['attributes'];
  /** The first result and the gradient by it; `dys` has those by all results. */
  readonly y: Value;
  readonly dy: Value;
  readonly outputs: readonly Value[];
  readonly dys: readonly Value[];
}

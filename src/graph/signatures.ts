import type { ElementType, Shape, TensorData, Value } from './value.ts';

/** No settings. */
export type None = Readonly<Record<string, never>>;

/** What an operator takes: its operands and its settings. */
export interface Signature<Inputs extends readonly Value[], Attributes = None> {
  readonly inputs: Inputs;
  readonly attributes: Readonly<Attributes>;
}

/** The signature of any operator. */
export type AnySignature = Signature<readonly Value[], object>;

/** One operand. */
export type One<Attributes = None> = Signature<readonly [Value], Attributes>;
/** Two operands. */
export type Two<Attributes = None> = Signature<readonly [Value, Value], Attributes>;
/** Three operands. */
export type Three<Attributes = None> = Signature<readonly [Value, Value, Value], Attributes>;

/** An axis, counted from the front. */
export interface Axis {
  readonly axis: number;
}

/** The axes to reduce over, counted from the front, ascending. */
export interface Axes {
  readonly axes: readonly number[];
  /** Reduced axes stay, with size 1. */
  readonly keepDims: boolean;
}

/**
 * Every operator of a graph. Each table over them (rules, reference kernels, test cases) has this
 * interface's keys, so an operator that misses a row anywhere does not compile.
 */
export interface Signatures {
  constant: Signature<readonly [], { data: TensorData; shape: Shape }>;

  add: Two;
  sub: Two;
  mul: Two;
  div: Two;
  max: Two;
  min: Two;
  pow: Two;

  neg: One;
  abs: One;
  sqrt: One;
  reciprocal: One;
  exp: One;
  log: One;
  sin: One;
  cos: One;
  sigmoid: One;
  tanh: One;
  erf: One;

  equal: Two;
  less: Two;
  greater: Two;
  and: Two;
  not: One;
  where: Three;
  cast: One<{ to: ElementType }>;

  matmul: Two;
  gemm: Signature<
    readonly [Value, Value] | readonly [Value, Value, Value],
    { transA: boolean; transB: boolean }
  >;

  reshape: One<{ shape: Shape }>;
  transpose: One<{ perm: readonly number[] }>;
  expand: One<{ shape: Shape }>;
  concat: Signature<readonly Value[], Axis>;
  slice: One<Axis & { start: number; end: number }>;
  pad: One<Axis & { before: number; after: number }>;
  split: One<Axis & { sizes: readonly number[] }>;

  gather: Two<Axis>;
  gatherElements: Two<Axis>;
  scatterAdd: Three;
  scatterElementsAdd: Three<Axis>;
  topK: One<Axis & { k: number }>;
  argMax: One<Axis & { keepDims: boolean }>;

  sum: One<Axes>;
  mean: One<Axes>;
  reduceMax: One<Axes>;
  softmax: One<Axis>;
  logSoftmax: One<Axis>;
}

/** The name of an operator. */
export type Op = keyof Signatures;

/** The operands of an operator. */
export type InputsOf<O extends Op> = Signatures[O]['inputs'];

/** The settings of an operator. */
export type AttributesOf<O extends Op> = Signatures[O]['attributes'];

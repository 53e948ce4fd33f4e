import { PithError } from '../util/errors.ts';
import { axisOf, show, sizeOf } from './shapes.ts';
import type { AttributesOf, InputsOf, Op } from './signatures.ts';
import type { ElementType, Shape, TensorData, Value } from './value.ts';

/** Axes to reduce over; negative ones count from the end; absent: all. */
type AxesArgument = number | readonly number[] | undefined;

/**
 * The operators as methods: each adds a node and returns its result. Operands broadcast as in numpy
 * where that makes sense, axes may be negative, and sizes that do not fit throw PithError `shape` at
 * the call, naming the operator and the shapes.
 */
export abstract class Operations {
  readonly #scalars = new Map<number, Value>();

  /** Adds a node. */
  abstract emit<O extends Op>(
    op: O,
    inputs: InputsOf<O>,
    attributes: AttributesOf<O>,
  ): readonly Value[];

  /** Data that is part of the graph, not copied: f32, i64 or bool by its kind of array. */
  constant(data: TensorData, shape: Shape = [data.length]): Value {
    return this.#one('constant', [], { data, shape });
  }

  /** An f32 constant of shape `[]`, one per number. */
  scalar(number: number): Value {
    const known = this.#scalars.get(number);
    if (known) return known;
    const value = this.constant(Float32Array.of(number), []);
    this.#scalars.set(number, value);
    return value;
  }

  add(a: Value, b: Value): Value {
    return this.#one('add', [a, b], {});
  }
  sub(a: Value, b: Value): Value {
    return this.#one('sub', [a, b], {});
  }
  mul(a: Value, b: Value): Value {
    return this.#one('mul', [a, b], {});
  }
  div(a: Value, b: Value): Value {
    return this.#one('div', [a, b], {});
  }
  /** The larger of each pair. */
  max(a: Value, b: Value): Value {
    return this.#one('max', [a, b], {});
  }
  /** The smaller of each pair. */
  min(a: Value, b: Value): Value {
    return this.#one('min', [a, b], {});
  }
  pow(a: Value, b: Value): Value {
    return this.#one('pow', [a, b], {});
  }

  neg(x: Value): Value {
    return this.#one('neg', [x], {});
  }
  abs(x: Value): Value {
    return this.#one('abs', [x], {});
  }
  sqrt(x: Value): Value {
    return this.#one('sqrt', [x], {});
  }
  /** 1 / x. */
  reciprocal(x: Value): Value {
    return this.#one('reciprocal', [x], {});
  }
  exp(x: Value): Value {
    return this.#one('exp', [x], {});
  }
  /** Natural logarithm. */
  log(x: Value): Value {
    return this.#one('log', [x], {});
  }
  sin(x: Value): Value {
    return this.#one('sin', [x], {});
  }
  cos(x: Value): Value {
    return this.#one('cos', [x], {});
  }
  sigmoid(x: Value): Value {
    return this.#one('sigmoid', [x], {});
  }
  tanh(x: Value): Value {
    return this.#one('tanh', [x], {});
  }
  /** Gauss error function. */
  erf(x: Value): Value {
    return this.#one('erf', [x], {});
  }

  /** a = b, as bool. */
  equal(a: Value, b: Value): Value {
    return this.#one('equal', [a, b], {});
  }
  /** a < b, as bool. */
  less(a: Value, b: Value): Value {
    return this.#one('less', [a, b], {});
  }
  /** a > b, as bool. */
  greater(a: Value, b: Value): Value {
    return this.#one('greater', [a, b], {});
  }
  and(a: Value, b: Value): Value {
    return this.#one('and', [a, b], {});
  }
  not(x: Value): Value {
    return this.#one('not', [x], {});
  }
  /** `a` where the condition holds, else `b`; all three broadcast. */
  where(condition: Value, a: Value, b: Value): Value {
    return this.#one('where', [condition, a, b], {});
  }
  /** Another element type: f32 to i64 cuts towards zero, to bool is "not 0". */
  cast(x: Value, to: ElementType): Value {
    return x.type === to ? x : this.#one('cast', [x], { to });
  }

  /** `[...,T,K] × [...,K,N] → [...,T,N]`; leading axes broadcast. */
  matmul(a: Value, b: Value): Value {
    return this.#one('matmul', [a, b], {});
  }
  /** `a × b (+ bias)` of matrices, either read transposed; bias broadcasts to the result. */
  gemm(
    a: Value,
    b: Value,
    options: { transA?: boolean; transB?: boolean; bias?: Value } = {},
  ): Value {
    const { transA = false, transB = false, bias } = options;
    return this.#one('gemm', bias ? [a, b, bias] : [a, b], { transA, transB });
  }
  /**
   * `x [...,in]`, `weight [out,in]`, `bias [out]` → `[...,out]`: one Gemm that reads the weight as it
   * lies, as do both of its gradients, so that a weight exists once.
   */
  linear(x: Value, weight: Value, bias?: Value): Value {
    const inSize = x.shape.at(-1);
    const [out, weightIn] = weight.shape;
    if (inSize === undefined || weight.shape.length !== 2 || weightIn !== inSize)
      throw new PithError(
        'shape',
        `linear: ${show(x.shape)} does not fit a weight [out,in] of ${show(weight.shape)}`,
      );
    const leading = x.shape.slice(0, -1);
    const rows = this.reshape(x, [sizeOf(leading), inSize]);
    const y = this.gemm(rows, weight, { transB: true, ...(bias && { bias }) });
    return this.reshape(y, [...leading, out!]);
  }

  /** The same elements in another shape; one size may be -1: what remains. */
  reshape(x: Value, shape: Shape): Value {
    const known = sizeOf(shape.filter((size) => size !== -1));
    const whole = shape.map((size) => (size === -1 ? sizeOf(x.shape) / known : size));
    return this.#one('reshape', [x], { shape: whole });
  }
  /** Axis i of the result is axis perm[i] of x. */
  transpose(x: Value, perm: readonly number[]): Value {
    const positive = perm.map((axis) => axisOf('transpose', axis, x.shape));
    return this.#one('transpose', [x], { perm: positive });
  }
  /** Repeats axes of size 1, and adds leading ones, up to `shape`. */
  expand(x: Value, shape: Shape): Value {
    return this.#one('expand', [x], { shape });
  }
  concat(values: readonly Value[], axis: number): Value {
    const shape = values[0]?.shape ?? [];
    return this.#one('concat', values, { axis: axisOf('concat', axis, shape) });
  }
  /** Elements start to end - 1 of an axis; negative bounds count from the end. */
  slice(x: Value, axis: number, start: number, end?: number): Value {
    const positive = axisOf('slice', axis, x.shape);
    const size = x.shape[positive]!;
    const bound = (at: number) => (at < 0 ? at + size : at);
    const range = { start: bound(start), end: bound(end ?? size) };
    return this.#one('slice', [x], { axis: positive, ...range });
  }
  /** Adds zeros before and after an axis. */
  pad(x: Value, axis: number, before: number, after: number): Value {
    return this.#one('pad', [x], { axis: axisOf('pad', axis, x.shape), before, after });
  }
  /** Cuts an axis into parts of the given sizes. */
  split(x: Value, axis: number, sizes: readonly number[]): readonly Value[] {
    return this.emit('split', [x], { axis: axisOf('split', axis, x.shape), sizes });
  }

  /** Replaces an axis of x by the axes of `indices` (i64): the slices at these indices. */
  gather(x: Value, indices: Value, axis = 0): Value {
    return this.#one('gather', [x, indices], { axis: axisOf('gather', axis, x.shape) });
  }
  /** One element of the axis for each element of `indices`, which has the other sizes of x. */
  gatherElements(x: Value, indices: Value, axis: number): Value {
    const attributes = { axis: axisOf('gatherElements', axis, x.shape) };
    return this.#one('gatherElements', [x, indices], attributes);
  }
  /** `base` with `updates[i]` added at `base[indices[i]]`; an index may occur more than once. */
  scatterAdd(base: Value, indices: Value, updates: Value): Value {
    return this.#one('scatterAdd', [base, indices, updates], {});
  }
  /** `base` with each element of `updates` added at its index along an axis. */
  scatterElementsAdd(base: Value, indices: Value, updates: Value, axis: number): Value {
    const attributes = { axis: axisOf('scatterElementsAdd', axis, base.shape) };
    return this.#one('scatterElementsAdd', [base, indices, updates], attributes);
  }
  /** The k largest along an axis, largest first, and their indices (i64). */
  topK(x: Value, k: number, axis = -1): readonly [values: Value, indices: Value] {
    const [values, indices] = this.emit('topK', [x], { k, axis: axisOf('topK', axis, x.shape) });
    return [values!, indices!];
  }
  /** Index (i64) of the largest element along an axis, the first of equals. */
  argMax(x: Value, axis: number, keepDims = false): Value {
    return this.#one('argMax', [x], { axis: axisOf('argMax', axis, x.shape), keepDims });
  }

  sum(x: Value, axes?: AxesArgument, keepDims = false): Value {
    return this.#one('sum', [x], { axes: axesOf('sum', axes, x.shape), keepDims });
  }
  mean(x: Value, axes?: AxesArgument, keepDims = false): Value {
    return this.#one('mean', [x], { axes: axesOf('mean', axes, x.shape), keepDims });
  }
  /** The largest element over the axes. */
  reduceMax(x: Value, axes?: AxesArgument, keepDims = false): Value {
    return this.#one('reduceMax', [x], { axes: axesOf('reduceMax', axes, x.shape), keepDims });
  }
  softmax(x: Value, axis = -1): Value {
    return this.#one('softmax', [x], { axis: axisOf('softmax', axis, x.shape) });
  }
  logSoftmax(x: Value, axis = -1): Value {
    return this.#one('logSoftmax', [x], { axis: axisOf('logSoftmax', axis, x.shape) });
  }

  #one<O extends Op>(op: O, inputs: InputsOf<O>, attributes: AttributesOf<O>): Value {
    return this.emit(op, inputs, attributes)[0]!;
  }
}

function axesOf(op: string, axes: AxesArgument, shape: Shape): number[] {
  const given = typeof axes === 'number' ? [axes] : (axes ?? shape.keys());
  const positive = [...given].map((axis) => axisOf(op, axis, shape));
  return [...new Set(positive)].sort((a, b) => a - b);
}

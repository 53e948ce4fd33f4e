import { hyperParameter } from '../../models/hyper-parameters.ts';
import type { ModelOutline } from '../../models/graph/model-scope.ts';

/** Sizes of a run: `[batch, length]` tokens. */
export interface WindowShape {
  readonly batch: number;
  readonly length: number;
}

/** Windows of one run, padded at their ends, which no token before them sees. */
export interface TokenBatch {
  readonly shape: WindowShape;
  /** `[batch, length]`. */
  readonly tokens: BigInt64Array;
}

/** Short windows are this many at once, and this part of the longest. */
const shortBatch = 4;
/** Shorter ones are not worth a program of their own. */
const leastShort = 16;

/**
 * The sizes that a model is run in, shortest first: one long window, or four short ones, which are as
 * many tokens. A model whose rotary factors depend on the length has one size.
 */
export function windowShapes(model: ModelOutline, contextLength: number): WindowShape[] {
  const whole = { batch: 1, length: contextLength };
  const length = Math.ceil(contextLength / shortBatch);
  const original = hyperParameter(model, 'rope.scaling.original_context_length');
  const changes = original !== undefined && length <= original && original < contextLength;
  return length < leastShort || changes ? [whole] : [{ batch: shortBatch, length }, whole];
}

/** The smallest shape that holds a window. */
export function shapeFor(shapes: readonly WindowShape[], tokens: number): WindowShape {
  return shapes.find(({ length }) => tokens <= length)!;
}

/** Windows as the tokens of one run; rows and ends that no window fills hold token 0. */
export function tokenBatch(
  shape: WindowShape,
  windows: readonly { readonly tokens: Int32Array }[],
): TokenBatch {
  const tokens = new BigInt64Array(shape.batch * shape.length);
  for (const [row, window] of windows.entries())
    for (const [at, token] of window.tokens.entries())
      tokens[row * shape.length + at] = BigInt(token);
  return { shape, tokens };
}

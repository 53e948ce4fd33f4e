import type { Operations } from '../operations.ts';
import type { Value } from '../value.ts';

// The order of nodes is one that ONNX Runtime fuses into a single kernel: reorder none of them.

/** x·σ(x). */
export function silu(g: Operations, x: Value): Value {
  return g.mul(x, g.sigmoid(x));
}

/** x·Φ(x), exact: x · (1 + erf(x / √2)) / 2. */
export function gelu(g: Operations, x: Value): Value {
  const erf = g.erf(g.div(x, g.scalar(Math.SQRT2)));
  return g.mul(g.mul(x, g.add(erf, g.scalar(1))), g.scalar(0.5));
}

/** GPT-2's approximation: x · (1 + tanh(√(2/π) · x · (1 + 0.044715 x²))) / 2. */
export function geluTanh(g: Operations, x: Value): Value {
  const one = g.scalar(1);
  const square = g.mul(g.mul(x, g.scalar(0.044715)), x);
  const tanh = g.tanh(g.mul(g.mul(x, g.scalar(Math.sqrt(2 / Math.PI))), g.add(square, one)));
  return g.mul(g.mul(x, g.scalar(0.5)), g.add(tanh, one));
}

/** max(x, 0). */
export function relu(g: Operations, x: Value): Value {
  return g.max(x, g.scalar(0));
}

/** Gemma 2's soft limit: c · tanh(x / c), within ±c. */
export function softCap(g: Operations, x: Value, cap: number): Value {
  return g.mul(g.tanh(g.div(x, g.scalar(cap))), g.scalar(cap));
}

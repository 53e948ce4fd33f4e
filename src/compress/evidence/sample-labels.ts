import type { Operations } from '../../graph/operations.ts';
import type { Value } from '../../graph/value.ts';

/**
 * Draws a token for each row by inverting its distribution function, in the graph itself.
 *
 * @param probabilities - `[N,V]`.
 * @param uniform - `[N]`, from 0 up to 1.
 * @returns i64 `[N,1]`.
 * @remarks The vocabulary is cut into about √V parts of √V: sums up to each part, then within the drawn one, both
 *   by a triangular matrix, as a graph has no running sum.
 */
export function sampleLabels(g: Operations, probabilities: Value, uniform: Value): Value {
  const [rows, vocabulary] = probabilities.shape as [number, number];
  const size = Math.ceil(Math.sqrt(vocabulary));
  const padded = g.pad(probabilities, 1, 0, size * size - vocabulary);
  const parts = g.reshape(padded, [rows, size, size]);
  const upTo = triangle(g, size);
  const ends = g.matmul(g.sum(parts, 2), upTo);
  const u = g.mul(g.reshape(uniform, [rows, 1]), g.slice(ends, 1, -1));
  const last = g.scalar(size - 1);
  const part = g.min(countBelow(g, ends, u), last);
  const index = g.cast(part, 'i64');
  const before = g.gatherElements(g.pad(ends, 1, 1, 0), index, 1);
  const at = g.expand(g.reshape(index, [rows, 1, 1]), [rows, 1, size]);
  const inside = g.reshape(g.gatherElements(parts, at, 1), [rows, size]);
  const offset = g.min(countBelow(g, g.matmul(inside, upTo), g.sub(u, before)), last);
  const label = g.add(g.mul(part, g.scalar(size)), offset);
  return g.cast(g.min(label, g.scalar(vocabulary - 1)), 'i64');
}

/** How many elements of each row are not above its bound: `[N,S]`, `[N,1]` → f32 `[N,1]`. */
function countBelow(g: Operations, sums: Value, bound: Value): Value {
  return g.sum(g.cast(g.not(g.greater(sums, bound)), 'f32'), 1, true);
}

/** 1 on and above the diagonal: rows times it are running sums. */
function triangle(g: Operations, size: number): Value {
  const ones = Float32Array.from({ length: size * size }, (_, at) =>
    at % size >= Math.floor(at / size) ? 1 : 0,
  );
  return g.constant(ones, [size, size]);
}

import { sizeOf } from '../shapes.ts';
import type { Typed } from '../op-row.ts';
import type { Shape } from '../value.ts';

/** An array of any element type as doubles, row-major: whole numbers are exact up to 2^53. */
export interface Numbers extends Typed {
  readonly data: Float64Array;
}

/** Steps in elements along each axis of a row-major array. */
export function stridesOf(shape: Shape): number[] {
  return shape.map((_, axis) => sizeOf(shape.slice(axis + 1)));
}

/** For each place of `shape` in row-major order: start + Σ coordinate · stride. */
export function offsets(shape: Shape, strides: readonly number[], start = 0): Float64Array {
  let places = Float64Array.of(start);
  for (const [axis, size] of shape.entries()) {
    const next = new Float64Array(places.length * size);
    for (let i = 0; i < next.length; i++)
      next[i] = places[Math.floor(i / size)]! + (i % size) * strides[axis]!;
    places = next;
  }
  return places;
}

/** Where each element of `to` comes from in an array of shape `from` that broadcasts to it. */
export function broadcastOffsets(from: Shape, to: Shape): Float64Array {
  const strides = stridesOf(from).map((stride, axis) => (from[axis] === 1 ? 0 : stride));
  const added = to.length - from.length;
  return offsets(to, [...Array.from({ length: added }, () => 0), ...strides]);
}

/** The elements of a broadcast operand in the order of the result. */
export function broadcastData({ shape, data }: Numbers, to: Shape): Float64Array {
  return broadcastOffsets(shape, to).map((from) => data[from]!);
}

import { PithError } from '../util/errors.ts';
import type { ElementType, Shape, Value } from './value.ts';

/** Number of elements. */
export function sizeOf(shape: Shape): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** Whether two shapes are the same. */
export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((size, axis) => size === b[axis]);
}

/** `[2,3]`, as in messages. */
export function show(shape: Shape): string {
  return `[${shape.join(',')}]`;
}

/**
 * The shape that both broadcast to, by numpy's rule: aligned at the end, sizes equal or 1.
 *
 * @throws PithError `shape`.
 */
export function broadcast(op: string, a: Shape, b: Shape): Shape {
  const ndim = Math.max(a.length, b.length);
  return Array.from({ length: ndim }, (_, axis) => {
    const left = a[axis - ndim + a.length] ?? 1;
    const right = b[axis - ndim + b.length] ?? 1;
    if (left !== right && left !== 1 && right !== 1)
      throw new PithError('shape', `${op}: ${show(a)} and ${show(b)} do not broadcast`);
    return left === 1 ? right : left;
  });
}

/**
 * An axis counted from the front; negative ones count from the end.
 *
 * @throws PithError `shape`.
 */
export function axisOf(op: string, axis: number, shape: Shape): number {
  const positive = axis < 0 ? axis + shape.length : axis;
  if (!Number.isInteger(axis) || positive < 0 || positive >= shape.length)
    throw new PithError('shape', `${op}: ${show(shape)} has no axis ${axis}`);
  return positive;
}

/** The shape with the size at one axis replaced. */
export function withSize(shape: Shape, axis: number, size: number): Shape {
  return shape.with(axis, size);
}

/**
 * Checks that operands have one of the given element types.
 *
 * @throws PithError `shape`.
 */
export function demandType(op: string, value: Value, types: readonly ElementType[]): void {
  if (types.includes(value.type)) return;
  const wanted = types.join(' or ');
  throw new PithError('shape', `${op}: takes ${wanted}, not ${value.type} ${show(value.shape)}`);
}

import { PithError } from '../util/errors.ts';
import { nearestName } from '../util/nearest-name.ts';
import type { Graph } from './graph.ts';
import { show, sizeOf } from './shapes.ts';
import type { ElementType, Shape, TensorData } from './value.ts';

/** The element type that an array holds. */
export function elementTypeOf(data: TensorData): ElementType {
  if (data instanceof Float32Array) return 'f32';
  return data instanceof BigInt64Array ? 'i64' : 'bool';
}

/** Whole numbers as the i64 data of ids, positions and sizes. */
export function int64(values: Iterable<number>): BigInt64Array {
  return BigInt64Array.from(values, BigInt);
}

/** The array of an element type with these values: f32 are rounded. */
export function tensorData(type: ElementType, values: Iterable<number>): TensorData {
  if (type === 'i64') return int64(values);
  return type === 'f32' ? Float32Array.from(values) : Uint8Array.from(values);
}

/**
 * Checks what a program is run on against the inputs of its graph.
 *
 * @throws {@link PithError} `shape` for an input that is missing, unknown, or of another type or size.
 */
export function demandInputs(
  graph: Graph,
  inputs: Readonly<
    Record<string, TensorData | { readonly type: ElementType; readonly shape: Shape }>
  >,
): void {
  const names = graph.inputs.map(({ name }) => name);
  for (const name of Object.keys(inputs))
    if (!names.includes(name))
      throw new PithError(
        'shape',
        `the graph has no input '${name}'`,
        `Did you mean '${nearestName(name, names) ?? names[0]}'?`,
      );
  for (const { name, value } of graph.inputs) {
    const given = inputs[name];
    const wanted = `${value.type} ${show(value.shape)}`;
    if (!given) throw new PithError('shape', `input '${name}' ${wanted} is missing`);
    const stored = 'shape' in given;
    const type = stored ? given.type : elementTypeOf(given);
    const size = stored ? sizeOf(given.shape) : given.length;
    if (type !== value.type || size !== sizeOf(value.shape))
      throw new PithError(
        'shape',
        `input '${name}' is ${wanted}, given ${size} elements of ${type}`,
      );
  }
}

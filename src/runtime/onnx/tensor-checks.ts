import type { NamedValue } from '../../graph/graph.ts';
import type { ElementType, Shape, TensorData } from '../../graph/value.ts';
import { PithError } from '../../util/errors.ts';

const arrays = { f32: Float32Array, i64: BigInt64Array, bool: Uint8Array } as const;

/**
 * Refuses data that is not what its type and shape say.
 *
 * @throws PithError `shape`.
 */
export function checkData(what: string, type: ElementType, shape: Shape, data: TensorData): void {
  if (!(data instanceof arrays[type]))
    throw new PithError('shape', `${what} is ${type}, but its data is a ${data.constructor.name}.`);
  const count = shape.reduce((product, size) => product * size, 1);
  if (data.length !== count)
    throw new PithError(
      'shape',
      `${what} has ${data.length} elements; [${shape.join(', ')}] needs ${count}.`,
    );
}

/**
 * Refuses a stored tensor where the graph has another type or shape.
 *
 * @throws PithError `shape`.
 */
export function checkStored(
  { name, value }: NamedValue,
  tensor: { readonly type: ElementType; readonly shape: Shape },
): void {
  const wanted = `${value.type} [${value.shape.join(', ')}]`;
  const given = `${tensor.type} [${tensor.shape.join(', ')}]`;
  if (wanted !== given)
    throw new PithError('shape', `${name} is ${wanted}, but was given ${given}.`);
}

/**
 * Refuses names that are not among `values`.
 *
 * @throws PithError `shape`.
 */
export function checkNames(
  what: string,
  values: readonly NamedValue[],
  names: readonly string[],
): void {
  const known = new Set(values.map(({ name }) => name));
  const unknown = names.filter((name) => !known.has(name));
  if (unknown.length === 0) return;
  const all = [...known].slice(0, 8).join(', ');
  const more = known.size > 8 ? `, … (${known.size})` : '';
  throw new PithError(
    'shape',
    `The graph has no ${what} ${unknown.join(', ')}; it has ${all}${more}.`,
  );
}

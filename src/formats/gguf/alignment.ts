import type { PithError } from '../../util/errors.ts';
import { limits } from './limits.ts';
import type { Metadata } from './metadata.ts';

/** Multiple that tensors start at when `general.alignment` does not say otherwise. */
const defaultAlignment = 32;

/** The alignment that metadata asks for; throws `refuse(problem)` unless it is a power of two within `limits`. */
export function alignmentOf(metadata: Metadata, refuse: (problem: string) => PithError): number {
  const entry = metadata.get('general.alignment');
  if (entry === undefined) return defaultAlignment;
  if (entry.type !== 'uint32') {
    throw refuse(`general.alignment must be a uint32, but is of type ${entry.type}.`);
  }
  const { value } = entry;
  const isPowerOfTwo = value > 0 && (value & (value - 1)) === 0;
  if (isPowerOfTwo && value <= limits.alignment) return value;
  throw refuse(
    `general.alignment is ${value}, which is no power of two up to ${limits.alignment}.`,
  );
}

/** `bytes` rounded up to a multiple of `alignment`. */
export function padded(bytes: number, alignment: number): number {
  return Math.ceil(bytes / alignment) * alignment;
}

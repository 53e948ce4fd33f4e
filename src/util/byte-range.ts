import { PithError } from './errors.ts';

/** Throws `truncated` when `length` bytes from `offset` do not lie inside a source of `byteLength` bytes. */
export function checkRange(name: string, byteLength: number, offset: number, length: number): void {
  if (offset >= 0 && length >= 0 && offset + length <= byteLength) return;
  throw new PithError(
    'truncated',
    `${name}: wanted bytes ${offset} to ${offset + length}, but it has ${byteLength}.`,
    'The file is cut short: copy or download it again.',
  );
}

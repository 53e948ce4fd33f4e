import type { ByteSource } from './byte-source.ts';
import { checkRange } from './byte-range.ts';

/** Part of a source as a source of its own; closing it closes nothing. */
export function sliceSource(
  source: ByteSource,
  offset: number,
  byteLength: number,
  name: string = source.name,
): ByteSource {
  checkRange(source.name, source.byteLength, offset, byteLength);
  return {
    name,
    byteLength,
    async read(at, length, into) {
      checkRange(name, byteLength, at, length);
      return source.read(offset + at, length, into);
    },
    async close() {},
  };
}

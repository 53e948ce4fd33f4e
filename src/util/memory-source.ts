import type { ByteSource } from './byte-source.ts';
import { checkRange } from './byte-range.ts';

/** A `ByteSource` over bytes already in memory; `read` returns views of them. */
export function memorySource(bytes: Uint8Array, name = 'memory'): ByteSource {
  return {
    name,
    byteLength: bytes.length,
    async read(offset, length) {
      checkRange(name, bytes.length, offset, length);
      return bytes.subarray(offset, offset + length);
    },
    async close() {},
  };
}

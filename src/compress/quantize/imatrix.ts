import { openGguf } from '../../formats/gguf/open.ts';
import type { ByteSource } from '../../util/byte-source.ts';
import { readGgufImatrix } from './gguf-imatrix.ts';
import type { Imatrix } from './importance.ts';
import { readLegacyImatrix } from './legacy-imatrix.ts';

/**
 * Reads an importance matrix that llama-imatrix wrote, in its GGUF form or the older `.dat` form.
 * The caller closes the source; nothing is read after this.
 *
 * @throws {@link PithError} `corrupt`, `truncated`, `not-finite` or `unsupported` when the file is
 *   no usable importance matrix.
 */
export async function readImatrix(source: ByteSource): Promise<Imatrix> {
  const magic = await source.read(0, Math.min(4, source.byteLength));
  if (new TextDecoder().decode(magic) !== 'GGUF') return readLegacyImatrix(source);
  return readGgufImatrix(await openGguf(source));
}

import { openGguf } from '../../formats/gguf/open.ts';
import type { ByteSource } from '../../util/byte-source.ts';
import { readGgufImatrix } from './gguf-imatrix.ts';
import type { Imatrix } from './importance.ts';
import { PithError } from '../../util/errors.ts';
import { readLegacyImatrix } from './legacy-imatrix.ts';

/** The older form is read as a whole; that of a model of 10^12 weights takes about 500 MB. */
const longestLegacy = 2 ** 30;

/**
 * Reads an importance matrix that llama-imatrix wrote, in its GGUF form or the older `.dat` form.
 * The caller closes the source; nothing is read after this.
 *
 * @throws {@link PithError} `corrupt`, `truncated`, `not-finite` or `unsupported` when the file is
 *   no usable importance matrix.
 */
export async function readImatrix(source: ByteSource): Promise<Imatrix> {
  const magic = await source.read(0, Math.min(4, source.byteLength));
  if (new TextDecoder().decode(magic) !== 'GGUF') {
    if (source.byteLength > longestLegacy) throw tooLong(source);
    return readLegacyImatrix(source);
  }
  return readGgufImatrix(await openGguf(source));
}

function tooLong({ name, byteLength }: ByteSource): PithError {
  return new PithError(
    'unsupported',
    `${name} is no importance matrix: it has ${byteLength} bytes, and none has over ${longestLegacy}.`,
    'Make one with llama-imatrix -m MODEL -f TEXT -o imatrix.gguf.',
  );
}

import { unlink } from 'node:fs/promises';
import { locateModel } from '../../models/open.ts';
import { losslessGguf } from '../lossless-gguf.ts';
import type { EngineOptions } from './engine-options.ts';

/** A file that llama.cpp can read, for as long as it is needed. */
export interface GgufFile {
  readonly path: string;
  readonly notes: readonly string[];
  close(): Promise<void>;
}

/**
 * The GGUF file of a model. Of a folder a temporary one is made in the type of its weights, so that
 * nothing is lost, and removed when it is closed.
 *
 * @throws PithError what `quantize` throws.
 */
export async function openGgufFile(
  reference: string,
  options: Omit<EngineOptions, 'contextLength'>,
): Promise<GgufFile> {
  const { kind, path } = await locateModel(reference);
  if (kind === 'gguf') return { path, notes: [], close: async () => undefined };
  const made = await losslessGguf(reference, options.temporary, options);
  const note = `llama.cpp reads ${reference} from a temporary GGUF file of type ${made.type}.`;
  return { path: made.path, notes: [note], close: () => unlink(made.path) };
}

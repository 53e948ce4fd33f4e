import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parseDocuments, type TextDocument } from '../../evaluate/documents.ts';
import { attempt } from '../../storage/system-error.ts';
import { PithError } from '../../util/errors.ts';

/** The text in the box, seen from src/recipes/evaluate/ as from dist/recipes/evaluate/. */
const sampleText = fileURLToPath(new URL('../../../models/sample/fables.jsonl', import.meta.url));

/** Texts read for an evaluation. */
export interface ReadTexts {
  readonly documents: readonly TextDocument[];
  readonly notes: readonly string[];
}

/** The file that a reference to a text means. */
export function locateText(reference: string): string {
  return reference === 'sample' ? sampleText : reference;
}

/**
 * Reads the documents of text files; `sample` is the text in the box.
 *
 * @throws PithError `usage` without any, `not-found`, `no-permission`, `io`, and what `parseDocuments` throws.
 */
export async function readTexts(paths: readonly string[]): Promise<ReadTexts> {
  if (paths.length === 0) {
    throw new PithError(
      'usage',
      'No text to evaluate on is given.',
      'Add --data FILE, or --data sample.',
    );
  }
  const documents: TextDocument[] = [];
  const notes: string[] = [];
  for (const path of paths) {
    const bytes = await attempt('read', path, () => readFile(locateText(path)));
    const parsed = parseDocuments(bytes, path === 'sample' ? 'sample.jsonl' : path);
    documents.push(...parsed.documents);
    notes.push(...parsed.notes);
  }
  return { documents, notes };
}

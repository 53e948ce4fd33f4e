import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseCalibrationRow } from '../../data/calibration-rows.ts';
import type { ChatMessage } from '../../data/chat-template.ts';
import { decodeFile, parseDocuments } from '../../evaluate/documents.ts';
import { attempt } from '../../storage/system-error.ts';
import { PithError } from '../../util/errors.ts';

/** The text in the box, seen from src/recipes/calibrate/ as from dist/recipes/calibrate/. */
const folder = new URL('../../../calibration/', import.meta.url);
const shipped = ['prose.txt', 'code.txt', 'documentation.txt', 'dialogues.jsonl', 'languages.txt'];

/** What to run a model on. */
export interface CalibrationTexts {
  /** In the order in which they are read. */
  readonly documents: readonly string[];
  /** Names of the files. */
  readonly datasets: readonly string[];
  readonly notes: readonly string[];
}

/** Writes a conversation as the model reads it; undefined for a model that has no chat template. */
export type RenderChat = ((messages: readonly ChatMessage[]) => string) | undefined;

/**
 * Reads the documents of text files, or those in the box without any. Rows with `messages` are rendered;
 * documents of several files are interleaved, so that the first tokens hold something of each.
 *
 * @throws PithError `not-found`, `no-permission`, `io`, `corrupt`; `unsupported` without a document.
 */
export async function readCalibrationTexts(
  paths: readonly string[],
  render: RenderChat,
): Promise<CalibrationTexts> {
  const own = shipped.map((name) => fileURLToPath(new URL(name, folder)));
  const files: FileTexts[] = [];
  for (const path of paths.length > 0 ? paths : own) files.push(await readTexts(path, render));
  const placed = files.flatMap(({ documents }) =>
    documents.map((text, at) => ({ text, place: (at + 0.5) / documents.length })),
  );
  if (files.length > 1) placed.sort((a, b) => a.place - b.place);
  const plain = files.some((file) => file.hasChats) && !render;
  return {
    documents: placed.map(({ text }) => text),
    datasets: paths.length > 0 ? [...paths] : shipped.map((name) => `pith/${name}`),
    notes: [
      ...(paths.length > 0 ? files.flatMap(({ notes }) => notes) : []),
      ...(plain ? ['The model has no chat template: conversations are read as plain text.'] : []),
    ],
  };
}

interface FileTexts {
  readonly documents: readonly string[];
  readonly hasChats: boolean;
  readonly notes: readonly string[];
}

async function readTexts(path: string, render: RenderChat): Promise<FileTexts> {
  const bytes = await attempt('read', path, () => readFile(path));
  if (path.toLowerCase().endsWith('.jsonl')) return readRows(bytes, path, render);
  const { documents, notes } = parseDocuments(bytes, path);
  return { documents: documents.map(({ text }) => text), hasChats: false, notes };
}

function readRows(bytes: Uint8Array, path: string, render: RenderChat): FileTexts {
  const documents: string[] = [];
  const refused: string[] = [];
  let hasChats = false;
  for (const [at, line] of decodeFile(bytes, path).split('\n').entries()) {
    if (line.trim() === '') continue;
    const row = parseCalibrationRow(line, `${path}, line ${at + 1}`);
    if ('text' in row) {
      documents.push(row.text);
      continue;
    }
    hasChats = true;
    try {
      documents.push(render?.(row.messages) ?? plainText(row.messages));
    } catch (error) {
      if (!(error instanceof PithError)) throw error;
      refused.push(`line ${at + 1}: ${error.message}`);
    }
  }
  const notes =
    refused.length > 0
      ? [`${basename(path)}: ${refused.length} conversations are left out. ${refused[0]}`]
      : [];
  return { documents, hasChats, notes };
}

function plainText(messages: readonly ChatMessage[]): string {
  return messages.map(({ content }) => String(content)).join('\n\n');
}

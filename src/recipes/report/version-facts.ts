import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import type { Measured } from '../../evaluate/report/report-data.ts';
import type { Model } from '../../models/model.ts';
import { summarize } from '../../models/summary.ts';
import { attempt } from '../../storage/system-error.ts';

type Facts = Pick<Measured, 'label' | 'file' | 'sha256' | 'bytes' | 'bitsPerWeight'>;

/** What a model is called in its file, else where it is from. */
export function nameOf({ metadata, source }: Model): string {
  const name = metadata.get('general.name');
  return name?.type === 'string' && name.value !== '' ? name.value : source;
}

/** What is known of a version before anything is measured: its files and their hash. */
export async function versionFacts(
  model: Model,
  label: string,
  signal: AbortSignal | undefined,
): Promise<Facts> {
  const sizes = await Promise.all(
    model.files.map(async (path) => (await attempt('open', path, () => stat(path))).size),
  );
  return {
    label,
    file: model.source === 'sample' ? 'sample' : basename(resolve(model.source)),
    sha256: await hashFiles(model.files, signal),
    bytes: sizes.reduce((sum, size) => sum + size, 0),
    bitsPerWeight: summarize(model).bitsPerWeight,
  };
}

/**
 * SHA-256 of files, one after the other; of one file that which `sha256sum` prints.
 *
 * @throws PithError `not-found`, `no-permission`, `io`; the signal's reason when it fires.
 */
export async function hashFiles(
  paths: readonly string[],
  signal: AbortSignal | undefined,
): Promise<string> {
  const hash = createHash('sha256');
  for (const path of paths) {
    await attempt('read', path, async () => {
      for await (const bytes of createReadStream(path, { highWaterMark: 1 << 20 })) {
        signal?.throwIfAborted();
        hash.update(bytes as Uint8Array);
      }
    });
  }
  return hash.digest('hex');
}

/**
 * A name for each model: its file's, without what all begin with up to a `-`, `_` or `.`, and with a
 * number where two have one.
 */
export function labelsOf(references: readonly string[], taken: string): string[] {
  const names = references.map((path) => basename(resolve(path)).replace(/\.gguf$/i, ''));
  const shared = sharedBeginning(names);
  const used = new Set([taken]);
  return names.map((name) => {
    let label = name.slice(shared);
    for (let count = 2; used.has(label); count++) label = `${name.slice(shared)} (${count})`;
    used.add(label);
    return label;
  });
}

function sharedBeginning([first = '', ...others]: readonly string[]): number {
  if (others.length === 0) return 0;
  const differs = Array.from(first).findIndex((_, at) =>
    others.some((name) => name[at] !== first[at]),
  );
  const same = first.slice(0, Math.max(0, differs));
  return Math.max(...['-', '_', '.'].map((separator) => same.lastIndexOf(separator))) + 1;
}

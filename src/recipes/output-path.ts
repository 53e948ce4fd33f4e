import { stat } from 'node:fs/promises';
import { PithError } from '../util/errors.ts';

/**
 * Refuses an output that could not be opened again by its name, or that is the model itself.
 *
 * @param source - Where the model comes from: a folder, a `.gguf` file (part 1 of a split model).
 * @throws {@link PithError} `usage` when `output` does not end in `.gguf`, `conflict` when it is a file
 *   of the model, by whatever path: it would be gone once the output takes its name.
 */
export async function checkOutputPath(output: string, source: string): Promise<void> {
  if (!output.toLowerCase().endsWith('.gguf')) {
    throw new PithError(
      'usage',
      `The output ${output} is not named as a GGUF file.`,
      `Name a file that ends in .gguf, for example ${output.replace(/(\.[^./\\]*)?[/\\]*$/, '')}.gguf.`,
    );
  }
  const own = await identity(output);
  if (own === undefined) return;
  for (const part of partsOf(source)) {
    if ((await identity(part)) !== own) continue;
    throw new PithError(
      'conflict',
      `The output ${output} is the model itself, which writing it would destroy.`,
      'Choose another name for the output.',
    );
  }
}

/** The files of a split model by their names; anything else is its own only part. */
function partsOf(source: string): string[] {
  const [, name, of] = /^(.*)-\d{5}-of-(\d{5})\.gguf$/s.exec(source) ?? [];
  if (name === undefined) return [source];
  return Array.from({ length: Number(of) }, (_, part) => {
    const number = String(part + 1).padStart(5, '0');
    return `${name}-${number}-of-${of}.gguf`;
  });
}

/** Device and inode, the same for every path to a file; undefined when there is none. */
async function identity(path: string): Promise<string | undefined> {
  try {
    const { dev, ino } = await stat(path, { bigint: true });
    return `${dev}:${ino}`;
  } catch {
    return undefined;
  }
}

import { stat } from 'node:fs/promises';
import { PithError } from '../util/errors.ts';

/**
 * Refuses an output that could not be opened again by its name, or that is one of the inputs.
 *
 * @param inputs - Paths of the files that are read: weights in all their parts, an importance matrix.
 * @throws {@link PithError} `usage` when `output` does not end in `.gguf` or is not UTF-8, `conflict`
 *   when it is an input, by whatever path: that would be gone once the output takes its name.
 */
export async function checkOutputPath(output: string, inputs: readonly string[]): Promise<void> {
  if (output.includes('\uFFFD')) throw notText(output);
  if (!output.toLowerCase().endsWith('.gguf')) {
    throw new PithError(
      'usage',
      `The output ${JSON.stringify(output)} is not named as a GGUF file.`,
      `Name a file that ends in .gguf, for example ${output.replace(/(\.[^./\\]*)?[/\\]*$/, '') || 'model'}.gguf.`,
    );
  }
  const own = await identity(output);
  if (own === undefined) return;
  for (const input of inputs) {
    if ((await identity(input)) !== own) continue;
    throw new PithError(
      'conflict',
      `The output ${output} is the input ${input} itself, which writing it would destroy.`,
      'Choose another name for the output.',
    );
  }
}

function notText(output: string): PithError {
  return new PithError(
    'usage',
    `The name of the output is not UTF-8; it reads as ${JSON.stringify(output)}.`,
    'Choose a name of letters that this terminal writes as UTF-8.',
  );
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

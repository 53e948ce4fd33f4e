import { availableParallelism } from 'node:os';
import { PithError } from '../util/errors.ts';

/** Threads that do a command's own work, all cores unless told otherwise. */
export function threadsOption<Description extends string>(description: Description) {
  return {
    type: 'integer',
    value: 'N',
    default: availableParallelism(),
    min: 1,
    max: 512,
    description,
  } as const;
}

/**
 * Numbers of tokens, parted by commas.
 *
 * @param option - With its dashes, for the message.
 * @param what - What the numbers are, for example "prompt lengths".
 * @throws PithError `usage` for anything but whole numbers of at least 1.
 */
export function parseLengths(
  text: string,
  { option, what, example }: Readonly<Record<'option' | 'what' | 'example', string>>,
): number[] {
  const lengths = text.split(',').map(Number);
  if (lengths.every((length) => Number.isInteger(length) && length >= 1)) return lengths;
  throw new PithError(
    'usage',
    `${option} ${text}: ${what} are whole numbers of tokens.`,
    `Write them with commas: ${option} ${example}`,
  );
}

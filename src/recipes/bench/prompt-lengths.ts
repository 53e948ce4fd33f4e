import type { Model } from '../../models/model.ts';
import { hyperParameter } from '../../models/hyper-parameters.ts';
import { PithError } from '../../util/errors.ts';

const defaults = [128, 512, 2048];
/** What the engine keeps free at the end of its context, and the token after the last step. */
export const spareTokens = 2;

/**
 * The prompt lengths to time, ascending: those wanted, or the defaults that fit the trained context
 * with the tokens decoded after them; half the context when none does.
 *
 * @throws PithError `usage` when a wanted length does not fit, with the numbers.
 */
export function promptLengthsFor(
  model: Pick<Model, 'architecture' | 'metadata'>,
  wanted: readonly number[] | undefined,
  decodeTokens: number,
): number[] {
  const context = hyperParameter(model, 'context_length') ?? Infinity;
  const longest = context - decodeTokens - spareTokens;
  const tooLong = wanted?.find((length) => length > longest);
  if (longest < 1 || tooLong !== undefined) {
    throw new PithError(
      'usage',
      `A prompt of ${tooLong ?? 1} and ${decodeTokens} tokens after it do not fit the context of ` +
        `${context} tokens that the model was trained on.`,
      `Prompt and decoded tokens together: at most ${context - spareTokens}.`,
    );
  }
  if (wanted) return [...new Set(wanted)].sort((a, b) => a - b);
  const fitting = defaults.filter((length) => length <= longest);
  return fitting.length > 0 ? fitting : [Math.ceil(longest / 2)];
}

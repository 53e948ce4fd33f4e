import { homedir } from 'node:os';
import { join } from 'node:path';
import { env, platform } from 'node:process';
import { hyperParameter } from '../../models/hyper-parameters.ts';
import type { Model } from '../../models/model.ts';
import { PithError } from '../../util/errors.ts';
import type { EvaluateRequest } from './request.ts';

/** What llama-perplexity takes too. */
const defaultContext = 512;

/** Tokens of a window: as asked for, else 512, or what the models were trained on if that is less. */
export function contextOf({ context }: EvaluateRequest, models: readonly Model[]): number {
  const longest = longestContext(context, models);
  return context ?? Math.min(defaultContext, longest);
}

/**
 * Tokens that all of the models were trained on; unbounded where none of them says.
 *
 * @throws PithError `usage` when more were asked for.
 */
export function longestContext(asked: number | undefined, models: readonly Model[]): number {
  const trained = models.map((model) => hyperParameter(model, 'context_length') ?? Infinity);
  const longest = Math.min(...trained);
  if (asked === undefined || asked <= longest) return longest;
  throw new PithError(
    'usage',
    `A context of ${asked} tokens is longer than the ${longest} the model was trained on.`,
    `Use --context ${longest} or less.`,
  );
}

/** Where the system wants files that may be deleted. */
export function cacheFolder(): string {
  const home = platform === 'win32' ? env['LOCALAPPDATA'] : env['XDG_CACHE_HOME'];
  return join(home || join(homedir(), '.cache'), 'pith', 'evaluate');
}

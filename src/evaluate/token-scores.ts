import { PithError } from '../util/errors.ts';
import { divergence } from './divergence.ts';
import type { WindowScores } from './scorer.ts';

/** What is kept of every scored token; natural logarithms. */
export interface TokenScores {
  /** `[n]`: of the tokens that stand there. */
  readonly logProbs: Float32Array;
  /** Beside a base; undefined without one. */
  readonly against?: ComparedScores;
}

/** What is kept of every scored token beside a base, each `[n]`. */
export interface ComparedScores {
  readonly baseLogProbs: Float32Array;
  /** KL(base‖candidate), a lower bound. */
  readonly kl: Float32Array;
  /** 1 where both find the same token likeliest. */
  readonly agrees: Float32Array;
  /** Base probability outside the kept tokens. */
  readonly tail: Float32Array;
  /** Estimate of what the bound lacks. */
  readonly gap: Float32Array;
}

/** The base's distributions in one window: `[n]` and `[n, k]`. */
export interface BaseScores {
  readonly logProbs: Float32Array;
  readonly top: { readonly ids: Int32Array; readonly logProbs: Float32Array };
}

/**
 * Compares a candidate's scores of one window with the base's.
 *
 * @param scores - With `at`: the candidate's probabilities of the base's top tokens.
 * @param isWhole - The top is the whole vocabulary.
 */
export function compareScores(
  scores: WindowScores,
  base: BaseScores,
  isWhole: boolean,
): TokenScores {
  const n = scores.logProbs.length;
  const top = base.top.ids.length / n;
  const against = {
    baseLogProbs: base.logProbs,
    kl: new Float32Array(n),
    agrees: new Float32Array(n),
    tail: new Float32Array(n),
    gap: new Float32Array(n),
  };
  for (let at = 0; at < n; at += 1) {
    const range = [at * top, (at + 1) * top] as const;
    const position = {
      top: base.top.logProbs.subarray(...range),
      candidate: scores.at!.subarray(...range),
    };
    const found = divergence(position, isWhole);
    against.kl[at] = found.kl;
    against.tail[at] = found.tail;
    against.gap[at] = found.gap;
    against.agrees[at] = Number(scores.best[at] === base.top.ids[at * top]);
  }
  return { logProbs: scores.logProbs, against };
}

/**
 * Checks what an engine says.
 *
 * @throws {@link PithError} `not-finite` naming the place of the first probability that is none.
 */
export function checkScores({ logProbs }: WindowScores, where: string): void {
  const bad = logProbs.findIndex((value) => !(value <= 1e-3) || value === -Infinity);
  if (bad === -1) return;
  throw new PithError(
    'not-finite',
    `The model's log-probability of token ${bad + 1} of ${where} is ${logProbs[bad]}.`,
    'See which weights are broken: pith verify FILE.gguf',
  );
}

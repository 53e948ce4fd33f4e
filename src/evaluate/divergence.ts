/** What of one position's base distribution is kept: its likeliest tokens and the rest together. */
export interface BasePosition {
  /** `[k]` natural-log probabilities of the kept tokens. */
  readonly top: Float32Array;
  /** `[k]`: what the candidate gives the same tokens. */
  readonly candidate: Float32Array;
}

/** The divergence at one position. */
export interface Divergence {
  /** KL(base‖candidate) in nats, the tokens outside the top taken as one: a lower bound. */
  readonly kl: number;
  /** Base probability of the tokens outside the top. */
  readonly tail: number;
  /** What the bound lacks if the tail's tokens diverge among themselves as the top's do. */
  readonly gap: number;
}

/** Below this the tail is the rounding of float32 probabilities, not tokens. */
const noise = 1e-6;

/**
 * KL(base‖candidate) = Σ p·(ln p − ln q) over the base's top tokens, plus the tail as one token.
 *
 * Merging tokens never raises the divergence (log-sum inequality), so this is a lower bound. It lacks
 * `tail` times the divergence inside the tail, which is unknown; `gap` estimates it by that inside the
 * top, (KL − both masses as two tokens) / top mass.
 *
 * @param isWhole - The top holds the whole vocabulary: there is no tail and the result is exact.
 */
export function divergence({ top, candidate }: BasePosition, isWhole: boolean): Divergence {
  let sum = 0;
  let baseMass = 0;
  let candidateMass = 0;
  for (let at = 0; at < top.length; at += 1) {
    const logP = top[at]!;
    const logQ = candidate[at]!;
    const p = Math.exp(logP);
    baseMass += p;
    candidateMass += Math.exp(logQ);
    if (p > 0) sum += p * (logP - logQ);
  }
  const tail = isWhole ? 0 : Math.max(0, 1 - baseMass);
  if (tail < noise) return { kl: Math.max(0, sum), tail, gap: 0 };
  const candidateTail = Math.max(noise / 2, 1 - candidateMass);
  const kl = Math.max(0, sum + tail * Math.log(tail / candidateTail));
  const inside = sum - baseMass * Math.log(baseMass / candidateMass);
  return { kl, tail, gap: Math.max(0, (inside / baseMass) * tail) };
}

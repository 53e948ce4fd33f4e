/** Counts of scored tokens by KL divergence, in bins of equal ratio. */
export interface KlHistogram {
  /** Borders in nats, rising; bin i holds edges[i] ≤ divergence < edges[i + 1]. */
  readonly edges: readonly number[];
  readonly counts: readonly number[];
  /** Tokens under the first border, those without divergence among them, and from the last on. */
  readonly below: number;
  readonly above: number;
}

const binsPerDecade = 4;
const lowestPower = -7;
const highestPower = 2;
const bins = (highestPower - lowestPower) * binsPerDecade;

/**
 * Sorts divergences into bins that are the same for every model, so that histograms compare: four a
 * decade from 1e-7, the noise of float32 probabilities, to 100 nats.
 */
export function klHistogram(divergences: Float32Array): KlHistogram {
  const counts = Array.from({ length: bins }, () => 0);
  const edges = Array.from(
    { length: bins + 1 },
    (_, at) => 10 ** (lowestPower + at / binsPerDecade),
  );
  let below = 0;
  let above = 0;
  for (const value of divergences) {
    const bin = edges.findLastIndex((edge) => edge <= value);
    if (bin < 0) below++;
    else if (bin >= bins) above++;
    else counts[bin]!++;
  }
  return { edges, counts, below, above };
}

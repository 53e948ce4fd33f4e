/** One way to scale the columns of a group. */
export interface Candidate {
  /**
   * `inputs`: s = a^r. `both`: s = a^r / (w^(1−r) + 10⁻⁴). a is the root mean square of what enters a column, w the
   * mean over rows of |weight| over the largest |weight| of its 32 neighbours. `none`: s = 1.
   */
  readonly form: 'none' | 'inputs' | 'both';
  /** r, from 0 up to 1. */
  readonly exponent: number;
}

/** What a column's scale is made of, `[sets, size]` both. */
export interface ColumnSizes {
  readonly inputs: Float64Array;
  readonly weights: Float64Array;
}

/** Scales further from 1 than this are cut: a column that nearly nothing enters must not vanish in f16 scales. */
const furthest = 1e4;

/** No scaling, then both forms with r = 0, 1/steps … (steps − 1)/steps. */
export function candidates(steps: number): Candidate[] {
  const exponents = Array.from({ length: steps }, (_, step) => step / steps);
  return [
    { form: 'none', exponent: 0 },
    ...exponents.slice(1).map((exponent) => ({ form: 'inputs', exponent }) as const),
    ...exponents.map((exponent) => ({ form: 'both', exponent }) as const),
  ];
}

/**
 * The scales of a candidate, each set divided by √(max · min), so that they lie around 1. Columns that nothing
 * enters keep 1.
 *
 * @see Lin et al. 2023, arXiv:2306.00978, and llm-awq's auto_scale. Differs: √E[a²] stands for E|a|, as evidence
 *   has no more; of Gaussian inputs the two differ by a factor that the division takes out.
 */
export function candidateScales(
  { form, exponent }: Candidate,
  { inputs, weights }: ColumnSizes,
  sets: number,
): Float64Array {
  const scales = new Float64Array(inputs.length).fill(1);
  if (form === 'none') return scales;
  const size = inputs.length / sets;
  for (let set = 0; set < sets; set++) {
    const raw = Array.from({ length: size }, (_, at) => {
      const index = set * size + at;
      const up = inputs[index]! ** exponent;
      return inputs[index]! > 0 && form === 'both'
        ? up / (weights[index]! ** (1 - exponent) + 1e-4)
        : inputs[index]! > 0
          ? up
          : 0;
    });
    const live = raw.filter((scale) => scale > 0);
    const center = Math.sqrt(Math.max(...live) * Math.min(...live));
    for (const [at, scale] of raw.entries()) {
      if (scale > 0)
        scales[set * size + at] = Math.min(Math.max(scale / center, 1 / furthest), furthest);
    }
  }
  return scales;
}

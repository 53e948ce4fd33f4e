/** A measurement: predicted costs of classes, and what all together were found to cost. */
export interface Measurement<Class extends string> {
  readonly costs: ReadonlyMap<Class, number>;
  readonly measured: number;
}

/** What is assumed before anything is measured: relative deviations. */
const assumed = {
  /** Of a measured divergence from a sum of costs: interactions, and the text that it is measured on. */
  measurement: 0.05,
  /** Of a class' factor from that of all. */
  factor: 0.35,
};
/** No class is taken to be further from the others than this factor. */
const furthest = 3;
/** Far more than it takes: each sweep at least halves the error. */
const sweeps = 100;

/**
 * Fits the factor of each class by which predicted costs become measured ones.
 *
 * Least squares of relative errors with factors drawn to a common one, as few measurements leave them undecided:
 * Σ (Σ_c f_c x_c / y − 1)² + r Σ (f_c / f − 1)², by coordinate descent within bounds.
 *
 * @param measurements - At least one; predictions and measurements are positive.
 */
export function fitFactors<Class extends string>(
  measurements: readonly Measurement<Class>[],
): Map<Class, number> {
  const common = commonFactor(measurements);
  const classes = [...new Set(measurements.flatMap(({ costs }) => [...costs.keys()]))];
  const shares = measurements.map(({ costs, measured }) =>
    classes.map((one) => (common * (costs.get(one) ?? 0)) / measured),
  );
  const ridge = (assumed.measurement / assumed.factor) ** 2;
  const factors = classes.map(() => 1);
  for (let sweep = 0; sweep < sweeps; sweep++)
    for (const at of classes.keys()) {
      let slope = ridge;
      let target = ridge;
      for (const share of shares) {
        const others = share.reduce(
          (sum, one, by) => (by === at ? sum : sum + one * factors[by]!),
          0,
        );
        slope += share[at]! ** 2;
        target += share[at]! * (1 - others);
      }
      factors[at] = Math.min(furthest, Math.max(1 / furthest, target / slope));
    }
  return new Map(classes.map((one, at) => [one, common * factors[at]!]));
}

/** The geometric mean of measured over predicted. */
function commonFactor(measurements: readonly Measurement<string>[]): number {
  const logs = measurements.map(({ costs, measured }) =>
    Math.log(measured / [...costs.values()].reduce((sum, cost) => sum + cost, 0)),
  );
  return Math.exp(logs.reduce((sum, log) => sum + log, 0) / logs.length);
}

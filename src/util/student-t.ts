/**
 * The value that a Student t variable stays below with probability `probability`.
 *
 * @param freedom - Degrees of freedom, any positive number; Infinity gives the normal distribution.
 * @remarks Bisection on the regularized incomplete beta function (Lentz's continued fraction), good to
 *   1e-9; checked against printed tables.
 */
export function studentQuantile(probability: number, freedom: number): number {
  if (probability < 0.5) return -studentQuantile(1 - probability, freedom);
  let low = 0;
  let high = 1;
  while (studentDistribution(high, freedom) < probability) high *= 2;
  for (let step = 0; step < 60; step += 1) {
    const middle = (low + high) / 2;
    if (studentDistribution(middle, freedom) < probability) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** Probability that a Student t variable is below `t`. */
export function studentDistribution(t: number, freedom: number): number {
  // Above this many degrees of freedom, t and normal differ by less than 1e-8.
  if (freedom > 1e7) return normalDistribution(t);
  const tail = incompleteBeta(freedom / (freedom + t * t), freedom / 2, 1 / 2) / 2;
  return t > 0 ? 1 - tail : tail;
}

/** Probability that a standard normal variable is below `z`, to about 1e-9. */
export function normalDistribution(z: number): number {
  const tail = upperGammaHalf((z * z) / 2) / 2;
  return z > 0 ? 1 - tail : tail;
}

/** I_x(a, b): the share of the beta function's integral that lies below x. */
function incompleteBeta(x: number, a: number, b: number): number {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  // The fraction converges fast only below the mean; above it, the complement does.
  if (x > (a + 1) / (a + b + 2)) return 1 - incompleteBeta(1 - x, b, a);
  const logFront =
    a * Math.log(x) + b * Math.log1p(-x) + logGamma(a + b) - logGamma(a) - logGamma(b);
  const fraction = continuedFraction((step) => betaTerm(step, x, a, b));
  return Math.exp(logFront) / a / fraction;
}

function betaTerm(step: number, x: number, a: number, b: number): readonly [number, number] {
  if (step === 0) return [1, 1];
  const m = Math.floor(step / 2);
  const numerator =
    step % 2 === 0
      ? (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m))
      : -((a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
  return [numerator, 1];
}

/** Q(1/2, x), the upper incomplete gamma function that makes erfc: a series below 1.5, else a fraction. */
function upperGammaHalf(x: number): number {
  if (x === 0) return 1;
  if (x === Infinity) return 0;
  const front = Math.sqrt(x / Math.PI) * Math.exp(-x);
  if (x < 1.5) {
    let term = 2;
    let sum = term;
    for (let n = 1; n < 60; n += 1) {
      term *= x / (n + 1 / 2);
      sum += term;
    }
    return 1 - front * sum;
  }
  const term = (n: number): readonly [number, number] => [
    n === 0 ? 1 : -n * (n - 1 / 2),
    x + 2 * n + 1 / 2,
  ];
  return front / continuedFraction(term);
}

/** b₀ + a₁/(b₁ + a₂/(b₂ + …)) by the modified Lentz method; `term(n)` is [aₙ, bₙ]. */
function continuedFraction(term: (n: number) => readonly [number, number]): number {
  const tiny = 1e-300;
  let value = term(0)[1] || tiny;
  let c = value;
  let d = 0;
  for (let n = 1; n < 500; n += 1) {
    const [a, b] = term(n);
    d = 1 / (b + a * d || tiny);
    c = b + a / c || tiny;
    value *= c * d;
    if (Math.abs(c * d - 1) < 1e-15) break;
  }
  return value;
}

/** ln Γ(x) for x > 0: the recurrence up to 10, then Stirling's series. */
function logGamma(x: number): number {
  let shift = 0;
  let at = x;
  for (; at < 10; at += 1) shift += Math.log(at);
  const inverse = 1 / at;
  const square = inverse * inverse;
  const series = inverse * (1 / 12 - square * (1 / 360 - square * (1 / 1260 - square / 1680)));
  return (at - 1 / 2) * Math.log(at) - at + Math.log(2 * Math.PI) / 2 + series - shift;
}

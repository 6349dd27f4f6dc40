/**
 * The two tail probabilities that the tests of this folder need, to about 1e-14.
 *
 *   normal   P(|Z| > z) = erfc(z / sqrt 2)
 *   Student  P(|T| > t) = I_x(v / 2, 1 / 2),  x = v / (v + t^2)
 *
 * Source: Abramowitz & Stegun 7.1.5, 7.1.14, 26.5.8; Lanczos' approximation of ln Gamma (g = 7, nine terms).
 */

const LANCZOS = [
  0.9999999999998099, 676.5203681218851, -1259.1392167224028, 771.3234287776531, -176.6150291621406, 12.507343278686905,
  -0.13857109526572012, 9.984369578019572e-6, 1.5056327351493116e-7,
];

/** Two-sided tail of the standard normal distribution: P(|Z| > |z|). */
export function normalTail(z: number): number {
  const x = Math.abs(z) / Math.SQRT2;
  if (Number.isNaN(x)) return Number.NaN;
  return x < 2 ? 1 - erfSeries(x) : erfcFraction(x);
}

/** Two-sided tail of Student's t distribution with any positive number of degrees of freedom: P(|T| > |t|). */
export function studentTail(t: number, degrees: number): number {
  return incompleteBeta(degrees / (degrees + t * t), degrees / 2, 0.5);
}

// erf x = 2/sqrt(pi) e^{-x^2} sum_k 2^k x^{2k+1} / (2k+1)!!: all terms positive, so nothing cancels.
function erfSeries(x: number): number {
  let term = x;
  let total = x;
  for (let k = 1; term > total * 1e-17; k++) {
    term *= (2 * x * x) / (2 * k + 1);
    total += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * total;
}

// erfc x = e^{-x^2}/sqrt(pi) / (x + (1/2)/(x + 1/(x + (3/2)/(x + ...)))), from the inside out.
function erfcFraction(x: number): number {
  let fraction = x;
  for (let k = 200; k >= 1; k--) fraction = x + k / 2 / fraction;
  return Math.exp(-x * x) / Math.sqrt(Math.PI) / fraction;
}

/** ln Gamma(x) for x >= 1/2. */
export function logGamma(x: number): number {
  let series = LANCZOS[0];
  for (let i = 1; i < LANCZOS.length; i++) series += LANCZOS[i] / (x - 1 + i);
  const t = x + 6.5;
  return 0.5 * Math.log(2 * Math.PI) + (x - 0.5) * Math.log(t) - t + Math.log(series);
}

function incompleteBeta(x: number, a: number, b: number): number {
  if (Number.isNaN(x)) return Number.NaN;
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  // The fraction converges fast only on this side of the mean.
  if (x > (a + 1) / (a + b + 2)) return 1 - incompleteBeta(1 - x, b, a);
  const front = Math.exp(
    logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log1p(-x) - Math.log(a),
  );
  let fraction = 1;
  for (let m = 200; m >= 1; m--) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    fraction = 1 + even / (1 + odd / fraction);
  }
  const first = (-(a + b) * x) / (a + 1);
  return front / (1 + first / fraction);
}

/** z with P(Z < z) = share: bisection on the tail, to about 1e-14; infinite at 0 and 1. */
export function normalQuantile(share: number): number {
  if (!(share >= 0 && share <= 1)) return Number.NaN;
  if (share === 0 || share === 1) return share === 0 ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  if (share > 0.5) return -normalQuantile(1 - share);
  let [low, high] = [-40, 0];
  for (let k = 0; k < 80; k++) {
    const middle = (low + high) / 2;
    if (normalTail(middle) / 2 < share) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

let lastQuantile = { share: Number.NaN, degrees: Number.NaN, t: Number.NaN };

/** t with P(T < t) = share for Student's distribution: bisection on the tail; infinite at 0 and 1. */
export function studentQuantile(share: number, degrees: number): number {
  if (!(share >= 0 && share <= 1) || !(degrees > 0)) return Number.NaN;
  if (share === 0.5) return 0;
  if (share < 0.5) return -studentQuantile(1 - share, degrees);
  if (share === 1) return Number.POSITIVE_INFINITY;
  // A simulation asks for the same quantile thousands of times.
  if (lastQuantile.share === share && lastQuantile.degrees === degrees) return lastQuantile.t;
  const tail = 2 * (1 - share);
  let [low, high] = [0, 1];
  while (studentTail(high, degrees) > tail) high *= 2;
  for (let k = 0; k < 80; k++) {
    const middle = (low + high) / 2;
    if (studentTail(middle, degrees) > tail) low = middle;
    else high = middle;
  }
  lastQuantile = { share, degrees, t: (low + high) / 2 };
  return lastQuantile.t;
}

/** P(Z < z) of the standard normal distribution. */
export function normalBelow(z: number): number {
  return z < 0 ? normalTail(z) / 2 : 1 - normalTail(z) / 2;
}

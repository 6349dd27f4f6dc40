/**
 * Where a learnt sigma comes to rest, and what weight it then gives to its loss (Appendix A).
 *
 *   l(s) = L / s^2 + ln(s + 1)                                        one loss L >= 0 (nats), one scale s > 0
 *   dl/ds = -2 L / s^3 + 1 / (s + 1) = 0   <=>   L = f(s) = s^3 / (2 (s + 1))
 *   f'(s) = s^2 (2 s + 3) / (2 (s + 1)^2) > 0, so s* = f^-1(L) exists, is unique, and grows with L
 *   effective learning rate  r_e = r / s*^2
 *
 * s* is the positive root of s^3 - 2 L s - 2 L = 0.
 *
 * Edges. L = 0: s* = 0, the weight is infinite. L < 0 (a KLD of identical maps, rounded): no equilibrium, NaN.
 * L infinite: s* infinite, weight 0. Every finite L from 5e-324 to 1.8e308 has a finite s* in float64, computed without
 * overflow; weights and derivatives that exceed float64 are infinite. A sigma that is not positive gives NaN, except 0
 * where a limit exists.
 */

/** What follows from one loss value. */
export interface Equilibrium {
  /** L, nats. */
  readonly loss: number;
  readonly sigma: number;
  /** ln s*, the parameter that is trained. */
  readonly logSigma: number;
  /** 1 / s*^2, the factor on the learning rate. */
  readonly weight: number;
  /** J(L) = min_s l = L / s*^2 + ln(1 + s*); dJ/dL = 1 / s*^2. */
  readonly envelope: number;
  /** ds* / dL = 1 / f'(s*). */
  readonly slope: number;
  /** d ln s* / d ln L, between 1/3 (L = 0) and 1/2; d ln r_e / d ln L is -2 times this. */
  readonly logLogSlope: number;
  /** d2l / ds2 at s*: its inverse sets how fast, and with which step, gradient descent on s settles. */
  readonly curvature: number;
  /** d2l / d(ln s)2 at s*, between 0 and 2: any step up to 1 on ln s is locally stable. */
  readonly logCurvature: number;
}

/** l(s) = L / s^2 + ln(s + 1). L may be negative; NaN for s < 0. */
export function regularizedLoss(loss: number, sigma: number): number {
  if (!(sigma >= 0)) return Number.NaN;
  // Two divisions: s^2 would underflow below 1e-162.
  return (loss === 0 ? 0 : loss / sigma / sigma) + Math.log1p(sigma);
}

/** dl/ds = -2 L / s^3 + 1 / (s + 1); NaN for s < 0. */
export function regularizedLossSlope(loss: number, sigma: number): number {
  if (!(sigma >= 0)) return Number.NaN;
  return (loss === 0 ? 0 : (-2 * loss) / sigma / sigma / sigma) + 1 / (sigma + 1);
}

/** d2l/ds2 = 6 L / s^4 - 1 / (s + 1)^2 anywhere: negative far above the equilibrium, so l is not convex in s. */
export function regularizedLossCurvature(loss: number, sigma: number): number {
  if (!(sigma >= 0)) return Number.NaN;
  return (loss === 0 ? 0 : (6 * loss) / sigma / sigma / sigma / sigma) - 1 / (sigma + 1) / (sigma + 1);
}

/** f(s) = s^3 / (2 (s + 1)): the loss whose equilibrium is s. NaN for s < 0. */
export function lossAtEquilibrium(sigma: number): number {
  if (!(sigma >= 0)) return Number.NaN;
  return sigma < 1 ? (sigma * sigma * sigma) / (2 * (sigma + 1)) : (sigma * sigma) / (2 * (1 + 1 / sigma));
}

/** f'(s) = s^2 (2 s + 3) / (2 (s + 1)^2). NaN for s < 0. */
export function lossAtEquilibriumSlope(sigma: number): number {
  if (!(sigma >= 0)) return Number.NaN;
  const ratio = 1 / (1 + 1 / sigma); // s / (s + 1), also at 0 and at infinity
  return ratio === 0 ? 0 : (sigma * ratio * (2 + 1 / (sigma + 1))) / 2;
}

/**
 * s* by Newton's method, to the last digit or two.
 *
 * g(s) = s^3 - 2 L s - 2 L is convex for s > 0, and the start a + b with a^3 = b^2 = 2 L lies above the root:
 * g(a + b) = 3 a^2 b + 2 a b^2 > 0. So the steps fall monotonically to s*, in 6 to 8 of them.
 * The unknown is s / max(a, b), which lies in [1, 2] for every L, so nothing overflows.
 */
export function equilibriumSigma(loss: number): number {
  if (!(loss >= 0)) return Number.NaN;
  if (loss === 0 || loss === Number.POSITIVE_INFINITY) return loss;
  const a = Math.cbrt(loss) * Math.cbrt(2);
  const b = Math.sqrt(loss) * Math.SQRT2;
  // s = a x: x^3 - a x - 1 = 0;   s = b x: x^3 - x - 1/b = 0
  const [scale, linear, constant] = a <= 1 ? [a, a, 1] : [b, 1, 1 / b];
  let x = a <= 1 ? 1 + b / a : 1 + a / b;
  for (;;) {
    const next = x - (x * x * x - linear * x - constant) / (3 * x * x - linear);
    if (!(next < x)) return scale * next;
    x = next;
  }
}

/**
 * s* in closed form: with T = 27/8,
 *
 *   L <= T: 2 sqrt(2L/3) cosh(1/3 arcosh sqrt(T/L)),   L >= T: 2 sqrt(2L/3) cos(1/3 arccos sqrt(T/L))
 *
 * As written, arcosh and arccos lose half the digits near T, and cosh one or two where L is tiny. The same angles come
 * exactly from L - T: cosh(x/3) = (c + 1/c) / 2 with c^3 = e^x = (sqrt T + sqrt(T - L)) / sqrt L, which is Cardano's
 * formula, and arccos sqrt(T/L) = atan sqrt((L - T) / T).
 */
export function equilibriumSigmaClosedForm(loss: number): number {
  if (!(loss >= 0)) return Number.NaN;
  if (loss === 0 || loss === Number.POSITIVE_INFINITY) return loss;
  const turn = 27 / 8;
  const front = 2 * Math.sqrt(2 / 3) * Math.sqrt(loss);
  if (loss <= turn) {
    const c = Math.cbrt((Math.sqrt(turn) + Math.sqrt(turn - loss)) / Math.sqrt(loss));
    return (front * (c + 1 / c)) / 2;
  }
  return front * Math.cos(Math.atan(Math.sqrt((loss - turn) / turn)) / 3);
}

/** s* of a small loss, a = (2 L)^(1/3): a + a^2 / 3 - a^4 / 81 + a^5 / 243 + O(a^7), by Lagrange inversion. r_e ~ r (2 L)^(-2/3). */
export function smallLossSigma(loss: number): number {
  const a = Math.cbrt(loss) * Math.cbrt(2);
  return a * (1 + a * (1 / 3 + a * a * (-1 / 81 + a / 243)));
}

/** s* of a large loss, b = (2 L)^(1/2): b + 1/2 - 3 / (8 b) + O(b^-2). r_e ~ r / (2 L), Kendall's weighting. */
export function largeLossSigma(loss: number): number {
  const b = Math.SQRT2 * Math.sqrt(loss);
  return b + 0.5 - 0.375 / b;
}

/** Everything about the equilibrium of one loss. Each value is a function of s* that neither cancels nor overflows. */
export function equilibrium(loss: number): Equilibrium {
  const sigma = equilibriumSigma(loss);
  const ratio = 1 / (1 + 1 / sigma); // s / (s + 1)
  const bracket = 2 + 1 / (sigma + 1); // (2 s + 3) / (s + 1)
  return {
    loss,
    sigma,
    logSigma: Math.log(sigma),
    weight: 1 / sigma / sigma,
    // L / s*^2 = s* / (2 (s* + 1))
    envelope: ratio / 2 + Math.log1p(sigma),
    slope: (2 * (1 + 1 / sigma)) / bracket / sigma,
    logLogSlope: 1 / bracket,
    curvature: bracket / sigma / (sigma + 1),
    logCurvature: bracket * ratio,
  };
}

/** A rule's resting sigma and the weight that multiplies its loss there. */
export interface WeightedEquilibrium {
  readonly sigma: number;
  readonly weight: number;
}

/** The released code, L / (2 s^2) + ln(s + 1): s*(L / 2), with weight 1 / (2 s^2). */
export function releasedEquilibrium(loss: number): WeightedEquilibrium {
  const sigma = equilibriumSigma(loss / 2);
  return { sigma, weight: 0.5 / sigma / sigma };
}

/** Kendall et al. 2018 for regression, L / (2 s^2) + ln s: s = sqrt L, weight 1 / (2 L). No lower bound as L -> 0. */
export function kendallRegressionEquilibrium(loss: number): WeightedEquilibrium {
  return { sigma: Math.sqrt(loss), weight: 0.5 / nonNegative(loss) };
}

/** Kendall et al. 2018 for classification, L / s^2 + ln s: s = sqrt(2 L), weight 1 / (2 L). */
export function kendallClassificationEquilibrium(loss: number): WeightedEquilibrium {
  return { sigma: Math.SQRT2 * Math.sqrt(loss), weight: 0.5 / nonNegative(loss) };
}

/** Liebel & Koerner 2018, L / (2 c^2) + ln(1 + c^2): c^2 = (L + sqrt(L^2 + 8 L)) / 4, weight 1 / (2 c^2). */
export function liebelEquilibrium(loss: number): WeightedEquilibrium {
  const root = Math.sqrt(loss);
  // c^2 = root (root + sqrt(L + 8)) / 4, in which L^2 cannot overflow
  const squared = (root / 4) * (root + Math.sqrt(loss + 8));
  return { sigma: Math.sqrt(squared), weight: 0.5 / squared };
}

function nonNegative(loss: number): number {
  return loss >= 0 ? loss : Number.NaN;
}

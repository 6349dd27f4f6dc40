/**
 * Power of the paired t test and of the paired equivalence test, and the number of pairs that reach a wanted power.
 *
 *   d = difference of a pair ~ N(delta, sigma^2),  m = mean of n,  u = s / sigma with n - 1 = v degrees of freedom
 *   t test        P(|m| sqrt n / s > t_(1 - alpha/2))    = E_u [Phi(delta' - t u) + Phi(-delta' - t u)],   delta' = delta sqrt n / sigma
 *   equivalence   P(|m| < margin - t_(1 - alpha) s / sqrt n) = E_u [Phi(margin' - t u - delta') - Phi(t u - margin' - delta')]+
 *   density of u  2 (v/2)^(v/2) / Gamma(v/2)  u^(v-1)  exp(-v u^2 / 2)
 *
 * The expectation is taken by Simpson's rule. Source: Phillips 1990, J. Pharmacokinet. Biopharm. 18, 137-144.
 */
import { logGamma, normalBelow, studentQuantile } from './special-functions.ts';

export interface PowerOptions {
  /** Deviation of the paired differences. */
  readonly deviation: number;
  /** Two-sided for the t test, of each of the two one-sided tests for equivalence. */
  readonly alpha?: number;
}

/** Chance that a paired two-sided t test of n pairs rejects when the true mean difference is `effect`. */
export function pairedTPower(pairs: number, effect: number, { deviation, alpha = 0.05 }: PowerOptions): number {
  check('pairedTPower', pairs, deviation, alpha);
  const t = studentQuantile(1 - alpha / 2, pairs - 1);
  const shift = (effect * Math.sqrt(pairs)) / deviation;
  // Beyond 9 deviations nothing is left of either tail; with few pairs t is large and the integrand steep.
  const limit = (Math.abs(shift) + 9) / t;
  return overSpread(pairs - 1, limit, (u) => normalBelow(shift - t * u) + normalBelow(-shift - t * u));
}

/** Chance that n pairs show the difference to be within +- `margin` when it truly is `effect`. */
export function equivalencePower(
  pairs: number,
  margin: number,
  { deviation, alpha = 0.05, effect = 0 }: PowerOptions & { readonly effect?: number },
): number {
  check('equivalencePower', pairs, deviation, alpha);
  if (!(margin > 0)) throw new RangeError(`equivalencePower: the margin must be above 0, got ${margin}.`);
  const t = studentQuantile(1 - alpha, pairs - 1);
  const [edge, shift] = [margin, effect].map((value) => (value * Math.sqrt(pairs)) / deviation);
  return overSpread(pairs - 1, edge / t, (u) => normalBelow(edge - t * u - shift) - normalBelow(t * u - edge - shift));
}

/** Smallest number of pairs, from 2, whose power reaches `wanted`; null beyond `most`. Power must rise with the number. */
export function pairsFor(power: (pairs: number) => number, wanted: number, most = 100_000): number | null {
  if (!(wanted > 0 && wanted < 1)) throw new RangeError(`pairsFor: power must lie between 0 and 1, got ${wanted}.`);
  if (power(2) >= wanted) return 2;
  let [low, high] = [2, 4];
  while (power(high) < wanted) {
    if (high >= most) return null;
    [low, high] = [high, Math.min(2 * high, most)];
  }
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (power(middle) >= wanted) high = middle;
    else low = middle;
  }
  return high;
}

const PANELS = 1000;

// E[f(u)] over 0 < u < limit. Beyond 12 deviations of u its density is below 1e-16.
function overSpread(degrees: number, limit: number, f: (u: number) => number): number {
  const reach = 12 / Math.sqrt(2 * degrees);
  const from = Math.max(0, 1 - reach);
  const to = Math.min(limit, 1 + reach);
  if (to <= from) return 0;
  const constant = Math.LN2 + (degrees / 2) * Math.log(degrees / 2) - logGamma(degrees / 2);
  const density = (u: number) => {
    const power = degrees === 1 ? 0 : (degrees - 1) * Math.log(u);
    return Math.exp(constant + power - (degrees * u * u) / 2);
  };
  const step = (to - from) / PANELS;
  let total = 0;
  for (let k = 0; k <= PANELS; k++) {
    const u = from + k * step;
    total += (k === 0 || k === PANELS ? 1 : k % 2 === 1 ? 4 : 2) * density(u) * f(u);
  }
  return (total * step) / 3;
}

function check(what: string, pairs: number, deviation: number, alpha: number): void {
  if (!Number.isInteger(pairs) || pairs < 2) throw new RangeError(`${what}: needs at least 2 pairs, got ${pairs}.`);
  if (!(deviation > 0)) throw new RangeError(`${what}: the deviation must be above 0, got ${deviation}.`);
  if (!(alpha > 0 && alpha < 0.5)) throw new RangeError(`${what}: alpha must lie between 0 and 0.5, got ${alpha}.`);
}

/**
 * From a plan and the estimated difference of two rows to one of four verdicts.
 *
 * The difference is counted in the claimed direction: above 0 is as claimed. x is the smallest effect that matters. Of a claim that one
 * row is larger (or smaller):
 *
 *   no effect larger than x   the interval of level 1 - 2 alpha lies between -x and x (TOST)
 *   holds, contradicted       the interval of level 1 - alpha lies above 0, or below
 *   undecided                 neither; with the number of seeds that would decide if mean and spread stay as they are
 *
 * The first is looked at first: a difference that is certain but too small to matter is no effect. Of a claim that two rows are
 * equal: `holds` is the first line, `contradicted` an interval of level 1 - alpha wholly outside -x to x.
 * A claim of m comparisons holds when all hold, so each is made at alpha / m, which bounds the chance that any is wrong.
 */
import {
  equivalencePower,
  type Interval,
  type MeanEstimate,
  meanInterval,
  pairedTPower,
  pairsFor,
  tost,
} from '../../mtunet/metrics/index.ts';

export interface Plan {
  /** Of the first row's value less the second's. */
  readonly direction: 'higher' | 'lower' | 'equal';
  /** Above 0, in the measure's unit. */
  readonly smallestEffect: number;
  readonly alpha: number;
  /** Chance of a decision that the number of seeds is planned for. */
  readonly power: number;
}

export type Decision = {
  /** Mean difference, first less second, with its interval of level 1 - alpha (after correction for comparisons). */
  readonly effect: number;
  readonly interval: readonly [number, number];
} & (
  | { readonly verdict: 'holds' | 'contradicted' }
  | { readonly verdict: 'no effect larger than x'; readonly x: number }
  /** Null where no number of seeds up to 100,000 would decide: the mean lies at the very bound. */
  | { readonly verdict: 'undecided'; readonly seeds: number | null }
);

/**
 * @param plan alpha is divided by `comparisons`
 * @param difference of the first row's value less the second's, over `seeds` independent seeds
 * @throws RangeError for a plan without meaning or an estimate that is not a number
 */
export function decide(plan: Plan, difference: MeanEstimate, seeds: number, comparisons = 1): Decision {
  check(plan, difference, seeds, comparisons);
  const corrected = { ...plan, alpha: plan.alpha / comparisons };
  const { low, high } = meanInterval(difference, 1 - corrected.alpha);
  const found = { effect: difference.mean, interval: [low, high] as const };
  const verdict = verdictWord(corrected, difference);
  if (verdict === 'undecided') return { ...found, verdict, seeds: seedsToDecide(corrected, difference, seeds) };
  if (verdict === 'no effect larger than x') return { ...found, verdict, x: plan.smallestEffect };
  return { ...found, verdict };
}

/** The verdict alone, of one comparison at the plan's alpha: for simulations, which do not need the number of seeds. */
export function verdictWord(plan: Plan, difference: MeanEstimate): Decision['verdict'] {
  const { alpha, smallestEffect: x, direction } = plan;
  const small = tost(difference, x) <= alpha;
  const around = meanInterval(difference, 1 - alpha);
  if (direction === 'equal') {
    if (small) return 'holds';
    return around.low > x || around.high < -x ? 'contradicted' : 'undecided';
  }
  if (small) return 'no effect larger than x';
  const side = sideOf(around);
  return side === 0 ? 'undecided' : side > 0 === (direction === 'higher') ? 'holds' : 'contradicted';
}

/**
 * Number of pairs to plan for: enough for either answer, a difference of x seen or, where there is none, shown to be below x.
 *
 * @param deviation of the paired differences, from pilot seeds that are not used again
 */
export function plannedSeeds(plan: Plan, deviation: number, comparisons = 1): number | null {
  const alpha = plan.alpha / comparisons;
  const x = plan.smallestEffect;
  const seen = pairsFor((n) => pairedTPower(n, x, { deviation, alpha }), plan.power);
  const excluded = pairsFor((n) => equivalencePower(n, x, { deviation, alpha }), plan.power);
  if (excluded === null) return null;
  return plan.direction === 'equal' ? excluded : seen === null ? null : Math.max(seen, excluded);
}

/**
 * One verdict of a claim's comparisons: all must hold, and one that is refuted refutes the claim. Effect and interval are those of the
 * comparison that settles it: the first refuted one, else the one that needs most seeds, else the first.
 */
export function decideTogether(parts: readonly Decision[]): Decision {
  if (parts.length === 0) throw new RangeError('decideTogether: a claim needs at least one comparison, got none.');
  for (const verdict of ['contradicted', 'no effect larger than x'] as const) {
    const refuted = parts.find((part) => part.verdict === verdict);
    if (refuted) return refuted;
  }
  const open = parts.filter((part) => part.verdict === 'undecided');
  const seedsOf = ({ seeds }: { seeds: number | null }) => seeds ?? Number.POSITIVE_INFINITY;
  return open.length > 0 ? open.reduce((a, b) => (seedsOf(b) > seedsOf(a) ? b : a)) : parts[0];
}

function sideOf({ low, high }: Interval): -1 | 0 | 1 {
  return low > 0 ? 1 : high < 0 ? -1 : 0;
}

// The deviation that independent pairs would need for this standard error.
function seedsToDecide(plan: Plan, { mean, standardError }: MeanEstimate, seeds: number): number | null {
  const deviation = standardError * Math.sqrt(seeds);
  if (deviation === 0) return null;
  const { alpha, power, smallestEffect: x } = plan;
  const size = Math.abs(mean);
  const beyond = plan.direction === 'equal' ? size - x : size;
  const candidates = [
    beyond > 0 ? pairsFor((n) => pairedTPower(n, beyond, { deviation, alpha }), power) : null,
    size < x ? pairsFor((n) => equivalencePower(n, x, { deviation, alpha, effect: size }), power) : null,
  ].filter((n) => n !== null);
  return candidates.length > 0 ? Math.max(seeds + 1, Math.min(...candidates)) : null;
}

function check({ smallestEffect, alpha, power }: Plan, difference: MeanEstimate, seeds: number, comparisons: number) {
  const wrong = (what: string, got: number) => new RangeError(`decide: ${what}, got ${got}.`);
  if (!(smallestEffect > 0 && Number.isFinite(smallestEffect)))
    throw wrong('the smallest effect that matters must be a number above 0', smallestEffect);
  if (!(alpha > 0 && alpha < 0.5)) throw wrong('alpha must lie between 0 and 0.5', alpha);
  if (!(power > 0 && power < 1)) throw wrong('power must lie between 0 and 1', power);
  if (!Number.isInteger(seeds) || seeds < 2) throw wrong('a verdict needs at least 2 seeds', seeds);
  if (!Number.isInteger(comparisons) || comparisons < 1) throw wrong('comparisons must be 1 or more', comparisons);
  if (!Number.isFinite(difference.mean)) throw wrong('the mean difference must be a number', difference.mean);
  if (!(difference.standardError >= 0 && Number.isFinite(difference.standardError)))
    throw wrong('the standard error must be a number from 0', difference.standardError);
}

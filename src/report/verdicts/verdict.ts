/**
 * The words of a verdict, and when each is due.
 *
 * A value beside the paper's (medians m, standard deviations s over trainings, p of the paper, o ours):
 *
 *   not comparable: other data        the films are not the paper's
 *   not comparable: other settings    they are, but the size or the schedule is not
 *   reproduced                        |m_o - m_p| <= s_p, the paper's own spread
 *   within noise                      |m_o - m_p| <= 2 sqrt(s_p^2 + s_o^2)
 *   not reproduced                    beyond
 *
 * An order or effect holds on any data: `holds` and `does not hold` need a difference that the interval of the comparison leaves on its
 * side, all comparisons of one claim together (level 1 - 0.05 / their number); what is between is `within noise`.
 */
import type { Pair } from './pair.ts';

export type ValueVerdict =
  | 'reproduced'
  | 'within noise'
  | 'not reproduced'
  | 'not comparable: other data'
  | 'not comparable: other settings'
  | 'missing';

export type ClaimVerdict = 'holds' | 'within noise' | 'does not hold' | 'undecided: one training' | 'missing';

export interface Spread {
  readonly median: number;
  /** Null with one training. */
  readonly std: number | null;
}

export function valueVerdict(ours: Spread, paper: Spread): ValueVerdict {
  const [p, o] = [paper.std ?? ours.std ?? 0, ours.std ?? paper.std ?? 0];
  const off = Math.abs(ours.median - paper.median);
  if (off <= p) return 'reproduced';
  return off <= 2 * Math.hypot(p, o) ? 'within noise' : 'not reproduced';
}

/** @param sign 1 where the first row is claimed to be larger, -1 smaller */
export function orderVerdict({ difference, interval, decided }: Pair, sign: 1 | -1): ClaimVerdict {
  if (difference === null) return 'missing';
  if (decided === null) return 'undecided: one training';
  if (!decided) return 'within noise';
  return Math.sign(interval?.estimate ?? difference) === sign ? 'holds' : 'does not hold';
}

/** Within `within` of each other: the whole interval, or every seed where there is none. */
export function equalVerdict({ difference, differences, interval, decided }: Pair, within: number): ClaimVerdict {
  if (difference === null) return 'missing';
  if (decided === null) return 'undecided: one training';
  const [low, high] = interval ? [interval.low, interval.high] : [Math.min(...differences), Math.max(...differences)];
  if (low >= -within && high <= within) return 'holds';
  return low > within || high < -within ? 'does not hold' : 'within noise';
}

/** @param seen trainings that show the event, among `of` */
export function eventVerdict(kind: 'present' | 'absent', seen: number, of: number): ClaimVerdict {
  if (of === 0) return 'missing';
  if (of === 1) return 'undecided: one training';
  const most = seen * 2 > of;
  if (kind === 'present') return most ? 'holds' : seen === 0 ? 'does not hold' : 'within noise';
  return seen === 0 ? 'holds' : most ? 'does not hold' : 'within noise';
}

/** Of a claim with several parts: all must hold, and one that does not refutes it. */
export function together(parts: readonly ClaimVerdict[]): ClaimVerdict {
  for (const verdict of ['does not hold', 'undecided: one training', 'missing', 'within noise'] as const)
    if (parts.includes(verdict)) return verdict;
  return parts.length > 0 ? 'holds' : 'missing';
}

/**
 * Holm's step-down correction: adjusted p values that keep the chance of any false finding among m tests at the level they are held to.
 *
 *   p~_(k) = max over j <= k of min(1, (m - j + 1) p_(j)),  p_(1) <= ... <= p_(m)
 *
 * A NaN is a test that could not be made; it stays NaN and does not count in m. Source: Holm 1979, Scand. J. Statist. 6, 65-70.
 */
import type { Values } from './probability.ts';

export function holm(ps: Values): number[] {
  const order = Array.from(ps, (p, i) => ({ p, i })).filter(({ p }) => !Number.isNaN(p));
  order.sort((a, b) => a.p - b.p);
  const adjusted = new Array<number>(ps.length).fill(Number.NaN);
  let running = 0;
  order.forEach(({ p, i }, rank) => {
    running = Math.max(running, Math.min(1, (order.length - rank) * p));
    adjusted[i] = running;
  });
  return adjusted;
}

/**
 * Which part of somebody's file speaks of a network: the prefix that wrappers have put before every name (`module.`, `model.`, `net.`), and of
 * several dicts of tensors the one whose names fit.
 */
import type { Choice } from '../engine/index.ts';
import type { NetworkName } from './networks.ts';
import { WeightFitError } from './weight-fit-error.ts';
import { canonicalName } from './weight-names.ts';

/** How many of the network's tensors the names stand for. */
function matches(network: NetworkName, wanted: ReadonlySet<string>, names: readonly string[], prefix: string): number {
  const found = new Set<string>();
  for (const published of names) {
    if (!published.startsWith(prefix)) continue;
    const bare = published.slice(prefix.length);
    const own = wanted.has(bare) ? bare : canonicalName(network, bare);
    if (wanted.has(own)) found.add(own);
  }
  return found.size;
}

/** A prefix is believed when at least so large a part of the network stands behind it. */
const BELIEVED = 0.5;

/** Beginnings that end with a dot and stand before at least `least` names, the shortest first. */
function beginnings(names: readonly string[], least: number): string[] {
  const counts = new Map<string, number>();
  for (const name of names)
    for (let at = name.indexOf('.'); at >= 0; at = name.indexOf('.', at + 1)) {
      const prefix = name.slice(0, at + 1);
      counts.set(prefix, (counts.get(prefix) ?? 0) + 1);
    }
  const large = [...counts].filter(([, count]) => count >= least).map(([prefix]) => prefix);
  return large.sort((a, b) => a.length - b.length || (a < b ? -1 : 1));
}

/** @throws WeightFitError where two prefixes fit equally well: two networks lie in the file */
export function commonPrefix(network: NetworkName, wanted: ReadonlySet<string>, names: readonly string[]): string {
  const plain = matches(network, wanted, names, '');
  const rows = beginnings(names, BELIEVED * wanted.size)
    .map((prefix) => ({ prefix, count: matches(network, wanted, names, prefix) }))
    .filter(({ count }) => count > plain && count >= BELIEVED * wanted.size);
  const most = Math.max(...rows.map(({ count }) => count));
  const best = rows.filter(({ count }) => count === most).map(({ prefix }) => prefix);
  const longest = best.at(-1);
  if (longest === undefined) return '';
  const other = best.find((prefix) => !longest.startsWith(prefix));
  if (other !== undefined)
    throw new WeightFitError(
      `The names behind "${other}" and behind "${longest}" fit equally well, so the file holds two networks: keep one of them.`,
    );
  return longest;
}

/** Takes the dict whose names stand for the most tensors of the network; of equals the first that is no running mean of another. */
export const fittingDict =
  (network: NetworkName, wanted: ReadonlySet<string>): Choice =>
  (dicts) => {
    const counts = dicts.map(({ names }) => bestCount(network, wanted, names));
    const most = Math.max(...counts);
    const best = dicts.filter((_, i) => counts[i] === most);
    return most === 0 ? null : (best.find(({ key }) => !AVERAGED.test(key)) ?? best[0]);
  };

/** How people call the entry of a running mean. */
const AVERAGED = /(^|[._])(ema|swa|averaged?|teacher)([._]|$)/i;

function bestCount(network: NetworkName, wanted: ReadonlySet<string>, names: readonly string[]): number {
  const counts = ['', ...beginnings(names, BELIEVED * wanted.size)].map((prefix) =>
    matches(network, wanted, names, prefix),
  );
  return Math.max(...counts);
}

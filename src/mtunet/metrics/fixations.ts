/**
 * Metrics for data sets that keep the fixations themselves, not only their blurred map.
 *
 *   NSS       mean over fixations of (s - mean s) / std s                        (population deviation over pixels)
 *   AUC-Judd  thresholds at the fixated pixels' values: true positives = share of fixations at or above, false positives = share of the
 *             other pixels at or above; trapezoids from (0, 0) to (1, 1)
 *   IG        mean over fixations of log2 p - log2 b, in bits: p the prediction, b a baseline such as the centre bias
 *
 * Maps are H W, row-major; a fixation is a pixel index. The paper leaves these out because of its tracker's accuracy.
 * Source: Bylinskii et al. 2019, IEEE TPAMI 41, 740-757; Judd et al. 2009; Kuemmerer et al. 2015, PNAS 112, 16054-16059.
 */
import { normalize, type Values } from './probability.ts';
import { mean } from './summary.ts';

/** NaN without fixations, and for a constant map. */
export function nss(map: Values, fixations: Values): number {
  checkFixations('nss', map, fixations);
  const center = mean(map);
  let squares = 0;
  for (let i = 0; i < map.length; i++) squares += (map[i] - center) ** 2;
  const deviation = Math.sqrt(squares / map.length);
  return deviation === 0 ? Number.NaN : mean(Array.from(fixations, (i) => (map[i] - center) / deviation));
}

/** A pixel that was fixated twice counts once, as in the MIT benchmark's fixation maps; NaN without fixations or without other pixels. */
export function aucJudd(map: Values, fixations: Values): number {
  checkFixations('aucJudd', map, fixations);
  const fixated = [...new Set(Array.from(fixations))];
  const others = map.length - fixated.length;
  if (fixated.length === 0 || others === 0) return Number.NaN;
  const values = fixated.map((i) => map[i]).sort((a, b) => b - a);
  const all = Float64Array.from(map).sort();
  const atOrAbove = (value: number) => {
    let [low, high] = [0, all.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (all[middle] < value) low = middle + 1;
      else high = middle;
    }
    return all.length - low;
  };
  let [area, x, y] = [0, 0, 0];
  const line = (nextX: number, nextY: number) => {
    area += ((nextX - x) * (nextY + y)) / 2;
    [x, y] = [nextX, nextY];
  };
  values.forEach((value, k) => {
    if (values[k + 1] === value) return; // the whole group of equal values passes a threshold together
    line((atOrAbove(value) - (k + 1)) / others, (k + 1) / values.length);
  });
  line(1, 1);
  return area;
}

/** Bits per fixation that the prediction knows beyond the baseline; both maps are densities of any scale. */
export function informationGain(prediction: Values, baseline: Values, fixations: Values): number {
  checkFixations('informationGain', prediction, fixations);
  if (prediction.length !== baseline.length)
    throw new RangeError(
      `informationGain: the prediction has ${prediction.length} pixels and the baseline ${baseline.length}; give maps of one size.`,
    );
  const [p, b] = [normalize(prediction), normalize(baseline)];
  return mean(Array.from(fixations, (i) => Math.log2(p[i]) - Math.log2(b[i])));
}

function checkFixations(what: string, map: Values, fixations: Values): void {
  for (let k = 0; k < fixations.length; k++)
    if (!Number.isInteger(fixations[k]) || fixations[k] < 0 || fixations[k] >= map.length)
      throw new RangeError(
        `${what}: fixation ${k} is at pixel ${fixations[k]}, but the map has pixels 0 to ${map.length - 1}.`,
      );
}

/**
 * The same three metrics as two public benchmarks define them, to compare with numbers published elsewhere.
 * Inputs are un-normalised densities, H W values each.
 *
 *   KLD         sum q ln(eps + q / (p + eps))    eps = 2^-52 (MIT code_forMetrics), 2.2204e-16 (pysaliency)
 *   CC          Pearson; pysaliency answers 0 for a constant prediction but NaN for a constant target
 *   similarity  sum min(p, q)                    MIT first rescales both maps to [0, 1] by their minimum and maximum
 *
 * eps bounds KLD at 36.04 nats and lets it fall to about -1e-14. A zero map stays zero for MIT, and is uniform for
 * pysaliency.
 */
import { isConstant, pcc } from './pcc.ts';
import { checkSameLength, normalize, sum, type Values } from './probability.ts';

const MIT_EPSILON = 2 ** -52;
const PYSALIENCY_EPSILON = 2.2204e-16;

/** KLD as in the MIT benchmark's KLdiv.m. */
export function mitKld(prediction: Values, target: Values): number {
  checkSameLength('mitKld', prediction, target);
  return regularizedKld(mitDensity(prediction), mitDensity(target), MIT_EPSILON);
}

/** KLD as in pysaliency's MIT_KLDiv. */
export function pysaliencyKld(prediction: Values, target: Values): number {
  checkSameLength('pysaliencyKld', prediction, target);
  return regularizedKld(pysaliencyDensity(prediction), pysaliencyDensity(target), PYSALIENCY_EPSILON);
}

/** CC as in pysaliency: not symmetric, because a constant prediction scores 0 and a constant target NaN. */
export function pysaliencyCc(prediction: Values, target: Values): number {
  checkSameLength('pysaliencyCc', prediction, target);
  return isConstant(prediction) && !isConstant(target) ? 0 : pcc(prediction, target);
}

/** Similarity as in the MIT benchmark's similarity.m; NaN for a constant map, 0 against an all-zero one. */
export function mitSimilarity(prediction: Values, target: Values): number {
  checkSameLength('mitSimilarity', prediction, target);
  return intersection(minMaxDensity(prediction), minMaxDensity(target));
}

/** Similarity as in pysaliency's SIM. */
export function pysaliencySimilarity(prediction: Values, target: Values): number {
  checkSameLength('pysaliencySimilarity', prediction, target);
  return intersection(pysaliencyDensity(prediction), pysaliencyDensity(target));
}

function regularizedKld(p: Float64Array, q: Float64Array, epsilon: number): number {
  let total = 0;
  for (let i = 0; i < q.length; i++) total += q[i] * Math.log(epsilon + q[i] / (p[i] + epsilon));
  return total;
}

function intersection(p: Float64Array, q: Float64Array): number {
  let total = 0;
  for (let i = 0; i < q.length; i++) total += Math.min(p[i], q[i]);
  return total;
}

function isZero(map: Values): boolean {
  return isConstant(map) && map[0] === 0;
}

function minimum(map: Values): number {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < map.length; i++) least = Math.min(least, map[i]);
  return least;
}

function mitDensity(map: Values): Float64Array {
  return isZero(map) ? Float64Array.from(map) : normalize(map);
}

function pysaliencyDensity(map: Values): Float64Array {
  const least = minimum(map);
  const density = least < 0 ? Float64Array.from(map, (value) => value - least) : map;
  return sum(density) === 0 ? new Float64Array(map.length).fill(1 / map.length) : normalize(density);
}

function minMaxDensity(map: Values): Float64Array {
  if (isZero(map)) return Float64Array.from(map);
  // A constant map becomes 0 / 0 = NaN here, as in similarity.m.
  const least = minimum(map);
  return normalize(Float64Array.from(map, (value) => value - least));
}

/**
 * exp, log, sin and cos that give the same bits on every JavaScript engine.
 *
 * The language fixes + - * / and Math.sqrt to the last bit but leaves Math.exp and its kin to the engine, so data made
 * with them may differ between browsers. These use exact operations only: a range reduction (the two-part constants of
 * fdlibm's e_exp.c and k_rem_pio2.c) and a Taylor polynomial long enough for about 1e-15 relative error.
 */

const LN2_HIGH = 6.931471803691238e-1;
const LN2_LOW = 1.9082149292705877e-10;
const HALF_PI_HIGH = 1.5707963267341256;
const HALF_PI_LOW = 6.077100506506192e-11;
const TWO_TO_30 = 1073741824;

/** 1/0!, 1/1!, ... 1/16! */
const INVERSE_FACTORIALS = [1];
for (let n = 1; n <= 16; n++) INVERSE_FACTORIALS.push(INVERSE_FACTORIALS[n - 1] / n);

/** value * 2^power by exact steps. */
function scaleByPowerOfTwo(value: number, power: number): number {
  let scaled = value;
  let left = power;
  for (; left >= 30; left -= 30) scaled *= TWO_TO_30;
  for (; left <= -30; left += 30) scaled /= TWO_TO_30;
  return left >= 0 ? scaled * (1 << left) : scaled / (1 << -left);
}

/** e^x. */
export function exp(x: number): number {
  if (Number.isNaN(x)) return x;
  if (x > 709.78) return Number.POSITIVE_INFINITY;
  if (x < -745.2) return 0;
  const power = Math.floor(x / Math.LN2 + 0.5);
  const rest = x - power * LN2_HIGH - power * LN2_LOW; // |rest| <= ln(2) / 2
  let sum = INVERSE_FACTORIALS[14];
  for (let n = 13; n >= 0; n--) sum = sum * rest + INVERSE_FACTORIALS[n];
  return scaleByPowerOfTwo(sum, power);
}

/** Natural logarithm: x = 2^power m with m in [sqrt(1/2), sqrt(2)], ln m = 2 artanh((m - 1) / (m + 1)). */
export function log(x: number): number {
  if (Number.isNaN(x) || x < 0) return Number.NaN;
  if (x === 0) return Number.NEGATIVE_INFINITY;
  if (x === Number.POSITIVE_INFINITY) return x;
  let mantissa = x;
  let power = 0;
  for (; mantissa >= TWO_TO_30; power += 30) mantissa /= TWO_TO_30;
  for (; mantissa < 1 / TWO_TO_30; power -= 30) mantissa *= TWO_TO_30;
  for (; mantissa > Math.SQRT2; power++) mantissa /= 2;
  for (; mantissa < Math.SQRT1_2; power--) mantissa *= 2;
  const s = (mantissa - 1) / (mantissa + 1); // |s| <= 0.172
  const square = s * s;
  let sum = 0;
  for (let n = 23; n >= 1; n -= 2) sum = sum * square + 1 / n;
  return power * LN2_HIGH + (2 * s * sum + power * LN2_LOW);
}

/** x^y for x >= 0. */
export function power(x: number, y: number): number {
  if (y === 0) return 1;
  return x === 0 ? (y > 0 ? 0 : Number.POSITIVE_INFINITY) : exp(y * log(x));
}

function sineSeries(r: number): number {
  const square = r * r;
  let sum = 0;
  for (let n = 15; n >= 1; n -= 2) sum = INVERSE_FACTORIALS[n] - square * sum;
  return r * sum;
}

function cosineSeries(r: number): number {
  const square = r * r;
  let sum = 0;
  for (let n = 16; n >= 0; n -= 2) sum = INVERSE_FACTORIALS[n] - square * sum;
  return sum;
}

/** sin(x + quarters * pi / 2), for |x| up to about a million. */
function sineOfQuarter(x: number, quarters: number): number {
  const turns = Math.floor(x / (Math.PI / 2) + 0.5);
  const rest = x - turns * HALF_PI_HIGH - turns * HALF_PI_LOW; // |rest| <= pi / 4
  const quadrant = (((turns + quarters) % 4) + 4) % 4;
  const value = quadrant % 2 === 0 ? sineSeries(rest) : cosineSeries(rest);
  return quadrant < 2 ? value : -value;
}

/** sin(x), x in radians, |x| up to about a million. */
export function sin(x: number): number {
  return sineOfQuarter(x, 0);
}

/** cos(x), x in radians, |x| up to about a million. */
export function cos(x: number): number {
  return sineOfQuarter(x, 1);
}

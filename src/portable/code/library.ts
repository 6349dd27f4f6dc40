/**
 * Functions that WebAssembly lacks, in WGSL: they are compiled with the module. Polynomials after Cephes (S. Moshier), in float32 with two
 * roundings for every product and sum, at most 2 ulp from the exact value; NaN, infinities and subnormal numbers as in IEEE 754.
 */
export const LIBRARY = `
fn portable_scale(x : f32, n : i32) -> f32 {
  let half = n >> 1u;
  return x * bitcast<f32>((half + 127) << 23u) * bitcast<f32>((n - half + 127) << 23u);
}

fn portable_exp(x : f32) -> f32 {
  let y = min(max(x, -104.5), 89.5);
  let n = floor(y * 1.44269504088896341f + 0.5);
  let r = (y - n * 0.693359375f) - n * -2.12194440e-4f;
  var p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  return select(portable_scale((p * (r * r) + r) + 1.0, i32(n)), x, x != x);
}

fn portable_log(x : f32) -> f32 {
  let isSmall = x < 1.17549435e-38f;
  let bits = bitcast<i32>(select(x, x * 8388608.0, isSmall));
  var e = f32((bits >> 23u) - 126) - select(0.0, 23.0, isSmall);
  var m = bitcast<f32>((bits & 0x7fffff) | 0x3f000000);
  let isLow = m < 0.707106781186547524f;
  e -= select(0.0, 1.0, isLow);
  m = select(m, m + m, isLow) - 1.0;
  let z = m * m;
  var p = 7.0376836292e-2f;
  p = p * m - 1.1514610310e-1f;
  p = p * m + 1.1676998740e-1f;
  p = p * m - 1.2420140846e-1f;
  p = p * m + 1.4249322787e-1f;
  p = p * m - 1.6668057665e-1f;
  p = p * m + 2.0000714765e-1f;
  p = p * m - 2.4999993993e-1f;
  p = p * m + 3.3333331174e-1f;
  let y = p * m * z + e * -2.12194440e-4f - 0.5 * z;
  let result = (m + y) + e * 0.693359375f;
  let infinity = bitcast<f32>(0x7f800000u);
  let special = select(select(bitcast<f32>(0x7fc00000u), -infinity, x == 0.0), x, x == infinity || x != x);
  return select(special, result, x > 0.0 && x < infinity);
}

fn portable_quantize(x : f32) -> f32 {
  let bits = bitcast<u32>(x);
  let sign = bits & 0x80000000u;
  let magnitude = bits & 0x7fffffffu;
  let small = bitcast<u32>((bitcast<f32>(magnitude) + 0.5) - 0.5);
  let normal = (magnitude + 0xfffu + ((magnitude >> 13u) & 1u)) & 0xffffe000u;
  let rounded = select(select(normal, 0x7f800000u, normal >= 0x47800000u), small, magnitude < 0x38800000u);
  return bitcast<f32>(sign | select(rounded, magnitude, magnitude > 0x7f800000u));
}
`;

/** WGSL's name, and what computes it here. */
export const IN_LIBRARY: Readonly<Record<string, string>> = {
  exp: 'portable_exp',
  log: 'portable_log',
  quantizeToF16: 'portable_quantize',
};

// Random numbers as a function of a key and an index: Philox4x32-10, bit for bit as src/engine/random.ts.
//
//   philox(counter, key): ten rounds of
//     x0, x1, x2, x3 <- hi(B x2) ^ x1 ^ k0, lo(B x2), hi(A x0) ^ x3 ^ k1, lo(A x0);   key += (W0, W1)
//   element i of stream s takes word i % 4 of philox(vec4u(i / 4, 0, s, 0), key)
//
// Source: Salmon, Moraes, Dror & Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3" (SC11).

const PHILOX_A = 0xd2511f53u;
const PHILOX_B = 0xcd9e8d57u;
const PHILOX_WEYL = vec2u(0x9e3779b9u, 0xbb67ae85u); // golden ratio, sqrt 3 - 1

// Upper 32 bits of a 32 x 32 bit product; WGSL has no 64-bit integers.
fn multiply_high(a: u32, b: u32) -> u32 {
  let a_low = a & 0xffffu;
  let a_high = a >> 16u;
  let b_low = b & 0xffffu;
  let b_high = b >> 16u;
  let low = a_low * b_low;
  let middle = a_high * b_low + (low >> 16u);
  let other = a_low * b_high + (middle & 0xffffu);
  return a_high * b_high + (middle >> 16u) + (other >> 16u);
}

fn philox(counter: vec4u, key: vec2u) -> vec4u {
  var x = counter;
  var k = key;
  for (var round = 0u; round < 10u; round++) {
    x = vec4u(
      multiply_high(PHILOX_B, x.z) ^ x.y ^ k.x,
      PHILOX_B * x.z,
      multiply_high(PHILOX_A, x.x) ^ x.w ^ k.y,
      PHILOX_A * x.x,
    );
    k += PHILOX_WEYL;
  }
  return x;
}

// uint32At(key, index, stream) of random.ts, for indices below 2^32.
fn random_u32(key: vec2u, index: u32, stream: u32) -> u32 {
  return philox(vec4u(index >> 2u, 0u, stream, 0u), key)[index & 3u];
}

// 32 bits -> a number in [0, 1), from the upper 24 of them: float32 holds every value exactly.
fn uniform01(bits: u32) -> f32 {
  return f32(bits >> 8u) * 0x1p-24f;
}

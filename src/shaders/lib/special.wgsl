// NaN and infinity as IEEE 754 and PyTorch have them. WGSL lets an implementation assume that neither occurs, and give any value for the
// exponential or logarithm of one (SwiftShader: exp(NaN) = infinity, log(0) = -88); bit patterns are the same everywhere.

fn isNan(x : f32) -> bool {
  return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u;
}

fn isFinite(x : f32) -> bool {
  return (bitcast<u32>(x) & 0x7f800000u) != 0x7f800000u;
}

// A NaN, whatever x is; no constant, which WGSL would refuse.
fn nanOf(x : f32) -> f32 {
  return bitcast<f32>(bitcast<u32>(x) | 0x7fc00000u);
}

// The larger and the smaller of two; NaN where one of them is.
fn maxOf(a : f32, b : f32) -> f32 {
  return select(max(a, b), nanOf(a), isNan(a) || isNan(b));
}

fn minOf(a : f32, b : f32) -> f32 {
  return select(min(a, b), nanOf(a), isNan(a) || isNan(b));
}

fn expOf(x : f32) -> f32 {
  return select(exp(x), x, isNan(x));
}

// -infinity of 0, infinity of infinity, NaN of what is below 0.
fn logOf(x : f32) -> f32 {
  let bits = bitcast<u32>(x);
  if ((bits & 0x7fffffffu) == 0u) {
    return bitcast<f32>(bits | 0xff800000u);
  }
  if (bits >= 0x7f800000u) { // infinity, any NaN, and with the sign bit set everything below 0
    return select(nanOf(x), x, bits == 0x7f800000u);
  }
  return log(x);
}

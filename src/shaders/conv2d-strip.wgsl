// 3 x 3 convolutions of stride 1 for processors whose loads are dear and whose arithmetic is cheap (software adapters): each thread
// computes a strip of 8 pixels for 8 output channels (or of 8 x 2 pixels for 4), and every number that the whole subgroup needs is
// loaded once.
//
// ops/conv2d-kernels.ts appends  fn spread(...) -> Eight  for subgroups of 8 or 4 lanes, or for none:
//   spread(lane, base) and spreadColumns(lane, row, first): eight numbers known to all lanes, each lane having loaded its share.

struct Shape {
  N : u32, C : u32, H : u32, W : u32, // input
  O : u32, P : u32, Q : u32, // output
  padH : u32, padW : u32,
  tiles : u32, // groups of eight output channels
  strips : u32, // strips to a row
  hasBias : u32,
  slices : u32,
  flipped : u32, // pack: the weight of the convolution that is an input gradient
  tall : u32, // four output channels or fewer: a thread computes two rows of them instead of eight channels of one row
  rows : u32, // input rows that a strip reads: 3, or 4 when tall
}

@group(0) @binding(0) var<uniform> shape : Shape;
@group(0) @binding(1) var<storage, read> input : array<f32>; // N C H W
@group(0) @binding(2) var<storage, read> weight : array<f32>; // pack: O C 3 3, or C O 3 3 when flipped
@group(0) @binding(3) var<storage, read_write> packed : array<f32>; // C rows tiles 3 8: c r tile s o, zero beyond O
@group(0) @binding(4) var<storage, read> bias : array<f32>;
@group(0) @binding(5) var<storage, read_write> output : array<f32>; // N O P Q
@group(0) @binding(6) var<storage, read> gradient : array<f32>; // N O P Q
@group(0) @binding(7) var<storage, read_write> partial : array<f32>; // O C 3 3 slices
@group(0) @binding(8) var<storage, read> slab : array<f32>; // packed, for reading
@group(0) @binding(9) var<storage, read_write> biasPartial : array<f32>; // O slices: sums of the gradient

struct Eight {
  low : vec4f,
  high : vec4f,
}

@compute @workgroup_size(64)
fn pack(@builtin(global_invocation_id) id : vec3u) {
  let i = id.x + id.y * 65535u * 64u;
  if (i >= shape.C * shape.rows * shape.tiles * 24u) {
    return;
  }
  let lane = i % 8u;
  let s = (i / 8u) % 3u;
  let tile = (i / 24u) % shape.tiles;
  let c = i / (24u * shape.tiles * shape.rows);
  var r = (i / (24u * shape.tiles)) % shape.rows;
  var o = tile * 8u + lane;
  if (shape.tall == 1u && lane >= 4u) { // the second output row sees input row r through the taps of row r - 1
    o = lane - 4u;
    r = r - 1u; // beyond the last for r = 0
  }
  var value = 0.0;
  if (o < shape.O && r < 3u && (shape.tall == 0u || lane % 4u < shape.O)) {
    let straight = (o * shape.C + c) * 9u + r * 3u + s;
    let turned = (c * shape.O + o) * 9u + (2u - r) * 3u + (2u - s);
    value = weight[select(straight, turned, shape.flipped == 1u)];
  }
  packed[i] = value;
}

// x: strips of all rows of all images, a subgroup of them to a workgroup; y: tiles
@compute @workgroup_size(LANES)
fn forward(@builtin(workgroup_id) group : vec3u, @builtin(subgroup_invocation_id) lane : u32) {
  let strip = group.x * LANES + lane;
  let bands = select(shape.P, (shape.P + 1u) / 2u, shape.tall == 1u); // rows, or pairs of them
  let last = shape.N * bands * shape.strips - 1u;
  let band = min(strip, last) / shape.strips;
  let n = band / bands;
  let p = (band % bands) * select(1u, 2u, shape.tall == 1u);
  let first = i32(min(strip, last) % shape.strips) * 8; // q of the strip's first pixel
  let W = i32(shape.W);
  let left = first - i32(shape.padW);

  // Columns and whether they lie on the image
  let c0 = u32(clamp(left, 0, W - 1)); let m0 = select(0.0, 1.0, left >= 0 && left < W);
  let c1 = u32(clamp(left + 1, 0, W - 1)); let m1 = select(0.0, 1.0, left + 1 >= 0 && left + 1 < W);
  let c2 = u32(clamp(left + 2, 0, W - 1)); let m2 = select(0.0, 1.0, left + 2 >= 0 && left + 2 < W);
  let c3 = u32(clamp(left + 3, 0, W - 1)); let m3 = select(0.0, 1.0, left + 3 >= 0 && left + 3 < W);
  let c4 = u32(clamp(left + 4, 0, W - 1)); let m4 = select(0.0, 1.0, left + 4 >= 0 && left + 4 < W);
  let c5 = u32(clamp(left + 5, 0, W - 1)); let m5 = select(0.0, 1.0, left + 5 >= 0 && left + 5 < W);
  let c6 = u32(clamp(left + 6, 0, W - 1)); let m6 = select(0.0, 1.0, left + 6 >= 0 && left + 6 < W);
  let c7 = u32(clamp(left + 7, 0, W - 1)); let m7 = select(0.0, 1.0, left + 7 >= 0 && left + 7 < W);
  let c8 = u32(clamp(left + 8, 0, W - 1)); let m8 = select(0.0, 1.0, left + 8 >= 0 && left + 8 < W);
  let c9 = u32(clamp(left + 9, 0, W - 1)); let m9 = select(0.0, 1.0, left + 9 >= 0 && left + 9 < W);

  // low: output channels 0 to 3 of the tile, high: 4 to 7, or 0 to 3 of the next row when tall; one pair a pixel
  var low0 = vec4f(); var low1 = vec4f(); var low2 = vec4f(); var low3 = vec4f();
  var low4 = vec4f(); var low5 = vec4f(); var low6 = vec4f(); var low7 = vec4f();
  var high0 = vec4f(); var high1 = vec4f(); var high2 = vec4f(); var high3 = vec4f();
  var high4 = vec4f(); var high5 = vec4f(); var high6 = vec4f(); var high7 = vec4f();

  for (var c = 0u; c < shape.C; c++) {
    for (var r = 0u; r < shape.rows; r++) {
      let h = i32(p + r) - i32(shape.padH);
      let inside = select(0.0, 1.0, h >= 0 && h < i32(shape.H));
      let row = ((n * shape.C + c) * shape.H + u32(clamp(h, 0, i32(shape.H) - 1))) * shape.W;
      let x0 = input[row + c0] * (inside * m0);
      let x1 = input[row + c1] * (inside * m1);
      let x2 = input[row + c2] * (inside * m2);
      let x3 = input[row + c3] * (inside * m3);
      let x4 = input[row + c4] * (inside * m4);
      let x5 = input[row + c5] * (inside * m5);
      let x6 = input[row + c6] * (inside * m6);
      let x7 = input[row + c7] * (inside * m7);
      let x8 = input[row + c8] * (inside * m8);
      let x9 = input[row + c9] * (inside * m9);
      let taps = ((c * shape.rows + r) * shape.tiles + group.y) * 24u;

      let k0 = spread(lane, taps);
      low0 = fma(vec4f(x0), k0.low, low0); high0 = fma(vec4f(x0), k0.high, high0);
      low1 = fma(vec4f(x1), k0.low, low1); high1 = fma(vec4f(x1), k0.high, high1);
      low2 = fma(vec4f(x2), k0.low, low2); high2 = fma(vec4f(x2), k0.high, high2);
      low3 = fma(vec4f(x3), k0.low, low3); high3 = fma(vec4f(x3), k0.high, high3);
      low4 = fma(vec4f(x4), k0.low, low4); high4 = fma(vec4f(x4), k0.high, high4);
      low5 = fma(vec4f(x5), k0.low, low5); high5 = fma(vec4f(x5), k0.high, high5);
      low6 = fma(vec4f(x6), k0.low, low6); high6 = fma(vec4f(x6), k0.high, high6);
      low7 = fma(vec4f(x7), k0.low, low7); high7 = fma(vec4f(x7), k0.high, high7);

      let k1 = spread(lane, taps + 8u);
      low0 = fma(vec4f(x1), k1.low, low0); high0 = fma(vec4f(x1), k1.high, high0);
      low1 = fma(vec4f(x2), k1.low, low1); high1 = fma(vec4f(x2), k1.high, high1);
      low2 = fma(vec4f(x3), k1.low, low2); high2 = fma(vec4f(x3), k1.high, high2);
      low3 = fma(vec4f(x4), k1.low, low3); high3 = fma(vec4f(x4), k1.high, high3);
      low4 = fma(vec4f(x5), k1.low, low4); high4 = fma(vec4f(x5), k1.high, high4);
      low5 = fma(vec4f(x6), k1.low, low5); high5 = fma(vec4f(x6), k1.high, high5);
      low6 = fma(vec4f(x7), k1.low, low6); high6 = fma(vec4f(x7), k1.high, high6);
      low7 = fma(vec4f(x8), k1.low, low7); high7 = fma(vec4f(x8), k1.high, high7);

      let k2 = spread(lane, taps + 16u);
      low0 = fma(vec4f(x2), k2.low, low0); high0 = fma(vec4f(x2), k2.high, high0);
      low1 = fma(vec4f(x3), k2.low, low1); high1 = fma(vec4f(x3), k2.high, high1);
      low2 = fma(vec4f(x4), k2.low, low2); high2 = fma(vec4f(x4), k2.high, high2);
      low3 = fma(vec4f(x5), k2.low, low3); high3 = fma(vec4f(x5), k2.high, high3);
      low4 = fma(vec4f(x6), k2.low, low4); high4 = fma(vec4f(x6), k2.high, high4);
      low5 = fma(vec4f(x7), k2.low, low5); high5 = fma(vec4f(x7), k2.high, high5);
      low6 = fma(vec4f(x8), k2.low, low6); high6 = fma(vec4f(x8), k2.high, high6);
      low7 = fma(vec4f(x9), k2.low, low7); high7 = fma(vec4f(x9), k2.high, high7);
    }
  }

  if (strip > last) {
    return;
  }
  let o = group.y * 8u;
  let place = Place((n * shape.O + o) * shape.P * shape.Q + p * shape.Q + u32(first), p, u32(first), o);
  store(place, 0u, low0, high0);
  store(place, 1u, low1, high1);
  store(place, 2u, low2, high2);
  store(place, 3u, low3, high3);
  store(place, 4u, low4, high4);
  store(place, 5u, low5, high5);
  store(place, 6u, low6, high6);
  store(place, 7u, low7, high7);
}

struct Place {
  at : u32, // of the first pixel and channel in the output
  p : u32,
  q : u32,
  o : u32,
}

fn store(place : Place, pixel : u32, low : vec4f, high : vec4f) {
  if (place.q + pixel < shape.Q) {
    storeOne(place, pixel, 0u, low.x);
    storeOne(place, pixel, 1u, low.y);
    storeOne(place, pixel, 2u, low.z);
    storeOne(place, pixel, 3u, low.w);
    if (shape.tall == 1u) {
      if (place.p + 1u < shape.P) {
        storeOne(place, pixel + shape.Q, 0u, high.x);
        storeOne(place, pixel + shape.Q, 1u, high.y);
        storeOne(place, pixel + shape.Q, 2u, high.z);
        storeOne(place, pixel + shape.Q, 3u, high.w);
      }
    } else if (place.o + 4u < shape.O) {
      storeOne(place, pixel, 4u, high.x);
      storeOne(place, pixel, 5u, high.y);
      storeOne(place, pixel, 6u, high.z);
      storeOne(place, pixel, 7u, high.w);
    }
  }
}

fn storeOne(place : Place, pixel : u32, channel : u32, value : f32) {
  let o = place.o + channel;
  if (o < shape.O) {
    let offset = select(0.0, bias[min(o, shape.O - 1u)], shape.hasBias == 1u);
    output[place.at + channel * shape.P * shape.Q + pixel] = value + offset;
  }
}

// The gradient of six pixels, added to a row of three taps.
fn taps(before : vec3f, low : vec4f, high : vec2f, x : Eight) -> vec3f {
  var total = fma(vec3f(low.x), x.low.xyz, before);
  total = fma(vec3f(low.y), x.low.yzw, total);
  total = fma(vec3f(low.z), vec3f(x.low.zw, x.high.x), total);
  total = fma(vec3f(low.w), vec3f(x.low.w, x.high.xy), total);
  total = fma(vec3f(high.x), x.high.xyz, total);
  return fma(vec3f(high.y), x.high.yzw, total);
}

fn writeTaps(o : u32, c : u32, r : u32, slice : u32, value : vec3f) {
  let at = ((o * shape.C + c) * 9u + r * 3u) * shape.slices + slice;
  partial[at] = value.x;
  partial[at + shape.slices] = value.y;
  partial[at + 2u * shape.slices] = value.z;
}

// Each lane keeps one output channel and four input channels; a subgroup walks over strips of six pixels, slice by slice.
// x: slices, each a workgroup of LANES threads, y: groups of LANES output channels, z: groups of four input channels
@compute @workgroup_size(LANES)
fn gradWeight(
  @builtin(workgroup_id) group : vec3u,
  @builtin(subgroup_invocation_id) lane : u32,
) {
  let o = min(group.y * LANES + lane, shape.O - 1u);
  let c = group.z * 4u;
  var a0 = vec3f(); var a1 = vec3f(); var a2 = vec3f();
  var b0 = vec3f(); var b1 = vec3f(); var b2 = vec3f();
  var d0 = vec3f(); var d1 = vec3f(); var d2 = vec3f();
  var e0 = vec3f(); var e1 = vec3f(); var e2 = vec3f();
  var offset = 0.0;
  let Q = i32(shape.Q);
  let plane = shape.H * shape.W;
  let count = shape.N * shape.P * shape.strips;
  let perSlice = (count + shape.slices - 1u) / shape.slices;
  let end = min(count, (group.x + 1u) * perSlice);
  for (var i = group.x * perSlice; i < end; i++) {
    let q = i32(i % shape.strips) * 6;
    let p = (i / shape.strips) % shape.P;
    let n = i / (shape.strips * shape.P);
    let row = ((n * shape.O + o) * shape.P + p) * shape.Q;
    let low = vec4f(
      gradient[row + u32(min(q, Q - 1))],
      gradient[row + u32(min(q + 1, Q - 1))] * select(0.0, 1.0, q + 1 < Q),
      gradient[row + u32(min(q + 2, Q - 1))] * select(0.0, 1.0, q + 2 < Q),
      gradient[row + u32(min(q + 3, Q - 1))] * select(0.0, 1.0, q + 3 < Q),
    );
    let high = vec2f(
      gradient[row + u32(min(q + 4, Q - 1))] * select(0.0, 1.0, q + 4 < Q),
      gradient[row + u32(min(q + 5, Q - 1))] * select(0.0, 1.0, q + 5 < Q),
    );
    offset += (low.x + low.y + low.z) + (low.w + high.x + high.y);
    let first = q - i32(shape.padW);
    let h = i32(p) - i32(shape.padH);
    let image = (n * shape.C + c) * plane;
    a0 = taps(a0, low, high, spreadColumns(lane, image, h, first));
    a1 = taps(a1, low, high, spreadColumns(lane, image, h + 1, first));
    a2 = taps(a2, low, high, spreadColumns(lane, image, h + 2, first));
    if (c + 1u < shape.C) {
      b0 = taps(b0, low, high, spreadColumns(lane, image + plane, h, first));
      b1 = taps(b1, low, high, spreadColumns(lane, image + plane, h + 1, first));
      b2 = taps(b2, low, high, spreadColumns(lane, image + plane, h + 2, first));
    }
    if (c + 2u < shape.C) {
      d0 = taps(d0, low, high, spreadColumns(lane, image + 2u * plane, h, first));
      d1 = taps(d1, low, high, spreadColumns(lane, image + 2u * plane, h + 1, first));
      d2 = taps(d2, low, high, spreadColumns(lane, image + 2u * plane, h + 2, first));
    }
    if (c + 3u < shape.C) {
      e0 = taps(e0, low, high, spreadColumns(lane, image + 3u * plane, h, first));
      e1 = taps(e1, low, high, spreadColumns(lane, image + 3u * plane, h + 1, first));
      e2 = taps(e2, low, high, spreadColumns(lane, image + 3u * plane, h + 2, first));
    }
  }
  if (group.y * LANES + lane >= shape.O) {
    return;
  }
  if (group.z == 0u) {
    biasPartial[o * shape.slices + group.x] = offset;
  }
  writeTaps(o, c, 0u, group.x, a0);
  writeTaps(o, c, 1u, group.x, a1);
  writeTaps(o, c, 2u, group.x, a2);
  if (c + 1u < shape.C) {
    writeTaps(o, c + 1u, 0u, group.x, b0);
    writeTaps(o, c + 1u, 1u, group.x, b1);
    writeTaps(o, c + 1u, 2u, group.x, b2);
  }
  if (c + 2u < shape.C) {
    writeTaps(o, c + 2u, 0u, group.x, d0);
    writeTaps(o, c + 2u, 1u, group.x, d1);
    writeTaps(o, c + 2u, 2u, group.x, d2);
  }
  if (c + 3u < shape.C) {
    writeTaps(o, c + 3u, 0u, group.x, e0);
    writeTaps(o, c + 3u, 1u, group.x, e1);
    writeTaps(o, c + 3u, 2u, group.x, e2);
  }
}

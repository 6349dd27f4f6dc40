// Convolutions as matrix products, for processors whose loads are dear and whose arithmetic is cheap (software adapters): what the strips of
// conv2d-strip.wgsl do not fit, kernels 1 x 1, strides, dilations and other windows.
//
//   columns[n, k, l] = input[n, c, h, w]     k = (c, r, s), l = (p, q); for a 1 x 1 convolution of stride 1 the input itself
//   output[n, o, l]  = bias[o] + sum over k of weight[o, k] * columns[n, k, l]
//   inputGradient    = the columns weight^T * gradient, each added where it came from
//   weightGradient[o, k] = sum over n, l of gradient[n, o, l] * columns[n, k, l]
//
// The two products are appended by conv2d-columns.ts beside this file, which unrolls their tiles into scalars.

struct Shape {
  N : u32,
  K : u32, // rows of the columns
  O : u32, // outputs of the product
  L : u32, // positions of an image
  strideO : u32, strideK : u32, // of the weight
  hasBias : u32,
  slices : u32, // of the weight's gradient
  C : u32, H : u32, W : u32, R : u32, S : u32, P : u32, Q : u32, // unfold and fold
  strideH : u32, strideW : u32,
  padH : u32, padW : u32,
  dilationH : u32, dilationW : u32,
}

@group(0) @binding(0) var<uniform> shape : Shape;
@group(0) @binding(1) var<storage, read> input : array<f32>; // N C H W
@group(0) @binding(2) var<storage, read_write> unfolded : array<f32>; // N K L
@group(0) @binding(3) var<storage, read> columns : array<f32>; // N K L
@group(0) @binding(4) var<storage, read> weight : array<f32>;
@group(0) @binding(5) var<storage, read> bias : array<f32>;
@group(0) @binding(6) var<storage, read_write> output : array<f32>; // N O L
@group(0) @binding(7) var<storage, read> gradient : array<f32>; // N O L
@group(0) @binding(8) var<storage, read_write> partial : array<f32>; // O K slices
@group(0) @binding(9) var<storage, read_write> inputGradient : array<f32>; // N C H W
@group(0) @binding(10) var<storage, read> columnsFours : array<vec4f>; // the columns, four positions at a time
@group(0) @binding(11) var<storage, read_write> outputFours : array<vec4f>;
@group(0) @binding(12) var<storage, read> gradientFours : array<vec4f>;

// x: positions, y: K, z: N
@compute @workgroup_size(64)
fn unfold(@builtin(global_invocation_id) id : vec3u) {
  if (id.x >= shape.L) {
    return;
  }
  let s = id.y % shape.S;
  let r = (id.y / shape.S) % shape.R;
  let c = id.y / (shape.S * shape.R);
  let h = i32((id.x / shape.Q) * shape.strideH + r * shape.dilationH) - i32(shape.padH);
  let w = i32((id.x % shape.Q) * shape.strideW + s * shape.dilationW) - i32(shape.padW);
  var value = 0.0;
  if (h >= 0 && h < i32(shape.H) && w >= 0 && w < i32(shape.W)) {
    value = input[((id.z * shape.C + c) * shape.H + u32(h)) * shape.W + u32(w)];
  }
  unfolded[(id.z * shape.K + id.y) * shape.L + id.x] = value;
}

// x: positions of H W, y: C, z: N
@compute @workgroup_size(64)
fn fold(@builtin(global_invocation_id) id : vec3u) {
  if (id.x >= shape.H * shape.W) {
    return;
  }
  let rows = shape.C * shape.R * shape.S;
  var total = 0.0;
  for (var r = 0u; r < shape.R; r++) {
    let h = i32(id.x / shape.W + shape.padH) - i32(r * shape.dilationH);
    if (h < 0 || u32(h) % shape.strideH != 0u || u32(h) / shape.strideH >= shape.P) {
      continue;
    }
    for (var s = 0u; s < shape.S; s++) {
      let w = i32(id.x % shape.W + shape.padW) - i32(s * shape.dilationW);
      if (w < 0 || u32(w) % shape.strideW != 0u || u32(w) / shape.strideW >= shape.Q) {
        continue;
      }
      let k = (id.y * shape.R + r) * shape.S + s;
      total += columns[((id.z * rows + k) * shape.P + u32(h) / shape.strideH) * shape.Q + u32(w) / shape.strideW];
    }
  }
  inputGradient[(id.z * shape.C + id.y) * shape.H * shape.W + id.x] = total;
}

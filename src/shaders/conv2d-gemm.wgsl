// Two-dimensional convolution as a matrix product that is never written out (implicit GEMM): the path of real GPUs. Any stride, padding,
// dilation and groups.
//
//   forward:       output[o, (n, p, q)]        = sum over (r, s), c of weight[o, c, r, s] * input[n, c, h(p, r), w(q, s)]
//   gradInput:     inputGradient[c, (n, h, w)] = sum over (r, s), o of weight[o, c, r, s] * gradient[n, o, p(h, r), q(w, s)]
//   gradWeight:    weightGradient[o, (c, r, s)] = sum over (n, p, q) of gradient[n, o, p, q] * input[n, c, h(p, r), w(q, s)]
//
// The first two are one kernel, `gather`: taps outside, channels inside, so that a tap's place in the image is found once for all channels.
// A stride of the gradient of the input makes phases: positions of one phase are read by the same taps, and the others are left out.
// A workgroup computes a tile by way of workgroup memory; the tiled kernels are appended by conv2d-gemm.ts beside this file.
//
// Channels count within a group. Sums run in blocks of 64 products, as in conv2d.wgsl.

struct Shape {
  N : u32,
  portions : u32, // groups
  C : u32, // channels that are summed over: C/groups forward and gradWeight, O/groups gradInput
  O : u32, // channels of the result
  H : u32, W : u32, // plane that is read
  P : u32, Q : u32, // plane of the result; gradWeight: of the gradient
  R : u32, S : u32,
  stepH : u32, stepW : u32, // in what is read, from one position to the next
  phasesH : u32, phasesW : u32, // gradInput: the stride; else 1
  padH : u32, padW : u32,
  dilationH : u32, dilationW : u32,
  backward : u32, // gradInput
  paddedC : u32, paddedO : u32, // of the packed weight
  hasBias : u32,
  slices : u32, // gradWeight: parts of N P Q that are summed apart
  weightC : u32, weightFirst : u32, // input channels of the weight (of a group), and the first of those that a gradient of some of them stands for
  firstC : u32, // gather: channels of the first of two inputs
  sums : u32, // gather: tiles whose statistics are wanted
}

@group(0) @binding(0) var<uniform> shape : Shape;
@group(0) @binding(1) var<storage, read> input : array<f32>; // N portions*C H W
@group(0) @binding(2) var<storage, read> input4 : array<vec4f>; // the same, four columns at a time
@group(0) @binding(3) var<storage, read> weight : array<f32>; // O C R S
@group(0) @binding(4) var<storage, read_write> packed : array<f32>; // portions R S paddedC paddedO, zero beyond C and O
@group(0) @binding(5) var<storage, read> slab : array<vec4f>; // packed, for reading
@group(0) @binding(6) var<storage, read> bias : array<f32>;
@group(0) @binding(7) var<storage, read_write> output : array<f32>; // N portions*O P Q
@group(0) @binding(8) var<storage, read_write> output4 : array<vec4f>;
@group(0) @binding(9) var<storage, read> gradient : array<f32>; // N portions*O P Q
@group(0) @binding(10) var<storage, read_write> partial : array<f32>; // slices O C R S
@group(0) @binding(11) var<storage, read> moment : array<vec4f>; // portions*C: mean, 1 / deviation, factor and offset of an input that is normalised as it is read
@group(0) @binding(12) var<storage, read> input2 : array<f32>; // the further channels of two inputs
@group(0) @binding(13) var<storage, read> moment2 : array<vec4f>;
@group(0) @binding(14) var<storage, read_write> statistics : array<vec4f>; // portions*O x sums: mean, sum of squared deviations, count, nothing

// x, y: elements of packed
@compute @workgroup_size(64)
fn pack(
  @builtin(workgroup_id) group : vec3u,
  @builtin(num_workgroups) groups : vec3u,
  @builtin(local_invocation_index) lane : u32,
) {
  let i = (group.y * groups.x + group.x) * 64u + lane;
  let taps = shape.R * shape.S;
  if (i >= shape.portions * taps * shape.paddedC * shape.paddedO) {
    return;
  }
  let o = i % shape.paddedO;
  let c = (i / shape.paddedO) % shape.paddedC;
  let tap = (i / (shape.paddedO * shape.paddedC)) % taps;
  let portion = i / (shape.paddedO * shape.paddedC * taps);
  var value = 0.0;
  if (o < shape.O && c < shape.C) {
    let row = select((portion * shape.O + o) * shape.C + c, (portion * shape.C + c) * shape.weightC + shape.weightFirst + o, shape.backward == 1u);
    value = weight[row * taps + tap];
  }
  packed[i] = value;
}

// relu(normalise(value)), as batch-norm.wgsl computes it
fn fitted(value : vec4f, m : vec4f) -> vec4f {
  let fit = fma(value - m.x, vec4f(m.z), vec4f(m.w));
  return select(fit, vec4f(), fit <= vec4f());
}

var<workgroup> totals : array<f32, 64>;

// One workgroup for each weight and slice, for groups of few channels. x, y: weights, z: slices
@compute @workgroup_size(64)
fn gradWeightEach(
  @builtin(workgroup_id) group : vec3u,
  @builtin(num_workgroups) groups : vec3u,
  @builtin(local_invocation_index) lane : u32,
) {
  let taps = shape.R * shape.S;
  let count = shape.portions * shape.O * shape.C * taps;
  let i = group.y * groups.x + group.x;
  let at = min(i, count - 1u); // all threads of a workgroup come to the barriers
  let s = at % shape.S;
  let r = (at / shape.S) % shape.R;
  let c = (at / taps) % shape.C;
  let o = at / (taps * shape.C); // of all portions
  let channel = (o / shape.O) * shape.C + c;
  let plane = shape.P * shape.Q;
  let positions = shape.N * plane;
  let perSlice = (positions + shape.slices - 1u) / shape.slices;
  let last = min(positions, (group.z + 1u) * perSlice);
  var total = 0.0;
  for (var position = group.z * perSlice + lane; position < last; position += 64u) {
    let n = position / plane;
    let inPlane = position % plane;
    let h = i32((inPlane / shape.Q) * shape.stepH + r * shape.dilationH) - i32(shape.padH);
    let w = i32((inPlane % shape.Q) * shape.stepW + s * shape.dilationW) - i32(shape.padW);
    if (h >= 0 && h < i32(shape.H) && w >= 0 && w < i32(shape.W)) {
      let pixel = ((n * shape.portions * shape.C + channel) * shape.H + u32(h)) * shape.W + u32(w);
      total = fma(gradient[(n * shape.portions * shape.O + o) * plane + inPlane], input[pixel], total);
    }
  }
  totals[lane] = total;
  workgroupBarrier();
  for (var half = 32u; half > 0u; half /= 2u) {
    if (lane < half) {
      totals[lane] += totals[lane + half];
    }
    workgroupBarrier();
  }
  if (lane == 0u && i < count) {
    partial[group.z * count + i] = totals[0];
  }
}

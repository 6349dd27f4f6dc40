// Two-dimensional convolution, the plain kernels: one thread an element, any stride, padding, dilation and groups. They are the witnesses
// that every faster kernel is compared with.
//
//   output[n, o, p, q] = bias[o] + sum over c, r, s of input[n, c, p * strideH + r * dilationH - padH, q * strideW + s * dilationW - padW] * weight[o, c, r, s]
//
// Rows of a window, windows, and blocks of 64 channels are summed apart, which keeps the rounding of long sums small.
//
// input N C H W, weight O C/groups R S, output N O P Q.

struct Shape {
  N : u32, C : u32, H : u32, W : u32,
  O : u32, R : u32, S : u32,
  P : u32, Q : u32,
  strideH : u32, strideW : u32,
  padH : u32, padW : u32,
  dilationH : u32, dilationW : u32,
  groups : u32,
  hasBias : u32,
  slices : u32, // weightGradient: parts of N P that are summed apart
}

@group(0) @binding(0) var<uniform> shape : Shape;
@group(0) @binding(1) var<storage, read> input : array<f32>;
@group(0) @binding(2) var<storage, read> weight : array<f32>;
@group(0) @binding(3) var<storage, read> bias : array<f32>;
@group(0) @binding(4) var<storage, read> gradient : array<f32>; // of the output
@group(0) @binding(5) var<storage, read_write> output : array<f32>;
@group(0) @binding(6) var<storage, read_write> inputGradient : array<f32>;
@group(0) @binding(7) var<storage, read_write> weightGradient : array<f32>; // O C R S slices

// x: Q in workgroups of 64 positions of P Q, y: O, z: N
@compute @workgroup_size(64)
fn forward(@builtin(global_invocation_id) id : vec3u) {
  let position = id.x;
  let o = id.y;
  let n = id.z;
  if (position >= shape.P * shape.Q) {
    return;
  }
  let p = position / shape.Q;
  let q = position % shape.Q;
  let perGroup = shape.C / shape.groups;
  let firstChannel = (o / (shape.O / shape.groups)) * perGroup;
  var total = 0.0;
  var ofBlock = 0.0;
  for (var c = 0u; c < perGroup; c++) {
    var ofChannel = 0.0;
    for (var r = 0u; r < shape.R; r++) {
      let h = i32(p * shape.strideH + r * shape.dilationH) - i32(shape.padH);
      if (h < 0 || h >= i32(shape.H)) {
        continue;
      }
      let row = ((n * shape.C + firstChannel + c) * shape.H + u32(h)) * shape.W;
      let taps = ((o * perGroup + c) * shape.R + r) * shape.S;
      var ofRow = 0.0;
      for (var s = 0u; s < shape.S; s++) {
        let w = i32(q * shape.strideW + s * shape.dilationW) - i32(shape.padW);
        if (w >= 0 && w < i32(shape.W)) {
          ofRow = fma(input[row + u32(w)], weight[taps + s], ofRow);
        }
      }
      ofChannel += ofRow;
    }
    ofBlock += ofChannel;
    if (c % 64u == 63u) {
      total += ofBlock;
      ofBlock = 0.0;
    }
  }
  total += ofBlock;
  if (shape.hasBias == 1u) {
    total += bias[o];
  }
  output[((n * shape.O + o) * shape.P + p) * shape.Q + q] = total;
}

// inputGradient[n, c, h, w] gathers from every output that read it. x: positions of H W, y: C, z: N
@compute @workgroup_size(64)
fn gradInput(@builtin(global_invocation_id) id : vec3u) {
  let position = id.x;
  let c = id.y;
  let n = id.z;
  if (position >= shape.H * shape.W) {
    return;
  }
  let h = position / shape.W;
  let w = position % shape.W;
  let perGroup = shape.C / shape.groups;
  let outputsPerGroup = shape.O / shape.groups;
  let firstOutput = (c / perGroup) * outputsPerGroup;
  var total = 0.0;
  var ofBlock = 0.0;
  for (var k = 0u; k < outputsPerGroup; k++) {
    let o = firstOutput + k;
    var ofOutput = 0.0;
    for (var r = 0u; r < shape.R; r++) {
      let fromTop = i32(h + shape.padH) - i32(r * shape.dilationH);
      if (fromTop < 0 || fromTop % i32(shape.strideH) != 0) {
        continue;
      }
      let p = u32(fromTop) / shape.strideH;
      if (p >= shape.P) {
        continue;
      }
      let row = ((n * shape.O + o) * shape.P + p) * shape.Q;
      let taps = ((o * perGroup + c % perGroup) * shape.R + r) * shape.S;
      var ofRow = 0.0;
      for (var s = 0u; s < shape.S; s++) {
        let fromLeft = i32(w + shape.padW) - i32(s * shape.dilationW);
        if (fromLeft < 0 || fromLeft % i32(shape.strideW) != 0) {
          continue;
        }
        let q = u32(fromLeft) / shape.strideW;
        if (q < shape.Q) {
          ofRow = fma(gradient[row + q], weight[taps + s], ofRow);
        }
      }
      ofOutput += ofRow;
    }
    ofBlock += ofOutput;
    if (k % 64u == 63u) {
      total += ofBlock;
      ofBlock = 0.0;
    }
  }
  total += ofBlock;
  if (shape.hasBias == 1u) { // a transposed convolution adds its bias here
    total += bias[c];
  }
  inputGradient[((n * shape.C + c) * shape.H + h) * shape.W + w] = total;
}

// Each thread sums one weight's products over one slice of the rows N P; the slices are added in a fixed order afterwards.
// x, y: weights in workgroups of 64, z: slices
@compute @workgroup_size(64)
fn gradWeight(
  @builtin(workgroup_id) group : vec3u,
  @builtin(num_workgroups) groups : vec3u,
  @builtin(local_invocation_index) lane : u32,
) {
  let i = (group.y * groups.x + group.x) * 64u + lane;
  let slice = group.z;
  let perGroup = shape.C / shape.groups;
  let count = shape.O * perGroup * shape.R * shape.S;
  if (i >= count) {
    return;
  }
  let s = i % shape.S;
  let r = (i / shape.S) % shape.R;
  let c = (i / (shape.S * shape.R)) % perGroup;
  let o = i / (shape.S * shape.R * perGroup);
  let channel = (o / (shape.O / shape.groups)) * perGroup + c;
  let rows = shape.N * shape.P;
  let perSlice = (rows + shape.slices - 1u) / shape.slices;
  let last = min(rows, (slice + 1u) * perSlice);
  var total = 0.0;
  for (var row = slice * perSlice; row < last; row++) {
    let n = row / shape.P;
    let p = row % shape.P;
    let h = i32(p * shape.strideH + r * shape.dilationH) - i32(shape.padH);
    if (h < 0 || h >= i32(shape.H)) {
      continue;
    }
    let inputRow = ((n * shape.C + channel) * shape.H + u32(h)) * shape.W;
    let outputRow = ((n * shape.O + o) * shape.P + p) * shape.Q;
    var rowTotal = 0.0;
    for (var q = 0u; q < shape.Q; q++) {
      let w = i32(q * shape.strideW + s * shape.dilationW) - i32(shape.padW);
      if (w >= 0 && w < i32(shape.W)) {
        rowTotal += gradient[outputRow + q] * input[inputRow + u32(w)];
      }
    }
    total += rowTotal;
  }
  weightGradient[i * shape.slices + slice] = total;
}

// output[b, i, j] = factor * sum over k of left[b, i, k] * right[b, k, j] (+ bias[j]), operands read through strides so that
// transposes need no copy. The sum runs in blocks of 64 products, which keeps rounding errors small for long sums.

struct Shape {
  B : u32, I : u32, J : u32, K : u32,
  leftB : u32, leftI : u32, leftK : u32,
  rightB : u32, rightK : u32, rightJ : u32,
  hasBias : u32,
}

@group(0) @binding(0) var<uniform> shape : Shape;
@group(0) @binding(1) var<storage, read> left : array<f32>;
@group(0) @binding(2) var<storage, read> right : array<f32>;
@group(0) @binding(3) var<storage, read> bias : array<f32>;
@group(0) @binding(4) var<storage, read_write> output : array<f32>;

// x, y: elements of all batches in workgroups of 64
@compute @workgroup_size(64)
fn multiply(@builtin(workgroup_id) group : vec3u, @builtin(num_workgroups) groups : vec3u, @builtin(local_invocation_index) lane : u32) {
  let own = (group.y * groups.x + group.x) * 64u + lane;
  if (own >= shape.B * shape.I * shape.J) {
    return;
  }
  let batch = own / (shape.I * shape.J);
  let element = own % (shape.I * shape.J);
  let i = element / shape.J;
  let j = element % shape.J;
  let rowStart = batch * shape.leftB + i * shape.leftI;
  let columnStart = batch * shape.rightB + j * shape.rightJ;
  var total = 0.0;
  for (var block = 0u; block < shape.K; block += 64u) {
    var part = 0.0;
    for (var k = block; k < min(shape.K, block + 64u); k++) {
      part = fma(left[rowStart + k * shape.leftK], right[columnStart + k * shape.rightK], part);
    }
    total += part;
  }
  if (shape.hasBias == 1u) {
    total += bias[j];
  }
  output[own] = total;
}

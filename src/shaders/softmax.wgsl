// Softmax and its logarithm over rows of contiguous elements: the classes of an image, or all pixels of a map. One workgroup a row;
// rows are spread over x and y. Needs lib/special.wgsl.
//   logSoftmax(x)_i = (x_i - max x) - ln(sum over j of exp(x_j - max x))

struct Extent {
  rows : u32,
  length : u32,
  logarithm : u32,
}

@group(0) @binding(0) var<uniform> extent : Extent;
@group(0) @binding(1) var<storage, read> input : array<f32>;
@group(0) @binding(2) var<storage, read> result : array<f32>; // what forward computed
@group(0) @binding(3) var<storage, read> gradient : array<f32>;
@group(0) @binding(4) var<storage, read_write> output : array<f32>;

const LANES = 256u;
var<workgroup> partial : array<f32, LANES>;

fn total(lane : u32, value : f32) -> f32 {
  partial[lane] = value;
  workgroupBarrier();
  for (var half = LANES / 2u; half > 0u; half /= 2u) {
    if (lane < half) {
      partial[lane] += partial[lane + half];
    }
    workgroupBarrier();
  }
  let sum = partial[0];
  workgroupBarrier();
  return sum;
}

fn largest(lane : u32, value : f32) -> f32 {
  partial[lane] = value;
  workgroupBarrier();
  for (var half = LANES / 2u; half > 0u; half /= 2u) {
    if (lane < half) {
      partial[lane] = maxOf(partial[lane], partial[lane + half]);
    }
    workgroupBarrier();
  }
  let top = partial[0];
  workgroupBarrier();
  return top;
}

@compute @workgroup_size(LANES)
fn forward(@builtin(workgroup_id) group : vec3u, @builtin(num_workgroups) groups : vec3u, @builtin(local_invocation_index) lane : u32) {
  let row = group.y * groups.x + group.x;
  if (row >= extent.rows) {
    return;
  }
  let base = row * extent.length;
  var top = input[base + min(lane, extent.length - 1u)];
  for (var i = lane; i < extent.length; i += LANES) {
    top = maxOf(top, input[base + i]);
  }
  top = largest(lane, top);
  var powers = 0.0;
  for (var i = lane; i < extent.length; i += LANES) {
    powers += expOf(input[base + i] - top);
  }
  powers = total(lane, powers);
  let shift = logOf(powers);
  for (var i = lane; i < extent.length; i += LANES) {
    let x = input[base + i] - top;
    if (extent.logarithm == 1u) {
      output[base + i] = x - shift;
    } else {
      output[base + i] = expOf(x) / powers;
    }
  }
}

// logarithm: gradient - exp(result) * sum(gradient);  otherwise: result * (gradient - sum(gradient * result))
@compute @workgroup_size(LANES)
fn backward(@builtin(workgroup_id) group : vec3u, @builtin(num_workgroups) groups : vec3u, @builtin(local_invocation_index) lane : u32) {
  let row = group.y * groups.x + group.x;
  if (row >= extent.rows) {
    return;
  }
  let base = row * extent.length;
  var sum = 0.0;
  for (var i = lane; i < extent.length; i += LANES) {
    let g = gradient[base + i];
    sum += select(g * result[base + i], g, extent.logarithm == 1u);
  }
  sum = total(lane, sum);
  for (var i = lane; i < extent.length; i += LANES) {
    let y = result[base + i];
    let g = gradient[base + i];
    if (extent.logarithm == 1u) {
      output[base + i] = g - expOf(y) * sum;
    } else {
      output[base + i] = y * (g - sum);
    }
  }
}

// Short rows, such as the classes of an image: one thread a row. Sums are in the order of `total`, so the bits are the same.
const SHORT = 8u;

fn totalOf(p : array<f32, SHORT>) -> f32 {
  return ((p[0] + p[4]) + (p[2] + p[6])) + ((p[1] + p[5]) + (p[3] + p[7]));
}

@compute @workgroup_size(64)
fn forwardShort(@builtin(workgroup_id) group : vec3u, @builtin(num_workgroups) groups : vec3u, @builtin(local_invocation_index) lane : u32) {
  let row = (group.y * groups.x + group.x) * 64u + lane;
  if (row >= extent.rows) {
    return;
  }
  let base = row * extent.length;
  var top = input[base];
  for (var i = 0u; i < extent.length; i++) {
    top = maxOf(top, input[base + i]);
  }
  var powers = array<f32, SHORT>();
  for (var i = 0u; i < extent.length; i++) {
    powers[i] = expOf(input[base + i] - top);
  }
  let sum = totalOf(powers);
  let shift = logOf(sum);
  for (var i = 0u; i < extent.length; i++) {
    let x = input[base + i] - top;
    if (extent.logarithm == 1u) {
      output[base + i] = x - shift;
    } else {
      output[base + i] = expOf(x) / sum;
    }
  }
}

@compute @workgroup_size(64)
fn backwardShort(@builtin(workgroup_id) group : vec3u, @builtin(num_workgroups) groups : vec3u, @builtin(local_invocation_index) lane : u32) {
  let row = (group.y * groups.x + group.x) * 64u + lane;
  if (row >= extent.rows) {
    return;
  }
  let base = row * extent.length;
  var terms = array<f32, SHORT>();
  for (var i = 0u; i < extent.length; i++) {
    let g = gradient[base + i];
    terms[i] = select(g * result[base + i], g, extent.logarithm == 1u);
  }
  let sum = totalOf(terms);
  for (var i = 0u; i < extent.length; i++) {
    let y = result[base + i];
    let g = gradient[base + i];
    if (extent.logarithm == 1u) {
      output[base + i] = g - expOf(y) * sum;
    } else {
      output[base + i] = y * (g - sum);
    }
  }
}

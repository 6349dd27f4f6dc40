// Batch normalisation over N H W for each channel of N C H W, optionally followed by ReLU.
//   normalised = (x - mean) / sqrt(variance + epsilon),  output = weight * normalised + bias
// Statistics are gathered in slices, each by two passes over its own elements (mean, then squared deviations from it), and merged by
// T. Chan's formula, so that a channel with mean 100 and variance 1 keeps its digits.
//
// Activations are read and written a Value at a time. ops/batch-norm.ts appends what that is, four neighbours where H W divides by four (a
// processor that asks before every load whether it may then asks once for four):
//   alias Value = vec4f;  const WIDTH = 4u;  fn sumOf(v : Value) -> f32     or     alias Value = f32;  const WIDTH = 1u;  ...

struct Shape {
  N : u32, C : u32,
  length : u32, // Values of a channel of an image: H W / WIDTH
  parts : u32, // slices an image: N * parts slices a channel
  epsilon : f32,
  momentum : f32,
  relu : u32,
  training : u32,
}

@group(0) @binding(0) var<uniform> shape : Shape;
@group(0) @binding(1) var<storage, read> input : array<Value>;
@group(0) @binding(2) var<storage, read> weight : array<f32>;
@group(0) @binding(3) var<storage, read> bias : array<f32>;
@group(0) @binding(4) var<storage, read> gradient : array<Value>; // of the output
@group(0) @binding(5) var<storage, read_write> slices : array<vec2f>; // C x N * parts: the two gradient sums
@group(0) @binding(6) var<storage, read> gathered : array<vec2f>; // the same, for reading
@group(0) @binding(16) var<storage, read_write> statistics : array<vec4f>; // C x N * parts: mean, sum of squared deviations, count, nothing
@group(0) @binding(17) var<storage, read> statistic : array<vec4f>; // the same, for reading
@group(0) @binding(7) var<storage, read_write> runningMean : array<f32>;
@group(0) @binding(8) var<storage, read_write> runningVariance : array<f32>;
@group(0) @binding(9) var<storage, read_write> moments : array<vec4f>; // C: mean, 1 / sqrt(variance + epsilon), weight times that, bias
@group(0) @binding(10) var<storage, read> moment : array<vec4f>; // the same, for reading
@group(0) @binding(11) var<storage, read_write> output : array<Value>;
@group(0) @binding(12) var<storage, read_write> sums : array<vec2f>; // C: sum of gradient, sum of gradient * normalised
@group(0) @binding(13) var<storage, read> sum : array<vec2f>; // the same, for reading
@group(0) @binding(14) var<storage, read_write> weightGradient : array<f32>;
@group(0) @binding(15) var<storage, read_write> biasGradient : array<f32>;

override LANES : u32 = 64u; // threads of a gathering workgroup; see engine/kernel.ts, laneKernel
var<workgroup> partial : array<vec2f, LANES>;

fn total(lane : u32, value : vec2f) -> vec2f {
  partial[lane] = value;
  workgroupBarrier();
  for (var half = LANES / 2u; half > 0u; half /= 2u) {
    if (lane < half) {
      partial[lane] += partial[lane + half];
    }
    workgroupBarrier();
  }
  let result = partial[0];
  workgroupBarrier();
  return result;
}

// Where the slices of a plane begin among those of its channel.
fn sliceOf(plane : u32) -> u32 {
  return ((plane % shape.C) * shape.N + plane / shape.C) * shape.parts;
}

fn partLength() -> u32 {
  return (shape.length + shape.parts - 1u) / shape.parts;
}

// x: parts, y and z: planes
@compute @workgroup_size(LANES)
fn gather(@builtin(workgroup_id) group : vec3u, @builtin(num_workgroups) groups : vec3u, @builtin(local_invocation_index) lane : u32) {
  let plane = group.z * groups.y + group.y;
  if (plane >= shape.N * shape.C) {
    return;
  }
  let first = group.x * partLength();
  let last = min(shape.length, first + partLength());
  let base = plane * shape.length;
  var plain = Value();
  for (var i = first + lane; i < last; i += LANES) {
    plain += input[base + i];
  }
  let mean = total(lane, vec2f(sumOf(plain), 0.0)).x / f32(max(1u, last - min(first, last)) * WIDTH);
  var squares = Value();
  for (var i = first + lane; i < last; i += LANES) {
    let deviation = input[base + i] - Value(mean);
    squares = fma(deviation, deviation, squares);
  }
  let spread = total(lane, vec2f(sumOf(squares), 0.0)).x;
  if (lane == 0u) {
    let count = f32(last - min(first, last)) * f32(WIDTH);
    statistics[sliceOf(plane) + group.x] = vec4f(mean, spread, count, 0.0);
  }
}

fn momentsOf(c : u32, mean : f32, variance : f32) -> vec4f {
  let scale = 1.0 / sqrt(variance + shape.epsilon);
  return vec4f(mean, scale, weight[c] * scale, bias[c]);
}

// Two slices as one: mean, sum of squared deviations, count.
fn merged(a : vec3f, b : vec3f) -> vec3f {
  let count = a.z + b.z;
  let distance = b.x - a.x;
  let share = select(b.z / count, 0.0, b.z == 0.0);
  return vec3f(a.x + distance * share, a.y + b.y + distance * distance * (a.z * share), count);
}

const BLOCK = 64u; // slices that are merged one by one: a mean of thousands is then rounded about like one of a hundred

// What a channel's mean, sum of squared deviations and count are for.
fn settle(c : u32, all : vec3f) {
  moments[c] = momentsOf(c, all.x, all.y / all.z);
  runningMean[c] = (1.0 - shape.momentum) * runningMean[c] + shape.momentum * all.x;
  runningVariance[c] = (1.0 - shape.momentum) * runningVariance[c] + shape.momentum * (all.y / (all.z - 1.0));
}

// One thread a channel.
@compute @workgroup_size(64)
fn merge(@builtin(global_invocation_id) id : vec3u) {
  let c = id.x;
  if (c >= shape.C) {
    return;
  }
  let count = shape.N * shape.parts;
  var all = vec3f(0.0);
  for (var first = 0u; first < count; first += BLOCK) {
    var block = vec3f(0.0);
    for (var slice = first; slice < min(first + BLOCK, count); slice++) {
      block = merged(block, statistic[c * count + slice].xyz);
    }
    all = merged(all, block);
  }
  settle(c, all);
}

var<workgroup> shares : array<vec3f, 64>;

// A workgroup a channel, for the many slices that the tiles of a convolution leave; a GPU's one thread would be long about them.
@compute @workgroup_size(64)
fn mergeMany(@builtin(workgroup_id) group : vec3u, @builtin(local_invocation_index) lane : u32) {
  let c = group.x;
  let count = shape.N * shape.parts;
  let share = (count + 63u) / 64u;
  var own = vec3f(0.0);
  for (var slice = lane * share; slice < min((lane + 1u) * share, count); slice++) {
    own = merged(own, statistic[c * count + slice].xyz);
  }
  shares[lane] = own;
  workgroupBarrier();
  for (var half = 32u; half > 0u; half /= 2u) {
    if (lane < half) {
      shares[lane] = merged(shares[lane], shares[lane + half]);
    }
    workgroupBarrier();
  }
  if (lane == 0u) {
    settle(c, shares[0]);
  }
}

// Evaluation: the running statistics take the place of the batch's.
@compute @workgroup_size(64)
fn recall(@builtin(global_invocation_id) id : vec3u) {
  if (id.x < shape.C) {
    moments[id.x] = momentsOf(id.x, runningMean[id.x], runningVariance[id.x]);
  }
}

// x: the Values of a plane in workgroups of 512, y and z: planes
@compute @workgroup_size(64)
fn normalise(@builtin(workgroup_id) group : vec3u, @builtin(num_workgroups) groups : vec3u, @builtin(local_invocation_index) lane : u32) {
  let plane = group.z * groups.y + group.y;
  if (plane >= shape.N * shape.C) {
    return;
  }
  let c = plane % shape.C;
  let base = plane * shape.length;
  let m = moment[c];
  for (var i = group.x * 512u + lane; i < min(shape.length, (group.x + 1u) * 512u); i += 64u) {
    let value = fma(input[base + i] - Value(m.x), Value(m.z), Value(m.w));
    output[base + i] = select(value, select(value, Value(), value <= Value()), shape.relu == 1u); // a NaN stays one
  }
}

// The gradient that reaches the normalisation: zero where the ReLU after it was shut.
fn passed(x : Value, upstream : Value, m : vec4f) -> Value {
  let value = fma(x - Value(m.x), Value(m.z), Value(m.w));
  return select(upstream, select(upstream, Value(), value <= Value()), shape.relu == 1u);
}

// x: parts, y and z: planes
@compute @workgroup_size(LANES)
fn gatherGradient(@builtin(workgroup_id) group : vec3u, @builtin(num_workgroups) groups : vec3u, @builtin(local_invocation_index) lane : u32) {
  let plane = group.z * groups.y + group.y;
  if (plane >= shape.N * shape.C) {
    return;
  }
  let c = plane % shape.C;
  let first = group.x * partLength();
  let last = min(shape.length, first + partLength());
  let base = plane * shape.length;
  let m = moment[c];
  var plain = Value();
  var weighted = Value();
  for (var i = first + lane; i < last; i += LANES) {
    let x = input[base + i];
    let g = passed(x, gradient[base + i], m);
    plain += g;
    weighted += g * ((x - Value(m.x)) * m.y);
  }
  let all = total(lane, vec2f(sumOf(plain), sumOf(weighted)));
  if (lane == 0u) {
    slices[sliceOf(plane) + group.x] = all;
  }
}

@compute @workgroup_size(64)
fn mergeGradient(@builtin(global_invocation_id) id : vec3u) {
  let c = id.x;
  if (c >= shape.C) {
    return;
  }
  var both = vec2f(0.0);
  for (var slice = 0u; slice < shape.N * shape.parts; slice++) {
    both += gathered[c * shape.N * shape.parts + slice];
  }
  sums[c] = both;
  biasGradient[c] = both.x;
  weightGradient[c] = both.y;
}

fn batchMeans(c : u32) -> vec2f {
  let count = f32(shape.N) * f32(shape.length * WIDTH);
  return select(vec2f(0.0), sum[c] / count, shape.training == 1u);
}

fn gradientOf(x : Value, upstream : Value, m : vec4f, means : vec2f) -> Value {
  return m.z * (passed(x, upstream, m) - Value(means.x) - (x - Value(m.x)) * m.y * means.y);
}

// x: the Values of a plane in workgroups of 512, y and z: planes
@compute @workgroup_size(64)
fn gradInput(@builtin(workgroup_id) group : vec3u, @builtin(num_workgroups) groups : vec3u, @builtin(local_invocation_index) lane : u32) {
  let plane = group.z * groups.y + group.y;
  if (plane >= shape.N * shape.C) {
    return;
  }
  let base = plane * shape.length;
  let m = moment[plane % shape.C];
  let means = batchMeans(plane % shape.C);
  for (var i = group.x * 512u + lane; i < min(shape.length, (group.x + 1u) * 512u); i += 64u) {
    output[base + i] = gradientOf(input[base + i], gradient[base + i], m, means);
  }
}

// The same where the gradient of the output stands in `output`, which nobody else wants.
@compute @workgroup_size(64)
fn gradInputOver(@builtin(workgroup_id) group : vec3u, @builtin(num_workgroups) groups : vec3u, @builtin(local_invocation_index) lane : u32) {
  let plane = group.z * groups.y + group.y;
  if (plane >= shape.N * shape.C) {
    return;
  }
  let base = plane * shape.length;
  let m = moment[plane % shape.C];
  let means = batchMeans(plane % shape.C);
  for (var i = group.x * 512u + lane; i < min(shape.length, (group.x + 1u) * 512u); i += 64u) {
    output[base + i] = gradientOf(input[base + i], output[base + i], m, means);
  }
}

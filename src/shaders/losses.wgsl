// Terms of the losses; ops add them up. One thread an element. Needs lib/special.wgsl.

struct Extent {
  count : u32,
  rowStride : u32,
  classes : u32,
  factor : f32,
}

@group(0) @binding(0) var<uniform> extent : Extent;
@group(0) @binding(1) var<storage, read> target_ : array<f32>; // a distribution
@group(0) @binding(2) var<storage, read> logProbability : array<f32>;
@group(0) @binding(3) var<storage, read> label : array<u32>;
@group(0) @binding(4) var<storage, read> classWeight : array<f32>;
@group(0) @binding(5) var<storage, read> gradient : array<f32>; // of the loss: one number
@group(0) @binding(6) var<storage, read_write> output : array<f32>;
@group(0) @binding(7) var<storage, read> weights : array<f32>; // one number: the sum over the batch

// t * (ln t - log p), 0 where t is 0; below 0 not a number
@compute @workgroup_size(64)
fn divergence(@builtin(workgroup_id) group : vec3u, @builtin(local_invocation_index) lane : u32) {
  let base = group.y * extent.rowStride + group.x * 512u + lane;
  for (var i = base; i < min(extent.count, base + 512u); i += 64u) {
    let t = target_[i];
    output[i] = select(t * (logOf(select(t, 1.17549435e-38, t > 0.0 && t < 1.17549435e-38)) - logProbability[i]), 0.0, t == 0.0);
  }
}

// d / d log p: -t * factor * gradient
@compute @workgroup_size(64)
fn divergenceGradient(@builtin(workgroup_id) group : vec3u, @builtin(local_invocation_index) lane : u32) {
  let base = group.y * extent.rowStride + group.x * 512u + lane;
  for (var i = base; i < min(extent.count, base + 512u); i += 64u) {
    output[i] = -target_[i] * (extent.factor * gradient[0]);
  }
}

// What every term of the mean is divided by: the sum of the labels' weights, one after the other. One thread. Not a number where a label is
// none of the classes.
@compute @workgroup_size(1)
fn addWeights() {
  var total = 0.0;
  for (var n = 0u; n < extent.count; n++) {
    total += weightOf(label[n]);
  }
  output[0] = total;
}

fn weightOf(y : u32) -> f32 {
  let weight = classWeight[min(y, extent.classes - 1u)];
  return select(nanOf(weight), weight, y < extent.classes);
}

// -w_y * log p_y / sum of w over the batch
@compute @workgroup_size(64)
fn likelihood(@builtin(workgroup_id) group : vec3u, @builtin(local_invocation_index) lane : u32) {
  let n = group.y * extent.rowStride + group.x * 64u + lane;
  if (n < extent.count) {
    let y = label[n];
    output[n] = -weightOf(y) * logProbability[n * extent.classes + min(y, extent.classes - 1u)] / weights[0];
  }
}

@compute @workgroup_size(64)
fn likelihoodGradient(@builtin(workgroup_id) group : vec3u, @builtin(local_invocation_index) lane : u32) {
  let i = group.y * extent.rowStride + group.x * 64u + lane;
  if (i >= extent.count * extent.classes) {
    return;
  }
  let y = label[i / extent.classes];
  let hit = i % extent.classes == y || y >= extent.classes;
  output[i] = select(0.0, -weightOf(y) / weights[0] * gradient[0], hit);
}

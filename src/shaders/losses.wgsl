// Terms of the losses; ops add them up. One thread an element.

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

// t * (ln t - log p), 0 where t is 0
@compute @workgroup_size(64)
fn divergence(@builtin(workgroup_id) group : vec3u, @builtin(local_invocation_index) lane : u32) {
  let base = group.y * extent.rowStride + group.x * 512u + lane;
  for (var i = base; i < min(extent.count, base + 512u); i += 64u) {
    let t = target_[i];
    output[i] = select(0.0, t * (log(max(t, 1.17549435e-38)) - logProbability[i]), t > 0.0);
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

fn totalWeight() -> f32 {
  var total = 0.0;
  for (var n = 0u; n < extent.count; n++) {
    total += classWeight[label[n]];
  }
  return total;
}

// -w_y * log p_y / sum of w over the batch
@compute @workgroup_size(64)
fn likelihood(@builtin(global_invocation_id) id : vec3u) {
  if (id.x < extent.count) {
    let y = label[id.x];
    output[id.x] = -classWeight[y] * logProbability[id.x * extent.classes + y] / totalWeight();
  }
}

@compute @workgroup_size(64)
fn likelihoodGradient(@builtin(global_invocation_id) id : vec3u) {
  if (id.x >= extent.count * extent.classes) {
    return;
  }
  let y = label[id.x / extent.classes];
  let hit = id.x % extent.classes == y;
  output[id.x] = select(0.0, -classWeight[y] / totalWeight() * gradient[0], hit);
}

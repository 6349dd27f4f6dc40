// One step of Adam, RMSProp or SGD on one parameter, PyTorch's update rules. Eight floats a thread.
// The numbers that change from step to step are in `settings`, a storage buffer, so that a step can be replayed as recorded.
// When settings[0] is 1 and the guarded number (the loss) is not finite, nothing is changed.

struct Extent {
  count : u32,
  rowStride : u32,
}

@group(0) @binding(0) var<uniform> extent : Extent;
@group(0) @binding(1) var<storage, read> settings : array<f32>;
@group(0) @binding(2) var<storage, read> guarded : array<f32>;
@group(0) @binding(3) var<storage, read> gradient : array<f32>;
@group(0) @binding(4) var<storage, read_write> parameter : array<f32>;
@group(0) @binding(5) var<storage, read_write> first : array<f32>; // moments; what they are is said at each rule
@group(0) @binding(6) var<storage, read_write> second : array<f32>;
@group(0) @binding(7) var<storage, read_write> third : array<f32>;

fn isShut() -> bool {
  return settings[0] == 1.0 && (bitcast<u32>(guarded[0]) & 0x7f800000u) == 0x7f800000u;
}

// first: m, second: v.  settings: guard, decay, beta1, beta2, rate / (1 - beta1^t), 1 / sqrt(1 - beta2^t), epsilon, rate * decoupled decay
@compute @workgroup_size(64)
fn adam(@builtin(workgroup_id) group : vec3u, @builtin(local_invocation_index) lane : u32) {
  // Read before the loop, or every lane asks for each of them again for each element.
  let decay = settings[1];
  let beta1 = settings[2];
  let beta2 = settings[3];
  let rate = settings[4];
  let spread = settings[5];
  let epsilon = settings[6];
  let shrink = settings[7];
  if (isShut()) {
    return;
  }
  let base = group.y * extent.rowStride + group.x * 512u + lane;
  for (var i = base; i < min(extent.count, base + 512u); i += 64u) {
    let p = parameter[i] - shrink * parameter[i];
    let g = gradient[i] + decay * p;
    let m = beta1 * first[i] + (1.0 - beta1) * g;
    let v = beta2 * second[i] + (1.0 - beta2) * g * g;
    first[i] = m;
    second[i] = v;
    parameter[i] = p - rate * m / (sqrt(v) * spread + epsilon);
  }
}

// The same with third: the largest v so far (amsgrad)
@compute @workgroup_size(64)
fn amsgrad(@builtin(workgroup_id) group : vec3u, @builtin(local_invocation_index) lane : u32) {
  if (isShut()) {
    return;
  }
  let base = group.y * extent.rowStride + group.x * 512u + lane;
  for (var i = base; i < min(extent.count, base + 512u); i += 64u) {
    let p = parameter[i] - settings[7] * parameter[i];
    let g = gradient[i] + settings[1] * p;
    let m = settings[2] * first[i] + (1.0 - settings[2]) * g;
    let v = settings[3] * second[i] + (1.0 - settings[3]) * g * g;
    let largest = max(third[i], v);
    first[i] = m;
    second[i] = v;
    third[i] = largest;
    parameter[i] = p - settings[4] * m / (sqrt(largest) * settings[5] + settings[6]);
  }
}

// first: mean square, second: momentum buffer, third: mean.  settings: guard, decay, alpha, rate, epsilon, momentum, centred (0 or 1)
@compute @workgroup_size(64)
fn rmsprop(@builtin(workgroup_id) group : vec3u, @builtin(local_invocation_index) lane : u32) {
  if (isShut()) {
    return;
  }
  let base = group.y * extent.rowStride + group.x * 512u + lane;
  for (var i = base; i < min(extent.count, base + 512u); i += 64u) {
    let p = parameter[i];
    let g = gradient[i] + settings[1] * p;
    let square = settings[2] * first[i] + (1.0 - settings[2]) * g * g;
    let mean = settings[2] * third[i] + (1.0 - settings[2]) * g;
    // Rounding may push the difference below 0 when the gradient hardly changes; PyTorch's root is then not a number.
    let spread = select(square, max(0.0, square - mean * mean), settings[6] == 1.0);
    let velocity = settings[5] * second[i] + g / (sqrt(spread) + settings[4]);
    first[i] = square;
    third[i] = mean;
    second[i] = velocity;
    parameter[i] = p - settings[3] * velocity;
  }
}

// first: momentum buffer.  settings: guard, decay, momentum, weight of the gradient in the buffer, rate, nesterov (0 or 1)
@compute @workgroup_size(64)
fn sgd(@builtin(workgroup_id) group : vec3u, @builtin(local_invocation_index) lane : u32) {
  if (isShut()) {
    return;
  }
  let base = group.y * extent.rowStride + group.x * 512u + lane;
  for (var i = base; i < min(extent.count, base + 512u); i += 64u) {
    let p = parameter[i];
    let g = gradient[i] + settings[1] * p;
    let buffer = settings[2] * first[i] + settings[3] * g;
    first[i] = buffer;
    parameter[i] = p - settings[4] * select(buffer, g + settings[2] * buffer, settings[5] == 1.0);
  }
}

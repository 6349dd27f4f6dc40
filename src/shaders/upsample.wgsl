// Resizing of N C H W to N C P Q. One thread an element; x: positions, y and z: planes.

struct Shape {
  planes : u32, // N C
  H : u32, W : u32, P : u32, Q : u32,
  mode : u32, // see sourceOf
}

@group(0) @binding(0) var<uniform> shape : Shape;
@group(0) @binding(1) var<storage, read> input : array<f32>;
@group(0) @binding(2) var<storage, read> gradient : array<f32>; // N C P Q
@group(0) @binding(3) var<storage, read_write> output : array<f32>;
@group(0) @binding(4) var<storage, read> gradientPairs : array<vec2f>; // the gradient, two columns at a time
@group(0) @binding(5) var<storage, read_write> outputPairs : array<vec2f>; // the output, two columns at a time

const NEAREST = 0u;
const HALF_PIXEL = 1u; // align_corners = false: source = (i + 1/2) * in / out - 1/2
const ALIGN_CORNERS = 2u; // source = i * (in - 1) / (out - 1)
const ASYMMETRIC = 3u; // TensorFlow 1's default: source = i * in / out

// Two neighbours and the weight of the second.
struct Source {
  low : u32, high : u32, share : f32,
}

fn sourceOf(i : u32, input : u32, output : u32) -> Source {
  if (shape.mode == NEAREST) { // floor(i * in / out) in integers
    let low = min(i * input / output, input - 1u);
    return Source(low, low, 0.0);
  }
  // Quotient and remainder are exact, so the share is rounded once.
  var numerator = i32(i * input);
  var denominator = i32(output);
  if (shape.mode == ALIGN_CORNERS) {
    numerator = i32(i * (input - 1u));
    denominator = max(1, i32(output) - 1);
  } else if (shape.mode == HALF_PIXEL) {
    numerator = max(0, i32((2u * i + 1u) * input) - i32(output));
    denominator = 2 * i32(output);
  }
  let low = min(u32(numerator / denominator), input - 1u);
  let share = f32(numerator % denominator) / f32(denominator);
  return Source(low, min(low + 1u, input - 1u), select(share, 0.0, low + 1u > input - 1u));
}

@compute @workgroup_size(64)
fn forward(@builtin(global_invocation_id) id : vec3u, @builtin(num_workgroups) groups : vec3u) {
  let planeIndex = id.z * groups.y + id.y;
  if (id.x >= shape.P * shape.Q || planeIndex >= shape.planes) {
    return;
  }
  let plane = planeIndex * shape.H * shape.W;
  let y = sourceOf(id.x / shape.Q, shape.H, shape.P);
  let x = sourceOf(id.x % shape.Q, shape.W, shape.Q);
  let top = plane + y.low * shape.W;
  var value = input[top + x.low];
  if (shape.mode != NEAREST) {
    let bottom = plane + y.high * shape.W;
    let above = (1.0 - x.share) * value + x.share * input[top + x.high];
    let below = (1.0 - x.share) * input[bottom + x.low] + x.share * input[bottom + x.high];
    value = (1.0 - y.share) * above + y.share * below;
  }
  output[planeIndex * shape.P * shape.Q + id.x] = value;
}

fn shareOf(position : u32, source : Source) -> f32 {
  return select(0.0, 1.0 - source.share, source.low == position) + select(0.0, source.share, source.high == position && source.share != 0.0);
}

// The outputs that may read input `position`: those whose source is within one of it, and one more for safety.
fn firstReader(position : u32, input : u32, output : u32) -> u32 {
  let before = max(0, i32(position) - 2);
  return select(u32(before) * max(1u, output - 1u) / max(1u, input), 0u, before == 0);
}

fn lastReader(position : u32, input : u32, output : u32) -> u32 {
  return min(output - 1u, (position + 2u) * (output + 1u) / max(1u, input - 1u) + 1u);
}

// output is the gradient of the input.
@compute @workgroup_size(64)
fn backward(@builtin(global_invocation_id) id : vec3u, @builtin(num_workgroups) groups : vec3u) {
  let planeIndex = id.z * groups.y + id.y;
  if (id.x >= shape.H * shape.W || planeIndex >= shape.planes) {
    return;
  }
  let plane = planeIndex * shape.P * shape.Q;
  let h = id.x / shape.W;
  let w = id.x % shape.W;
  var total = 0.0;
  for (var p = firstReader(h, shape.H, shape.P); p <= lastReader(h, shape.H, shape.P); p++) {
    let vertical = shareOf(h, sourceOf(p, shape.H, shape.P));
    if (vertical == 0.0) {
      continue;
    }
    var rowTotal = 0.0;
    for (var q = firstReader(w, shape.W, shape.Q); q <= lastReader(w, shape.W, shape.Q); q++) {
      let horizontal = shareOf(w, sourceOf(q, shape.W, shape.Q));
      if (horizontal != 0.0) {
        rowTotal += horizontal * gradient[plane + p * shape.Q + q];
      }
    }
    total += vertical * rowTotal;
  }
  output[planeIndex * shape.H * shape.W + id.x] = total;
}

// Nearest, exactly twice the size; one thread an input.
@compute @workgroup_size(64)
fn forwardTwice(@builtin(global_invocation_id) id : vec3u, @builtin(num_workgroups) groups : vec3u) {
  let planeIndex = id.z * groups.y + id.y;
  if (id.x >= shape.H * shape.W || planeIndex >= shape.planes) {
    return;
  }
  let corner = planeIndex * shape.P * shape.W + (id.x / shape.W) * shape.Q + id.x % shape.W; // in pairs: Q is 2 W
  let value = input[planeIndex * shape.H * shape.W + id.x];
  outputPairs[corner] = vec2f(value);
  outputPairs[corner + shape.W] = vec2f(value);
}

// Nearest, exactly twice the size: each input feeds a 2 x 2 block.
@compute @workgroup_size(64)
fn backwardTwice(@builtin(global_invocation_id) id : vec3u, @builtin(num_workgroups) groups : vec3u) {
  let planeIndex = id.z * groups.y + id.y;
  if (id.x >= shape.H * shape.W || planeIndex >= shape.planes) {
    return;
  }
  let corner = planeIndex * shape.P * shape.W + (id.x / shape.W) * shape.Q + id.x % shape.W;
  let above = gradientPairs[corner];
  let below = gradientPairs[corner + shape.W];
  output[planeIndex * shape.H * shape.W + id.x] = (above.x + above.y) + (below.x + below.y);
}

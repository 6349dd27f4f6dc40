// Max and average pooling of N C H W. One thread an element; x: positions, y and z: planes.
// Needs lib/special.wgsl.

struct Shape {
  planes : u32, // N C
  C : u32, H : u32, W : u32,
  P : u32, Q : u32,
  R : u32, S : u32, // window
  strideH : u32, strideW : u32,
  padH : u32, padW : u32,
  countPadding : u32, // average: whether the padding counts in the divisor
}

@group(0) @binding(0) var<uniform> shape : Shape;
@group(0) @binding(1) var<storage, read> input : array<f32>;
@group(0) @binding(2) var<storage, read_write> output : array<f32>;
@group(0) @binding(3) var<storage, read_write> winners : array<u32>; // N C P Q: position h * W + w of the first largest element
@group(0) @binding(4) var<storage, read> winner : array<u32>; // the same, for reading
@group(0) @binding(5) var<storage, read> gradient : array<f32>; // N C P Q
@group(0) @binding(6) var<storage, read_write> outputPairs : array<vec2f>; // the output, two columns at a time
@group(0) @binding(7) var<storage, read> moment : array<vec4f>; // C: mean, 1 / deviation, factor and offset; see batch-norm.wgsl

// The part of a window that lies on the input: [top, bottom) x [left, right)
struct Window {
  top : u32, bottom : u32, left : u32, right : u32,
}

fn windowOf(p : u32, q : u32) -> Window {
  let top = i32(p * shape.strideH) - i32(shape.padH);
  let left = i32(q * shape.strideW) - i32(shape.padW);
  return Window(
    u32(max(top, 0)), u32(clamp(top + i32(shape.R), 0, i32(shape.H))),
    u32(max(left, 0)), u32(clamp(left + i32(shape.S), 0, i32(shape.W))),
  );
}

fn divisor(p : u32, q : u32) -> f32 {
  if (shape.countPadding == 1u) { // a window that runs over the padded edge counts only what is there, as in PyTorch
    let bottom = min(p * shape.strideH + shape.R, shape.H + 2u * shape.padH);
    let right = min(q * shape.strideW + shape.S, shape.W + 2u * shape.padW);
    return f32((bottom - p * shape.strideH) * (right - q * shape.strideW));
  }
  let window = windowOf(p, q);
  return f32((window.bottom - window.top) * (window.right - window.left));
}

// Strictly: the first of equals wins. A NaN wins over every number, and a later one over it, as in PyTorch.
fn wins(x : f32, value : f32) -> bool {
  return (x > value && !isNan(value)) || isNan(x);
}

@compute @workgroup_size(64)
fn maxForward(@builtin(global_invocation_id) id : vec3u, @builtin(num_workgroups) groups : vec3u) {
  let plane = id.z * groups.y + id.y;
  if (id.x >= shape.P * shape.Q || plane >= shape.planes) {
    return;
  }
  let window = windowOf(id.x / shape.Q, id.x % shape.Q);
  var best = window.top * shape.W + window.left;
  var value = input[plane * shape.H * shape.W + best];
  for (var h = window.top; h < window.bottom; h++) {
    for (var w = window.left; w < window.right; w++) {
      let x = input[(plane * shape.H + h) * shape.W + w];
      if (wins(x, value)) {
        value = x;
        best = h * shape.W + w;
      }
    }
  }
  output[plane * shape.P * shape.Q + id.x] = value;
  winners[plane * shape.P * shape.Q + id.x] = best;
}

// The same of relu(normalise(input)), which nobody has written.
@compute @workgroup_size(64)
fn maxForwardNormalised(@builtin(global_invocation_id) id : vec3u, @builtin(num_workgroups) groups : vec3u) {
  let plane = id.z * groups.y + id.y;
  if (id.x >= shape.P * shape.Q || plane >= shape.planes) {
    return;
  }
  let window = windowOf(id.x / shape.Q, id.x % shape.Q);
  let m = moment[plane % shape.C];
  var best = window.top * shape.W + window.left;
  var value = lit(input[plane * shape.H * shape.W + best], m);
  for (var h = window.top; h < window.bottom; h++) {
    for (var w = window.left; w < window.right; w++) {
      let x = lit(input[(plane * shape.H + h) * shape.W + w], m);
      if (wins(x, value)) {
        value = x;
        best = h * shape.W + w;
      }
    }
  }
  output[plane * shape.P * shape.Q + id.x] = value;
  winners[plane * shape.P * shape.Q + id.x] = best;
}

fn lit(x : f32, m : vec4f) -> f32 {
  let value = fma(x - m.x, m.z, m.w);
  return select(value, 0.0, value <= 0.0);
}

@compute @workgroup_size(64)
fn averageForward(@builtin(global_invocation_id) id : vec3u, @builtin(num_workgroups) groups : vec3u) {
  let plane = id.z * groups.y + id.y;
  if (id.x >= shape.P * shape.Q || plane >= shape.planes) {
    return;
  }
  let p = id.x / shape.Q;
  let q = id.x % shape.Q;
  let window = windowOf(p, q);
  var total = 0.0;
  for (var h = window.top; h < window.bottom; h++) {
    for (var w = window.left; w < window.right; w++) {
      total += input[(plane * shape.H + h) * shape.W + w];
    }
  }
  output[plane * shape.P * shape.Q + id.x] = total / divisor(p, q);
}

// Windows that contain h: p from firstWindow to lastWindow
fn firstWindow(position : u32, pad : u32, size : u32, stride : u32) -> u32 {
  let reach = position + pad + 1u;
  return select(0u, (reach - size + stride - 1u) / stride, reach > size);
}

fn lastWindow(position : u32, pad : u32, stride : u32, count : u32) -> u32 {
  return min((position + pad) / stride, count - 1u);
}

// output is the gradient of the input; each input gathers from the windows that contain it.
@compute @workgroup_size(64)
fn maxBackward(@builtin(global_invocation_id) id : vec3u, @builtin(num_workgroups) groups : vec3u) {
  let plane = id.z * groups.y + id.y;
  if (id.x >= shape.H * shape.W || plane >= shape.planes) {
    return;
  }
  let h = id.x / shape.W;
  let w = id.x % shape.W;
  let lastP = lastWindow(h, shape.padH, shape.strideH, shape.P);
  let lastQ = lastWindow(w, shape.padW, shape.strideW, shape.Q);
  var total = 0.0;
  for (var p = firstWindow(h, shape.padH, shape.R, shape.strideH); p <= lastP; p++) {
    for (var q = firstWindow(w, shape.padW, shape.S, shape.strideW); q <= lastQ; q++) {
      let i = (plane * shape.P + p) * shape.Q + q;
      if (winner[i] == id.x) {
        total += gradient[i];
      }
    }
  }
  output[plane * shape.H * shape.W + id.x] = total;
}

// Windows of 2 x 2 that cover the input side by side: one thread a window, x: positions of P Q.
@compute @workgroup_size(64)
fn maxBackwardTwice(@builtin(global_invocation_id) id : vec3u, @builtin(num_workgroups) groups : vec3u) {
  let plane = id.z * groups.y + id.y;
  if (id.x >= shape.P * shape.Q || plane >= shape.planes) {
    return;
  }
  let corner = (id.x / shape.Q) * 2u * shape.W + (id.x % shape.Q) * 2u;
  let best = winner[plane * shape.P * shape.Q + id.x] - corner; // 0, 1, W or W + 1
  let upstream = gradient[plane * shape.P * shape.Q + id.x];
  let place = (plane * shape.H * shape.W + corner) / 2u; // W is even
  outputPairs[place] = vec2f(select(0.0, upstream, best == 0u), select(0.0, upstream, best == 1u));
  outputPairs[place + shape.W / 2u] = vec2f(select(0.0, upstream, best == shape.W), select(0.0, upstream, best == shape.W + 1u));
}

@compute @workgroup_size(64)
fn averageBackward(@builtin(global_invocation_id) id : vec3u, @builtin(num_workgroups) groups : vec3u) {
  let plane = id.z * groups.y + id.y;
  if (id.x >= shape.H * shape.W || plane >= shape.planes) {
    return;
  }
  let h = id.x / shape.W;
  let w = id.x % shape.W;
  let lastP = lastWindow(h, shape.padH, shape.strideH, shape.P);
  let lastQ = lastWindow(w, shape.padW, shape.strideW, shape.Q);
  var total = 0.0;
  for (var p = firstWindow(h, shape.padH, shape.R, shape.strideH); p <= lastP; p++) {
    for (var q = firstWindow(w, shape.padW, shape.S, shape.strideW); q <= lastQ; q++) {
      total += gradient[(plane * shape.P + p) * shape.Q + q] / divisor(p, q);
    }
  }
  output[plane * shape.H * shape.W + id.x] = total;
}

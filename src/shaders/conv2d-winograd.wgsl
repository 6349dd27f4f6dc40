// 3 x 3 convolutions of stride 1 by Winograd's F(2 x 2, 3 x 3): 16 multiplications for four outputs of a channel instead of 36.
//
//   Y = A^T [ (G g G^T) * (B^T d B) ] A     for a tile of 2 x 2 outputs, 4 x 4 inputs d and taps g; * element by element
//
//   B^T = 1  0 -1  0     G = 1    0   0      A^T = 1  1  1  0
//         0  1  1  0         1/2  1/2 1/2          0  1 -1 -1
//         0 -1  1  0         1/2 -1/2 1/2
//         0  1  0 -1         0    0   1
//
// Summed over channels, the middle is 16 matrix products, which conv2d-gemm.wgsl computes as a 1 x 1 convolution of 16 groups. The tiles of
// all images are numbered one after another and come in chunks.
//
// Source: Lavin & Gray 2016, "Fast algorithms for convolutional neural networks" (CVPR), section 4.1.

struct Shape {
  N : u32, C : u32, O : u32,
  H : u32, W : u32, // input
  P : u32, Q : u32, // output
  padH : u32, padW : u32,
  tilesH : u32, tilesW : u32, // of an image
  first : u32, count : u32, // tiles of this chunk
  paddedC : u32, paddedO : u32, // of the transformed weight
  flipped : u32, // the weight is C O 3 3, of the convolution whose gradient this is
  hasBias : u32,
}

@group(0) @binding(0) var<uniform> shape : Shape;
@group(0) @binding(1) var<storage, read> input : array<f32>; // N C H W
@group(0) @binding(2) var<storage, read> weight : array<f32>; // O C 3 3
@group(0) @binding(3) var<storage, read_write> packed : array<f32>; // 16 paddedC paddedO, zero beyond C and O
@group(0) @binding(4) var<storage, read_write> transformed : array<f32>; // 16 C count
@group(0) @binding(5) var<storage, read> products : array<f32>; // 16 O count
@group(0) @binding(6) var<storage, read> bias : array<f32>;
@group(0) @binding(7) var<storage, read_write> output : array<f32>; // N O P Q

// x, y: paddedC * paddedO
@compute @workgroup_size(64)
fn transformWeight(
  @builtin(workgroup_id) group : vec3u,
  @builtin(num_workgroups) groups : vec3u,
  @builtin(local_invocation_index) lane : u32,
) {
  let i = (group.y * groups.x + group.x) * 64u + lane;
  let size = shape.paddedC * shape.paddedO;
  if (i >= size) {
    return;
  }
  let o = i % shape.paddedO;
  let c = i / shape.paddedO;
  let known = o < shape.O && c < shape.C;
  let at = select(0u, select(o * shape.C + c, c * shape.O + o, shape.flipped == 1u) * 9u, known);
  let factor = select(0.0, 1.0, known);
  var rows : array<vec3f, 3>;
  for (var r = 0u; r < 3u; r++) {
    let tap = select(3u * r, 8u - 3u * r, shape.flipped == 1u);
    let step = select(1u, 0xffffffffu, shape.flipped == 1u); // back by one
    rows[r] = factor * vec3f(weight[at + tap], weight[at + tap + step], weight[at + tap + 2u * step]);
  }
  var half = array<vec3f, 4>(
    rows[0],
    0.5 * (rows[0] + rows[1] + rows[2]),
    0.5 * (rows[0] - rows[1] + rows[2]),
    rows[2],
  );
  for (var r = 0u; r < 4u; r++) {
    let g = half[r];
    packed[(4u * r) * size + i] = g.x;
    packed[(4u * r + 1u) * size + i] = 0.5 * (g.x + g.y + g.z);
    packed[(4u * r + 2u) * size + i] = 0.5 * (g.x - g.y + g.z);
    packed[(4u * r + 3u) * size + i] = g.z;
  }
}

fn inputRow(plane : u32, h : i32, left : i32) -> vec4f {
  var row = vec4f();
  if (h < 0 || h >= i32(shape.H)) {
    return row;
  }
  let start = i32(plane + u32(h) * shape.W);
  for (var j = 0; j < 4; j++) {
    let w = left + j;
    if (w >= 0 && w < i32(shape.W)) {
      row[j] = input[u32(start + w)];
    }
  }
  return row;
}

// x: tiles of the chunk, y: C
@compute @workgroup_size(64)
fn transformInput(@builtin(global_invocation_id) id : vec3u) {
  if (id.x >= shape.count) {
    return;
  }
  let tile = shape.first + id.x;
  let n = tile / (shape.tilesH * shape.tilesW);
  let top = i32((tile / shape.tilesW) % shape.tilesH * 2u) - i32(shape.padH);
  let left = i32(tile % shape.tilesW * 2u) - i32(shape.padW);
  var d : array<vec4f, 4>;
  if (n < shape.N) { // a chunk is filled up to a multiple of four
    let plane = (n * shape.C + id.y) * shape.H * shape.W;
    d = array<vec4f, 4>(
      inputRow(plane, top, left), inputRow(plane, top + 1, left), inputRow(plane, top + 2, left), inputRow(plane, top + 3, left),
    );
  }
  var rows = array<vec4f, 4>(d[0] - d[2], d[1] + d[2], d[2] - d[1], d[1] - d[3]);
  let size = shape.C * shape.count;
  let to = id.y * shape.count + id.x;
  for (var r = 0u; r < 4u; r++) {
    let v = rows[r];
    transformed[(4u * r) * size + to] = v.x - v.z;
    transformed[(4u * r + 1u) * size + to] = v.y + v.z;
    transformed[(4u * r + 2u) * size + to] = v.z - v.y;
    transformed[(4u * r + 3u) * size + to] = v.y - v.w;
  }
}

// x: tiles of the chunk, y: O
@compute @workgroup_size(64)
fn transformOutput(@builtin(global_invocation_id) id : vec3u) {
  let tile = shape.first + id.x;
  let n = tile / (shape.tilesH * shape.tilesW);
  if (id.x >= shape.count || n >= shape.N) {
    return;
  }
  let size = shape.O * shape.count;
  let source = id.y * shape.count + id.x;
  var rows : array<vec2f, 4>;
  for (var r = 0u; r < 4u; r++) {
    let m0 = products[(4u * r) * size + source];
    let m1 = products[(4u * r + 1u) * size + source];
    let m2 = products[(4u * r + 2u) * size + source];
    let m3 = products[(4u * r + 3u) * size + source];
    rows[r] = vec2f(m0 + m1 + m2, m1 - m2 - m3);
  }
  let b = select(0.0, bias[id.y], shape.hasBias == 1u);
  let above = rows[0] + rows[1] + rows[2] + b;
  let below = rows[1] - rows[2] - rows[3] + b;
  let p = (tile / shape.tilesW) % shape.tilesH * 2u;
  let q = tile % shape.tilesW * 2u;
  let to = ((n * shape.O + id.y) * shape.P + p) * shape.Q + q;
  let right = q + 1u < shape.Q;
  output[to] = above.x;
  if (right) {
    output[to + 1u] = above.y;
  }
  if (p + 1u < shape.P) {
    output[to + shape.Q] = below.x;
    if (right) {
      output[to + shape.Q + 1u] = below.y;
    }
  }
}

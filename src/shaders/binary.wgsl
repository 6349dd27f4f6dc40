// output = combine(a, b) with each operand repeated where its stride is 0. The operation's row in ops/arithmetic.ts appends
//   fn combine(a : f32, b : f32) -> f32
// Four axes at most; the last varies fastest.

struct Extent {
  count : u32,
  rowStride : u32,
  length1 : u32, length2 : u32, length3 : u32, // axis lengths; that of axis 0 is not needed
  a0 : u32, a1 : u32, a2 : u32, a3 : u32, // strides of a
  b0 : u32, b1 : u32, b2 : u32, b3 : u32, // strides of b
}

@group(0) @binding(0) var<uniform> extent : Extent;
@group(0) @binding(1) var<storage, read> a : array<f32>;
@group(0) @binding(2) var<storage, read> b : array<f32>;
@group(0) @binding(3) var<storage, read_write> output : array<f32>;

@compute @workgroup_size(64)
fn same(@builtin(workgroup_id) group : vec3u, @builtin(local_invocation_index) lane : u32) {
  let base = group.y * extent.rowStride + group.x * 512u + lane;
  for (var i = base; i < min(extent.count, base + 512u); i += 64u) {
    output[i] = combine(a[i], b[i]);
  }
}

@compute @workgroup_size(64)
fn repeated(@builtin(workgroup_id) group : vec3u, @builtin(local_invocation_index) lane : u32) {
  let base = group.y * extent.rowStride + group.x * 512u + lane;
  for (var i = base; i < min(extent.count, base + 512u); i += 64u) {
    let i3 = i % extent.length3;
    let r2 = i / extent.length3;
    let i2 = r2 % extent.length2;
    let r1 = r2 / extent.length2;
    let i1 = r1 % extent.length1;
    let i0 = r1 / extent.length1;
    let fromA = i0 * extent.a0 + i1 * extent.a1 + i2 * extent.a2 + i3 * extent.a3;
    let fromB = i0 * extent.b0 + i1 * extent.b1 + i2 * extent.b2 + i3 * extent.b3;
    output[i] = combine(a[fromA], b[fromB]);
  }
}

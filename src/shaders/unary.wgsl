// output = value(input), and its gradient: slope(input) * gradient. The operation's row in ops/elementwise.ts appends
//   fn value(x : f32) -> f32    and    fn slope(x : f32) -> f32
// which may read extent.parameter. Eight floats a thread.

struct Extent {
  count : u32,
  rowStride : u32, // elements that one row of workgroups covers
  parameter : f32,
}

@group(0) @binding(0) var<uniform> extent : Extent;
@group(0) @binding(1) var<storage, read> input : array<f32>;
@group(0) @binding(2) var<storage, read> gradient : array<f32>;
@group(0) @binding(3) var<storage, read_write> output : array<f32>;

@compute @workgroup_size(64)
fn forward(@builtin(workgroup_id) group : vec3u, @builtin(local_invocation_index) lane : u32) {
  let base = group.y * extent.rowStride + group.x * 512u + lane;
  for (var i = base; i < min(extent.count, base + 512u); i += 64u) {
    output[i] = value(input[i]);
  }
}

@compute @workgroup_size(64)
fn backward(@builtin(workgroup_id) group : vec3u, @builtin(local_invocation_index) lane : u32) {
  let base = group.y * extent.rowStride + group.x * 512u + lane;
  for (var i = base; i < min(extent.count, base + 512u); i += 64u) {
    output[i] = slope(input[i]) * gradient[i];
  }
}

// Sums of gradients, eight floats a thread.

struct Extent {
  count : u32,
  rowStride : u32, // elements that one row of workgroups covers
}

@group(0) @binding(0) var<uniform> extent : Extent;
@group(0) @binding(1) var<storage, read> first : array<f32>;
@group(0) @binding(2) var<storage, read> addend : array<f32>;
@group(0) @binding(3) var<storage, read_write> total : array<f32>;

fn start(group : vec3u, lane : u32) -> u32 {
  return group.y * extent.rowStride + group.x * 512u + lane;
}

@compute @workgroup_size(64)
fn addInto(@builtin(workgroup_id) group : vec3u, @builtin(local_invocation_index) lane : u32) {
  let base = start(group, lane);
  for (var i = base; i < min(extent.count, base + 512u); i += 64u) {
    total[i] += addend[i];
  }
}

@compute @workgroup_size(64)
fn addTwo(@builtin(workgroup_id) group : vec3u, @builtin(local_invocation_index) lane : u32) {
  let base = start(group, lane);
  for (var i = base; i < min(extent.count, base + 512u); i += 64u) {
    total[i] = first[i] + addend[i];
  }
}

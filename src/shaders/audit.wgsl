// Does a tensor hold a number that is not finite? Each tensor under audit has one flag. Eight floats a thread.

struct Extent {
  count : u32,
  rowStride : u32,
  flag : u32,
}

@group(0) @binding(0) var<uniform> extent : Extent;
@group(0) @binding(1) var<storage, read> input : array<f32>;
@group(0) @binding(2) var<storage, read_write> flags : array<atomic<u32>>;

@compute @workgroup_size(64)
fn check(@builtin(workgroup_id) group : vec3u, @builtin(local_invocation_index) lane : u32) {
  let base = group.y * extent.rowStride + group.x * 512u + lane;
  for (var i = base; i < min(extent.count, base + 512u); i += 64u) {
    if ((bitcast<u32>(input[i]) & 0x7f800000u) == 0x7f800000u) {
      atomicOr(&flags[extent.flag], 1u); // an or is the same in any order
    }
  }
}

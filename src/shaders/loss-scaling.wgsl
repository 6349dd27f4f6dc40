// Gradients of a scaled loss, divided by the scale again; and whether all of them are numbers. Eight floats a thread.

struct Extent {
  count : u32,
  rowStride : u32, // elements that one row of workgroups covers
}

@group(0) @binding(0) var<uniform> extent : Extent;
@group(0) @binding(1) var<storage, read> scale : array<f32>; // one number
@group(0) @binding(2) var<storage, read> scaled : array<f32>;
@group(0) @binding(3) var<storage, read_write> gradient : array<f32>;
@group(0) @binding(4) var<storage, read_write> overflows : array<atomic<u32>>; // one flag
@group(0) @binding(5) var<storage, read> overflow : array<u32>; // the same, for reading
@group(0) @binding(6) var<storage, read> loss : array<u32>; // bits of one float32
@group(0) @binding(7) var<storage, read_write> verdict : array<u32>; // bits of the loss, or of a NaN

@compute @workgroup_size(64)
fn unscale(@builtin(workgroup_id) group : vec3u, @builtin(local_invocation_index) lane : u32) {
  let factor = 1.0 / scale[0]; // a power of two: exact
  let base = group.y * extent.rowStride + group.x * 512u + lane;
  for (var i = base; i < min(extent.count, base + 512u); i += 64u) {
    let value = scaled[i];
    gradient[i] = value * factor;
    if ((bitcast<u32>(value) & 0x7f800000u) == 0x7f800000u) {
      atomicOr(&overflows[0], 1u); // an or is the same in any order
    }
  }
}

@compute @workgroup_size(1)
fn judge() {
  verdict[0] = select(loss[0], 0x7fc00000u, overflow[0] != 0u);
}

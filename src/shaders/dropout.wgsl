// output = input * keep / (1 - rate), keep drawn by Philox (lib/philox.wgsl) from the layer's key, the number of the draw and the
// position, so the backward pass draws the same mask again instead of storing it. Four floats a thread.

struct Extent {
  count : u32,
  rowStride : u32, // elements that one row of workgroups covers
  rate : f32,
}

@group(0) @binding(0) var<uniform> extent : Extent;
@group(0) @binding(1) var<storage, read> draw : array<u32>; // key (2), number of the draw, 0
@group(0) @binding(2) var<storage, read> input : array<f32>;
@group(0) @binding(3) var<storage, read_write> output : array<f32>;

@compute @workgroup_size(64)
fn apply(@builtin(workgroup_id) group : vec3u, @builtin(local_invocation_index) lane : u32) {
  let quad = (group.y * extent.rowStride + group.x * 256u) / 4u + lane;
  let bits = philox(vec4u(quad, 0u, draw[2], 0u), vec2u(draw[0], draw[1]));
  for (var k = 0u; k < 4u; k++) {
    let i = quad * 4u + k;
    if (i < extent.count) {
      output[i] = select(0.0, input[i] / (1.0 - extent.rate), uniform01(bits[k]) >= extent.rate);
    }
  }
}

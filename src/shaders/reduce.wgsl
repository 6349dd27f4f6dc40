// Sums and maxima over some axes of a tensor. The kept axes are numbered by `place` and the reduced ones by `r`; each is a pair of merged
// axes at most, so that NHW of NCHW, C of NCHW and HW of NCHW are all one kernel. The order of additions depends on the shape and LANES alone.
// ops/reduce.ts appends
//   fn start(x : f32) -> vec2f                     what to begin with, given any element
//   fn join(total : vec2f, x : vec2f) -> vec2f     x.y is what was rounded away from x.x, so that a long sum keeps its digits in any order
// and lib/special.wgsl.

struct Extent {
  places : u32, // elements of the output
  length : u32, // elements that are reduced to one
  slices : u32, // parts that `length` is cut into, each of its own workgroup
  keptLength : u32, keptStride0 : u32, keptStride1 : u32, // place = k0 * keptLength + k1
  reducedLength : u32, reducedStride0 : u32, reducedStride1 : u32, // r = r0 * reducedLength + r1
  factor : f32,
  zero : u32, // which no compiler knows
}

@group(0) @binding(0) var<uniform> extent : Extent;
@group(0) @binding(1) var<storage, read> input : array<f32>;
@group(0) @binding(2) var<storage, read_write> output : array<f32>; // places x slices

override LANES : u32 = 64u; // threads of a workgroup of `tree`: 64 on a GPU, one subgroup on a processor, where barriers are dear
var<workgroup> partial : array<vec2f, LANES>;

fn address(place : u32, r : u32) -> u32 {
  return (place / extent.keptLength) * extent.keptStride0 + (place % extent.keptLength) * extent.keptStride1
    + (r / extent.reducedLength) * extent.reducedStride0 + (r % extent.reducedLength) * extent.reducedStride1;
}

// What was rounded away from infinity is not a number.
fn settled(total : vec2f) -> f32 {
  return select(total.x, total.x + total.y, isFinite(total.x));
}

// One workgroup for each place and slice: x counts places, y slices.
@compute @workgroup_size(LANES)
fn tree(@builtin(workgroup_id) group : vec3u, @builtin(local_invocation_index) lane : u32) {
  let place = group.x;
  let sliceLength = (extent.length + extent.slices - 1u) / extent.slices;
  let first = group.y * sliceLength;
  let last = min(extent.length, first + sliceLength);
  var total = start(input[address(place, min(first, extent.length - 1u))]);
  for (var r = first + lane; r < last; r += LANES) {
    total = join(total, vec2f(input[address(place, r)], 0.0));
  }
  partial[lane] = total;
  workgroupBarrier();
  for (var half = LANES / 2u; half > 0u; half /= 2u) {
    if (lane < half) {
      partial[lane] = join(partial[lane], partial[lane + half]);
    }
    workgroupBarrier();
  }
  if (lane == 0u) {
    output[place * extent.slices + group.y] = settled(partial[0]) * extent.factor;
  }
}

// One thread for each place: for short reductions with many places.
@compute @workgroup_size(64)
fn serial(@builtin(workgroup_id) group : vec3u, @builtin(num_workgroups) groups : vec3u, @builtin(local_invocation_index) lane : u32) {
  let place = (group.y * groups.x + group.x) * 64u + lane;
  if (place >= extent.places) {
    return;
  }
  var total = start(input[address(place, 0u)]);
  for (var r = 0u; r < extent.length; r++) {
    total = join(total, vec2f(input[address(place, r)], 0.0));
  }
  output[place] = settled(total) * extent.factor;
}

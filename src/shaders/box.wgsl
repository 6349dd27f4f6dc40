// Copies a box of up to four axes from one tensor into another: slices, pads, joins, repeats and permutes.
//   output[offset + sum d_i * to_i] = input at position start_i + d_i * step_i of each axis i, or `filler` outside the input

struct Box {
  count : u32,
  rowStride : u32,
  length1 : u32, length2 : u32, length3 : u32, // lengths of the box; that of axis 0 is not needed
  to0 : u32, to1 : u32, to2 : u32, to3 : u32, // output strides
  offset : u32,
  start0 : i32, start1 : i32, start2 : i32, start3 : i32,
  step0 : i32, step1 : i32, step2 : i32, step3 : i32,
  from0 : i32, from1 : i32, from2 : i32, from3 : i32, // input strides
  size0 : i32, size1 : i32, size2 : i32, size3 : i32, // input lengths
  filler : f32,
  factor : f32,
}

@group(0) @binding(0) var<uniform> box : Box;
@group(0) @binding(1) var<storage, read> input : array<f32>;
@group(0) @binding(2) var<storage, read_write> output : array<f32>;
@group(0) @binding(3) var<storage, read> inputFours : array<vec4f>; // the input, four elements at a time
@group(0) @binding(4) var<storage, read_write> outputFours : array<vec4f>;

@compute @workgroup_size(64)
fn copy(@builtin(workgroup_id) group : vec3u, @builtin(local_invocation_index) lane : u32) {
  let base = group.y * box.rowStride + group.x * 512u + lane;
  for (var i = base; i < min(box.count, base + 512u); i += 64u) {
    let d3 = i % box.length3;
    let r2 = i / box.length3;
    let d2 = r2 % box.length2;
    let r1 = r2 / box.length2;
    let d1 = r1 % box.length1;
    let d0 = r1 / box.length1;
    let p0 = box.start0 + i32(d0) * box.step0;
    let p1 = box.start1 + i32(d1) * box.step1;
    let p2 = box.start2 + i32(d2) * box.step2;
    let p3 = box.start3 + i32(d3) * box.step3;
    let inside = p0 >= 0 && p1 >= 0 && p2 >= 0 && p3 >= 0
      && p0 < box.size0 && p1 < box.size1 && p2 < box.size2 && p3 < box.size3;
    var value = box.filler;
    if (inside) {
      value = input[u32(p0 * box.from0 + p1 * box.from1 + p2 * box.from2 + p3 * box.from3)] * box.factor;
    }
    output[box.offset + d0 * box.to0 + d1 * box.to1 + d2 * box.to2 + d3 * box.to3] = value;
  }
}

// The same for rows of contiguous elements on both sides: length3 elements of each of the rows of axis 2. x: elements, y: rows
@compute @workgroup_size(64)
fn copyRows(@builtin(workgroup_id) group : vec3u, @builtin(local_invocation_index) lane : u32) {
  let origin = u32(box.start2 * box.from2 + box.start3) + group.y * u32(box.from2);
  let place = box.offset + group.y * box.to2;
  for (var i = group.x * 512u + lane; i < min(box.length3, (group.x + 1u) * 512u); i += 64u) {
    output[place + i] = input[origin + i] * box.factor;
  }
}

// The same four elements at a time, where lengths, strides and beginnings divide by four.
@compute @workgroup_size(64)
fn copyRowsFours(@builtin(workgroup_id) group : vec3u, @builtin(local_invocation_index) lane : u32) {
  let origin = u32(box.start2 * box.from2 + box.start3) + group.y * u32(box.from2);
  let place = box.offset + group.y * box.to2;
  for (var i = group.x * 128u + lane; i < min(box.length3 / 4u, (group.x + 1u) * 128u); i += 64u) {
    outputFours[place / 4u + i] = inputFours[origin / 4u + i] * box.factor;
  }
}

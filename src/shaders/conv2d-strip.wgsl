// 3 x 3 convolutions of stride 1 for processors whose loads are dear and whose arithmetic is cheap (software adapters): each thread
// computes a strip of 8 pixels for 8 output channels (or of 8 x 2 pixels for 4), and every number that the whole subgroup needs is
// loaded once.
//
// The two large kernels, forward and gradWeight, are appended by conv2d-strip.ts beside this file, which unrolls their tiles into scalars:
// SwiftShader keeps neither arrays nor structs of them in registers.

struct Shape {
  N : u32, C : u32, H : u32, W : u32, // input
  O : u32, P : u32, Q : u32, // output
  padH : u32, padW : u32,
  tiles : u32, // groups of eight output channels
  strips : u32, // strips to a row
  hasBias : u32,
  slices : u32,
  flipped : u32, // pack: the weight of the convolution that is an input gradient
  tall : u32, // four output channels or fewer: a thread computes two rows of them instead of eight channels of one row
  rows : u32, // input rows that a strip reads: 3, or 4 when tall
  packedC : u32, packedR : u32, packedT : u32, packedS : u32, packedO : u32, // strides of the packed weight
  weightC : u32, weightFirst : u32, // channels of the weight, and the first that an input gradient or a piece of the input in gradWeight stands for
  firstC : u32, // forward: channels of the first of two inputs
  sums : u32, // forward: whether statistics are wanted
  normalised : u32, // gradWeight: relu(normalise(input)) is what is convolved
}

@group(0) @binding(0) var<uniform> shape : Shape;
@group(0) @binding(1) var<storage, read> input : array<f32>; // N C H W
@group(0) @binding(2) var<storage, read> weight : array<f32>; // pack: O C 3 3, or C O 3 3 when flipped
@group(0) @binding(3) var<storage, read_write> packed : array<f32>; // C rows tiles 3 8 for strips, C tiles 8 rows 3 for tiles; zero beyond O
@group(0) @binding(4) var<storage, read> bias : array<f32>;
@group(0) @binding(5) var<storage, read_write> output : array<f32>; // N O P Q
@group(0) @binding(17) var<storage, read> gradientPairs : array<vec2f>; // the gradient, two columns at a time
@group(0) @binding(16) var<storage, read> inputPairs : array<vec2f>; // the input, two columns at a time
@group(0) @binding(15) var<storage, read_write> outputPairs : array<vec2f>; // the output, two columns at a time
@group(0) @binding(6) var<storage, read> gradient : array<f32>; // N O P Q
@group(0) @binding(7) var<storage, read_write> partial : array<f32>; // O C 3 3 slices
@group(0) @binding(8) var<storage, read> slab : array<f32>; // packed, for reading
@group(0) @binding(10) var<storage, read> slabFours : array<vec4f>; // the same four at a time: C tiles 8 12, of which nine are taps
@group(0) @binding(9) var<storage, read_write> biasPartial : array<f32>; // O slices: sums of the gradient
@group(0) @binding(12) var<storage, read> input2Pairs : array<vec2f>; // the further channels of two inputs
@group(0) @binding(13) var<storage, read> moment2 : array<vec4f>;
@group(0) @binding(14) var<storage, read_write> statistics : array<vec4f>; // O x N * parts: mean, sum of squared deviations, count, nothing
@group(0) @binding(11) var<storage, read> moment : array<vec4f>; // C: mean, 1 / deviation, factor and offset, where normalised

// One thread for each input channel and place in a tile.
@compute @workgroup_size(64)
fn pack(@builtin(global_invocation_id) id : vec3u) {
  let i = id.x + id.y * 65535u * 64u;
  if (i >= shape.C * shape.tiles * 8u) {
    return;
  }
  let lane = i % 8u;
  let tile = (i / 8u) % shape.tiles;
  let c = i / (8u * shape.tiles);
  let second = select(0u, 1u, shape.tall == 1u && lane >= 4u); // the second output row sees input row r through the taps of row r - 1
  let o = tile * 8u + lane - 4u * second;
  let live = o < shape.O && (shape.tall == 0u || lane % 4u < shape.O);
  let source = select(min(o, shape.O - 1u) * shape.C + c, c * shape.weightC + shape.weightFirst + min(o, shape.O - 1u), shape.flipped == 1u) * 9u;
  for (var r = 0u; r < shape.rows; r++) {
    let row = r - second; // beyond the last for r = 0
    let known = live && row < 3u;
    for (var s = 0u; s < 3u; s++) {
      let tap = select(0u, row * 3u + s, known);
      let value = weight[source + select(tap, 8u - tap, shape.flipped == 1u)];
      let place = c * shape.packedC + r * shape.packedR + tile * shape.packedT + s * shape.packedS + lane * shape.packedO;
      packed[place] = select(0.0, value, known);
    }
  }
}

fn writeWeight(o : u32, c : u32, tap : u32, slice : u32, value : f32) {
  if (c < shape.C) {
    partial[((o * shape.weightC + shape.weightFirst + c) * 9u + tap) * shape.slices + slice] = value;
  }
}

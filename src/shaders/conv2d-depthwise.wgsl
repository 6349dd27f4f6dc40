// Depthwise convolutions: each output channel reads one input channel, output o the input channel o / multiplier.
//
//   output[n, o, p, q]     = bias[o] + sum over r, s of input[n, o / multiplier, p * strideH + r * dilationH - padH, ...] * weight[o, r, s]
//   inputGradient[n, c, h, w] gathers from every output that read it, of all outputs of the channel
//   weightGradient[o, r, s] = sum over n, p, q of gradient[n, o, p, q] * input[n, o / multiplier, p * strideH + r * dilationH - padH, ...]
//
// A thread has a tile of one channel's plane, and loads whatever its sums read once. The kernels are appended by conv2d-depthwise.ts beside
// this file, which unrolls tile and window into scalars. Forward and gradient of the input are one text: they differ in where a tap reads.

struct Shape {
  N : u32,
  channels : u32, height : u32, width : u32, // of what is written; in gradWeight, of the gradient
  sourceChannels : u32, sourceHeight : u32, sourceWidth : u32, // of what is read; in gradWeight, of the input
  down : u32, across : u32, // tiles of a plane
  top : i32, left : i32, // what the first tile's first tap reads, as if nothing lay before it
  multiplier : u32, // outputs of an input channel
  hasBias : u32,
  slices : u32, // gradWeight: parts of the tiles of all images that are summed apart
}

@group(0) @binding(0) var<uniform> shape : Shape;
@group(0) @binding(1) var<storage, read> source : array<f32>; // the input, or in gradInput the gradient of the output
@group(0) @binding(2) var<storage, read> weight : array<f32>; // O 1 R S
@group(0) @binding(3) var<storage, read> bias : array<f32>;
@group(0) @binding(4) var<storage, read_write> output : array<f32>;
@group(0) @binding(5) var<storage, read> gradient : array<f32>; // gradWeight: N O P Q
@group(0) @binding(6) var<storage, read_write> partial : array<f32>; // O 1 R S slices

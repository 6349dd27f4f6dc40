/**
 * The tiled kernels of conv2d-gemm.wgsl as text: gather (forward and gradient of the input) and gradWeight.
 *
 * A workgroup of `down` x `across` threads computes a tile of `down * own` channels x `across * 4` columns; a thread has `own` x 4 of it in
 * registers. Each turn brings 16 products' worth of both factors into workgroup memory: `a` by four channels, `b` by four columns, so
 * that a thread reads own/4 + 1 vectors for own * 4 multiplications. Every accumulator is a variable with a name; see conv2d-strip.ts.
 *
 * What is around a convolution is taken in: the input of a forward pass or of a weight's gradient may be one that nobody has written (Inputs),
 * and gather can leave the statistics of its output for the normalisation that follows.
 */
import type { Inputs } from './conv2d-tile-rows.ts';

export interface GemmTile {
  /** Channels of a thread: 4 or 8. */
  readonly own: number;
  readonly down: number;
  readonly across: number;
}

/** Products of a turn. */
export const DEPTH = 16;
/** Turns whose products are summed apart. */
const TURNS_OF_BLOCK = 4;

export const channelsOf = ({ own, down }: GemmTile) => own * down;
export const columnsOf = ({ across }: GemmTile) => across * 4;

const each = (count: number, line: (i: number) => string, between = '\n') =>
  Array.from({ length: count }, (_, i) => line(i)).join(between);

/** The products of the turn in workgroup memory; `strideA` and `strideB` are vectors from one product to the next. */
const multiply = ({ own }: GemmTile, strideA: number, strideB: number) => `
      for (var k = 0u; k < ${DEPTH}u; k++) {
        let x = b[k * ${strideB}u + column];
${each(own / 4, (v) => `        let w${v} = a[k * ${strideA}u + row * ${own / 4}u + ${v}u]; ${each(4, (e) => `s${4 * v + e} = fma(vec4f(w${v}[${e}]), x, s${4 * v + e});`, ' ')}`)}
      }`;

const addBlock = ({ own }: GemmTile) => each(own, (m) => `t${m} += s${m}; s${m} = vec4f();`, ' ');
const accumulators = ({ own }: GemmTile) =>
  each(own, (m) => `  var s${m} = vec4f(); var t${m} = vec4f(); // a block, the whole`);

export interface GatherOptions {
  /** Four columns at a time, for 1 x 1 convolutions of stride 1 over planes whose size divides by four; not of what is enlarged or joined. */
  readonly vectors: boolean;
  readonly inputs: Inputs;
  /** Whether it leaves statistics. */
  readonly gathers: boolean;
}

const halved = (inputs: Inputs) => (inputs === 'enlarged' ? ' / 2u' : '');

/** Text that names as `x` the four columns of channel c + k, zero outside of the image. */
function columnsOfChannel({ vectors, inputs }: GatherOptions): string {
  const load = (input: string, image: string) =>
    vectors
      ? `input4[select(0u, (image0 + place0 + channel * plane) / 4u, known && ok0)]`
      : `vec4f(${each(4, (j) => `${input}[select(0u, ${image}${j} + place${j} + channel * plane, known && ok${j})]`, ', ')})`;
  const live = vectors ? 'vec4<bool>(known && ok0)' : `vec4<bool>(${each(4, (j) => `known && ok${j}`, ', ')})`;
  const masked = (value: string) => `let x = select(vec4f(), ${value}, ${live});`;
  if (inputs === 'written') return masked(load('input', 'image'));
  const own = 'let own = select(0u, channel, known);';
  if (inputs !== 'joined') return `${own} ${masked(`fitted(${load('input', 'image')}, moment[own])`)}`;
  return `${own}
          var m : vec4f;
          var value : vec4f;
          if (own < shape.firstC) {
            m = moment[own];
            value = ${load('input', 'image')};
          } else {
            m = moment2[own - shape.firstC];
            value = ${load('input2', 'second')};
          }
          ${masked('fitted(value, m)')}`;
}

/**
 * Text that leaves the mean and the squared deviations of each channel over the tile's columns. Each thread has those of its four columns, and one
 * thread for four channels puts those of a row together, in their order, by T. Chan's formula.
 */
function statistics(tile: GemmTile, vectors: boolean): string {
  const { own, across } = tile;
  const rows = channelsOf(tile) / 4;
  const sum = (m: number, term: (value: string) => string) =>
    `(${each(2, (h) => `(${each(2, (e) => `select(0.0, ${term(`t${m}[${2 * h + e}]`)}, live${vectors ? 0 : 2 * h + e})`, ' + ')})`, ' + ')})`;
  const four = (v: number, one: (m: number, e: number) => string) =>
    `vec4f(${each(4, (e) => one(4 * v + e, e), ', ')})`;
  return `
  let part = group.y * groups.x + group.x;
  let before = part * ${columnsOf(tile)}u;
  let count = min(${columnsOf(tile)}u, max(shape.N * size, before) - before);
  let live = f32(max(1u, columnsOfThread(count, column)));
${each(own / 4, (v) => `  { let total = ${four(v, (m) => sum(m, (value) => value))}; let mean = total / live; let at = (row * ${own / 4}u + ${v}u) * ${across}u + column; means[at] = mean; spreads[at] = ${four(v, (m, e) => sum(m, (value) => `(${value} - mean[${e}]) * (${value} - mean[${e}])`))}; }`)}
  workgroupBarrier();
  if (local < ${rows}u && part < shape.sums) {
    let start = local * ${across}u;
    var mean = vec4f();
    for (var i = 0u; i < ${across}u; i++) { mean += means[start + i] * f32(columnsOfThread(count, i)); }
    mean /= max(1.0, f32(count));
    var spread = vec4f();
    for (var i = 0u; i < ${across}u; i++) {
      let distance = means[start + i] - mean;
      spread += fma(distance * distance, vec4f(f32(columnsOfThread(count, i))), spreads[start + i]);
    }
    for (var e = 0u; e < 4u; e++) {
      let o = tile * ${4 * rows}u + local * 4u + e;
      if (o < shape.O) {
        let channel = portion * shape.O + o;
        let b = select(0.0, bias[channel], shape.hasBias == 1u);
        statistics[channel * shape.sums + part] = vec4f(mean[e] + b, spread[e], f32(count), 0.0);
      }
    }
  }`;
}

/** What statistics() needs beside the kernel: room for a vector a thread and four channels, and how many of the tile's `count` columns thread i has. */
const statisticsRoom = (tile: GemmTile, vectors: boolean) => `
var<workgroup> means : array<vec4f, ${(channelsOf(tile) / 4) * tile.across}>;
var<workgroup> spreads : array<vec4f, ${(channelsOf(tile) / 4) * tile.across}>;

fn columnsOfThread(count : u32, i : u32) -> u32 {
  return ${vectors ? 'min(4u, max(count, 4u * i) - 4u * i)' : `(max(count, i) - i + ${tile.across - 1}u) / ${tile.across}u`};
}`;

/** Text of a gather that names what a workgroup computes, by its z: a tile of `channels`, a phase, a portion; and an image's positions of that phase. */
export const gatherPlaces = (channels: number) => `  let tiles = shape.paddedO / ${channels}u;
  let tile = group.z % tiles;
  let phase = (group.z / tiles) % (shape.phasesH * shape.phasesW);
  let portion = group.z / (tiles * shape.phasesH * shape.phasesW);
  let phaseH = phase / shape.phasesW;
  let phaseW = phase % shape.phasesW;
  let columns = (shape.Q + shape.phasesW - 1u) / shape.phasesW;
  let size = columns * ((shape.P + shape.phasesH - 1u) / shape.phasesH);`;

/** Text of a gather that does `body` for each tap (r, s) that the phase is read by, `alongH` and `alongW` from a position of the phase. */
export const forEachTap = (body: string) => `  for (var r = 0u; r < shape.R; r++) {
    let alongH = select(i32(r * shape.dilationH) - i32(shape.padH), i32(phaseH + shape.padH) - i32(r * shape.dilationH), shape.backward == 1u);
    if (alongH % i32(shape.phasesH) != 0) {
      continue;
    }
    for (var s = 0u; s < shape.S; s++) {
      let alongW = select(i32(s * shape.dilationW) - i32(shape.padW), i32(phaseW + shape.padW) - i32(s * shape.dilationW), shape.backward == 1u);
      if (alongW % i32(shape.phasesW) != 0) {
        continue;
      }
${body}
    }
  }`;

/** Text of a weight's gradient that names what a workgroup adds up, by its z: positions of a slice, in turns of `depth`, for a portion. */
export const gradWeightPlaces = (depth: number) => `  let portion = group.z / shape.slices;
  let slice = group.z % shape.slices;
  let taps = shape.R * shape.S;
  let columns = shape.C * taps;
  let plane = shape.P * shape.Q;
  let positions = shape.N * plane;
  let perSlice = ((positions + shape.slices - 1u) / shape.slices + ${depth - 1}u) / ${depth}u * ${depth}u;
  let last = min(positions, (slice + 1u) * perSlice);`;

/** Workgroup memory of a gather that leaves statistics. */
export const workgroupBytes = (tile: GemmTile) =>
  16 * (DEPTH * (channelsOf(tile) / 4 + tile.across) + (channelsOf(tile) / 2) * tile.across);

/** x, y: positions of all images and of one phase; z: tiles of channels, phases, portions. */
export function gatherCode(tile: GemmTile, options: GatherOptions): string {
  const { vectors, inputs, gathers } = options;
  const { own, down, across } = tile;
  const threads = down * across;
  const widthA = channelsOf(tile) / 4;
  const half = halved(inputs);
  return `
var<workgroup> a : array<vec4f, ${DEPTH * widthA}>;
var<workgroup> b : array<vec4f, ${DEPTH * across}>;
${gathers ? statisticsRoom(tile, vectors) : ''}

@compute @workgroup_size(${threads})
fn gather(
  @builtin(workgroup_id) group : vec3u,
  @builtin(num_workgroups) groups : vec3u,
  @builtin(local_invocation_index) local : u32,
) {
  let column = local % ${across}u;
  let row = local / ${across}u;
${gatherPlaces(channelsOf(tile))}
  let first = (group.y * groups.x + group.x) * ${4 * across}u + column${vectors ? ' * 4u' : ''};
  let width = shape.W${half};
  let plane = (shape.H${half}) * width;
  let channels = shape.portions * shape.C;
${each(vectors ? 1 : 4, (j) => `  let m${j} = first + ${j * across}u; let n${j} = m${j} / size; let i${j} = (m${j} % size) / columns; let j${j} = m${j} % columns; let live${j} = n${j} < shape.N; let image${j} = n${j} * ${inputs === 'joined' ? 'shape.firstC' : 'channels'} * plane;${inputs === 'joined' ? ` let second${j} = (n${j} * (channels - shape.firstC) - shape.firstC) * plane;` : ''}`)}
${accumulators(tile)}
${forEachTap(`${each(vectors ? 1 : 4, (j) => `      let h${j} = i32(i${j} * shape.stepH) + alongH / i32(shape.phasesH); let w${j} = i32(j${j} * shape.stepW) + alongW / i32(shape.phasesW); let ok${j} = live${j} && h${j} >= 0 && h${j} < i32(shape.H) && w${j} >= 0 && w${j} < i32(shape.W); let place${j} = (u32(h${j})${half}) * width + u32(w${j})${half};`)}
      let taps = (portion * shape.R * shape.S + r * shape.S + s) * shape.paddedC;
      for (var c = 0u; c < shape.C; c += ${DEPTH}u) {
        for (var i = local; i < ${DEPTH * widthA}u; i += ${threads}u) {
          a[i] = slab[((taps + c + i / ${widthA}u) * shape.paddedO + tile * ${channelsOf(tile)}u) / 4u + i % ${widthA}u];
        }
        for (var k = row; k < ${DEPTH}u; k += ${down}u) {
          let known = c + k < shape.C;
          let channel = portion * shape.C + c + k;
          ${columnsOfChannel(options)}
          b[k * ${across}u + column] = x;
        }
        workgroupBarrier();${multiply(tile, widthA, across)}
        workgroupBarrier();
        if (c % ${DEPTH * TURNS_OF_BLOCK}u == ${DEPTH * (TURNS_OF_BLOCK - 1)}u) {
          ${addBlock(tile)}
        }
      }
      ${addBlock(tile)}`)}
${gathers ? statistics(tile, vectors) : ''}
  let o = tile * ${channelsOf(tile)}u + row * ${own}u;
${each(vectors ? 1 : 4, (j) => `  let p${j} = phaseH + i${j} * shape.phasesH; let q${j} = phaseW + j${j} * shape.phasesW; let in${j} = live${j} && p${j} < shape.P && q${j} < shape.Q; let to${j} = ((n${j} * shape.portions + portion) * shape.O + o) * shape.P * shape.Q + p${j} * shape.Q + q${j};`)}
${each(
  own,
  (m) => `  if (o + ${m}u < shape.O) {
    let sum = t${m} + select(0.0, bias[portion * shape.O + o + ${m}u], shape.hasBias == 1u);
${
  vectors
    ? `    if (in0) { output4[(to0 + ${m}u * shape.P * shape.Q) / 4u] = sum; }`
    : each(4, (j) => `    if (in${j}) { output[to${j} + ${m}u * shape.P * shape.Q] = sum[${j}]; }`)
}
  }`,
)}
}`;
}

/** x: tiles of columns (c, r, s), y: tiles of O, z: slices, portions. `inputs`: not joined ones, whose pieces come one after the other. */
export function gradWeightCode(tile: GemmTile, inputs: Exclude<Inputs, 'joined'>): string {
  const { own, down, across } = tile;
  const threads = down * across;
  const widthA = channelsOf(tile) / 4;
  const loaders = threads / DEPTH; // threads that load at the same position
  const [strideA, strideB] = [widthA + 1, across + 1]; // odd, so that neighbouring positions lie in different banks
  const half = halved(inputs);
  const fits = inputs !== 'written';
  const place = (e: number) =>
    `let place${e} = places[4u * v + ${e}u]; let h${e} = h + place${e}.y; let w${e} = w + place${e}.z; let ok${e} = live && place${e}.w == 1 && h${e} >= 0 && h${e} < i32(shape.H) && w${e} >= 0 && w${e} < i32(shape.W); let y${e} = input[select(0u, image + u32(place${e}.x) + (u32(h${e})${half}) * width + u32(w${e})${half}, ok${e})]; let x${e} = select(0.0, ${fits ? `fitted(vec4f(y${e}), moments[4u * v + ${e}u]).x` : `y${e}`}, ok${e});`;
  return `
var<workgroup> a : array<vec4f, ${DEPTH * strideA}>;
var<workgroup> b : array<vec4f, ${DEPTH * strideB}>;
var<workgroup> places : array<vec4i, ${4 * across}>; // of a column: its plane, its tap along H and W, whether there is one
${fits ? `var<workgroup> moments : array<vec4f, ${4 * across}>;` : ''}

@compute @workgroup_size(${threads})
fn gradWeight(@builtin(workgroup_id) group : vec3u, @builtin(local_invocation_index) local : u32) {
  let column = local % ${across}u;
  let row = local / ${across}u;
  let turn = local % ${DEPTH}u;
  let loader = local / ${DEPTH}u;
${gradWeightPlaces(DEPTH)}
  let firstO = group.y * ${channelsOf(tile)}u;
  let firstColumn = group.x * ${4 * across}u;
  let width = shape.W${half};
  let inputPlane = (shape.H${half}) * width;
  for (var i = local; i < ${4 * across}u; i += ${threads}u) {
    let k = firstColumn + i;
    let r = (k % taps) / shape.S;
    let s = k % shape.S;
    let dh = i32(r * shape.dilationH) - i32(shape.padH);
    let dw = i32(s * shape.dilationW) - i32(shape.padW);
    places[i] = vec4i(i32(k / taps * inputPlane), dh, dw, select(0, 1, k < columns));
${fits ? '    moments[i] = moment[portion * shape.C + min(k / taps, shape.C - 1u)];' : ''}
  }
  workgroupBarrier();
${accumulators(tile)}
  var turns = 0u;
  for (var start = slice * perSlice; start < last; start += ${DEPTH}u) {
    let position = start + turn;
    let live = position < last;
    let n = position / plane;
    let inPlane = position % plane;
    let h = i32(inPlane / shape.Q * shape.stepH);
    let w = i32(inPlane % shape.Q * shape.stepW);
    let outputs = (n * shape.portions + portion) * shape.O * plane + inPlane;
    let image = (n * shape.portions + portion) * shape.C * inputPlane;
    for (var v = loader; v < ${widthA}u; v += ${loaders}u) {
      let o = firstO + 4u * v;
${each(4, (e) => `      let known${e} = live && o + ${e}u < shape.O; let y${e} = select(0.0, gradient[select(0u, outputs + (o + ${e}u) * plane, known${e})], known${e});`)}
      a[turn * ${strideA}u + v] = vec4f(${each(4, (e) => `y${e}`, ', ')});
    }
    for (var v = loader; v < ${across}u; v += ${loaders}u) {
${each(4, (e) => `      ${place(e)}`)}
      b[turn * ${strideB}u + v] = vec4f(${each(4, (e) => `x${e}`, ', ')});
    }
    workgroupBarrier();${multiply(tile, strideA, strideB)}
    workgroupBarrier();
    turns++;
    if (turns % ${TURNS_OF_BLOCK}u == 0u) {
      ${addBlock(tile)}
    }
  }
  ${addBlock(tile)}
  let o = firstO + row * ${own}u;
  let k = firstColumn + column * 4u;
${each(
  own,
  (m) => `  if (o + ${m}u < shape.O) {
    let to = ((slice * shape.portions + portion) * shape.O + o + ${m}u) * shape.weightC * taps + shape.weightFirst * taps + k;
${each(4, (e) => `    if (k + ${e}u < columns) { partial[to + ${e}u] = t${m}[${e}]; }`)}
  }`,
)}
}`;
}

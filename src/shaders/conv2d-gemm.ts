/**
 * The tiled kernels of conv2d-gemm.wgsl as text: gather (forward and gradient of the input) and gradWeight.
 *
 * A workgroup of `down` x `across` threads computes a tile of `down * own` channels x `across * 4` columns; a thread has `own` x 4 of it in
 * registers. Each turn brings 16 products' worth of both factors into workgroup memory: `a` by four channels, `b` by four columns, so
 * that a thread reads own/4 + 1 vectors for own * 4 multiplications. Every accumulator is a variable with a name; see conv2d-strip.ts.
 */
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

/**
 * x, y: positions of all images and of one phase; z: tiles of channels, phases, portions.
 * `vectors`: four columns at a time, for 1 x 1 convolutions of stride 1 over planes whose size divides by four.
 */
export function gatherCode(tile: GemmTile, vectors: boolean): string {
  const { own, down, across } = tile;
  const threads = down * across;
  const widthA = channelsOf(tile) / 4;
  const zero = (type: string, ok: string, at: string, from: string) =>
    `select(${type}(), ${from}[select(0u, ${at}, ${ok})], ${ok})`;
  return `
var<workgroup> a : array<vec4f, ${DEPTH * widthA}>;
var<workgroup> b : array<vec4f, ${DEPTH * across}>;

@compute @workgroup_size(${threads})
fn gather(
  @builtin(workgroup_id) group : vec3u,
  @builtin(num_workgroups) groups : vec3u,
  @builtin(local_invocation_index) local : u32,
) {
  let column = local % ${across}u;
  let row = local / ${across}u;
  let tiles = shape.paddedO / ${channelsOf(tile)}u;
  let tile = group.z % tiles;
  let phase = (group.z / tiles) % (shape.phasesH * shape.phasesW);
  let portion = group.z / (tiles * shape.phasesH * shape.phasesW);
  let phaseH = phase / shape.phasesW;
  let phaseW = phase % shape.phasesW;
  let columns = (shape.Q + shape.phasesW - 1u) / shape.phasesW;
  let plane = columns * ((shape.P + shape.phasesH - 1u) / shape.phasesH);
  let first = (group.y * groups.x + group.x) * ${4 * across}u + column${vectors ? ' * 4u' : ''};
  let channelStride = shape.H * shape.W;
${each(vectors ? 1 : 4, (j) => `  let m${j} = first + ${j * across}u; let n${j} = m${j} / plane; let i${j} = (m${j} % plane) / columns; let j${j} = m${j} % columns; let live${j} = n${j} < shape.N; let image${j} = (n${j} * shape.portions + portion) * shape.C * channelStride;`)}
${accumulators(tile)}
  for (var r = 0u; r < shape.R; r++) {
    let alongH = select(i32(r * shape.dilationH) - i32(shape.padH), i32(phaseH + shape.padH) - i32(r * shape.dilationH), shape.backward == 1u);
    if (alongH % i32(shape.phasesH) != 0) {
      continue;
    }
    for (var s = 0u; s < shape.S; s++) {
      let alongW = select(i32(s * shape.dilationW) - i32(shape.padW), i32(phaseW + shape.padW) - i32(s * shape.dilationW), shape.backward == 1u);
      if (alongW % i32(shape.phasesW) != 0) {
        continue;
      }
${each(vectors ? 1 : 4, (j) => `      let h${j} = i32(i${j} * shape.stepH) + alongH / i32(shape.phasesH); let w${j} = i32(j${j} * shape.stepW) + alongW / i32(shape.phasesW); let ok${j} = live${j} && h${j} >= 0 && h${j} < i32(shape.H) && w${j} >= 0 && w${j} < i32(shape.W); let at${j} = image${j} + u32(h${j}) * shape.W + u32(w${j});`)}
      let taps = (portion * shape.R * shape.S + r * shape.S + s) * shape.paddedC;
      for (var c = 0u; c < shape.C; c += ${DEPTH}u) {
        for (var i = local; i < ${DEPTH * widthA}u; i += ${threads}u) {
          a[i] = slab[((taps + c + i / ${widthA}u) * shape.paddedO + tile * ${channelsOf(tile)}u) / 4u + i % ${widthA}u];
        }
        for (var k = row; k < ${DEPTH}u; k += ${down}u) {
          let known = c + k < shape.C;
          let channel = (c + k) * channelStride;
          b[k * ${across}u + column] = ${
            vectors
              ? zero('vec4f', '(known && ok0)', '(at0 + channel) / 4u', 'input4')
              : `vec4f(${each(4, (j) => zero('f32', `(known && ok${j})`, `at${j} + channel`, 'input'), ', ')})`
          };
        }
        workgroupBarrier();${multiply(tile, widthA, across)}
        workgroupBarrier();
        if (c % ${DEPTH * TURNS_OF_BLOCK}u == ${DEPTH * (TURNS_OF_BLOCK - 1)}u) {
          ${addBlock(tile)}
        }
      }
      ${addBlock(tile)}
    }
  }
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

/** x: tiles of columns (c, r, s), y: tiles of O, z: slices, portions. */
export function gradWeightCode(tile: GemmTile): string {
  const { own, down, across } = tile;
  const threads = down * across;
  const widthA = channelsOf(tile) / 4;
  const loaders = threads / DEPTH; // threads that load at the same position
  const [strideA, strideB] = [widthA + 1, across + 1]; // odd, so that neighbouring positions lie in different banks
  return `
var<workgroup> a : array<vec4f, ${DEPTH * strideA}>;
var<workgroup> b : array<vec4f, ${DEPTH * strideB}>;
var<workgroup> places : array<vec4i, ${4 * across}>; // of a column: its plane, its tap along H and W, whether there is one

@compute @workgroup_size(${threads})
fn gradWeight(@builtin(workgroup_id) group : vec3u, @builtin(local_invocation_index) local : u32) {
  let column = local % ${across}u;
  let row = local / ${across}u;
  let turn = local % ${DEPTH}u;
  let loader = local / ${DEPTH}u;
  let portion = group.z / shape.slices;
  let slice = group.z % shape.slices;
  let taps = shape.R * shape.S;
  let columns = shape.C * taps;
  let plane = shape.P * shape.Q;
  let positions = shape.N * plane;
  let perSlice = ((positions + shape.slices - 1u) / shape.slices + ${DEPTH - 1}u) / ${DEPTH}u * ${DEPTH}u;
  let last = min(positions, (slice + 1u) * perSlice);
  let firstO = group.y * ${channelsOf(tile)}u;
  let firstColumn = group.x * ${4 * across}u;
  for (var i = local; i < ${4 * across}u; i += ${threads}u) {
    let k = firstColumn + i;
    let r = (k % taps) / shape.S;
    let s = k % shape.S;
    let dh = i32(r * shape.dilationH) - i32(shape.padH);
    let dw = i32(s * shape.dilationW) - i32(shape.padW);
    places[i] = vec4i(i32(k / taps * shape.H * shape.W), dh, dw, select(0, 1, k < columns));
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
    let image = (n * shape.portions + portion) * shape.C * shape.H * shape.W;
    for (var v = loader; v < ${widthA}u; v += ${loaders}u) {
      let o = firstO + 4u * v;
${each(4, (e) => `      let known${e} = live && o + ${e}u < shape.O; let y${e} = select(0.0, gradient[select(0u, outputs + (o + ${e}u) * plane, known${e})], known${e});`)}
      a[turn * ${strideA}u + v] = vec4f(${each(4, (e) => `y${e}`, ', ')});
    }
    for (var v = loader; v < ${across}u; v += ${loaders}u) {
${each(4, (e) => `      let place${e} = places[4u * v + ${e}u]; let h${e} = h + place${e}.y; let w${e} = w + place${e}.z; let ok${e} = live && place${e}.w == 1 && h${e} >= 0 && h${e} < i32(shape.H) && w${e} >= 0 && w${e} < i32(shape.W); let x${e} = select(0.0, input[select(0u, image + u32(place${e}.x) + u32(h${e}) * shape.W + u32(w${e}), ok${e})], ok${e});`)}
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
    let to = ((slice * shape.portions + portion) * shape.O + o + ${m}u) * columns + k;
${each(4, (e) => `    if (k + ${e}u < columns) { partial[to + ${e}u] = t${m}[${e}]; }`)}
  }`,
)}
}`;
}

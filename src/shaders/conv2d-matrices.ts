/**
 * The tiled kernels of conv2d-gemm.wgsl with products of matrices (matrix-product.ts) in their middle: gather (forward and gradient of the input)
 * and gradWeight.
 *
 * A workgroup of `down` x `across` subgroups computes a tile of channels x columns, a subgroup `high` x `wide` matrices of it. Each turn brings
 * `depth` products' worth of both factors into workgroup memory, `a` and `b`, product by product; what lies beyond an edge is zero there, since a
 * matrix is always read whole. A result cannot be looked into: it goes through `results` into the lanes' registers, where float32 sums are added up
 * by blocks and the bias is added.
 */
import { forEachTap, gatherPlaces, gradWeightPlaces } from './conv2d-gemm.ts';
import type { MatrixConfig, MatrixProduct } from './matrix-product.ts';

export interface MatrixTile {
  /** Subgroups. */
  readonly down: number;
  readonly across: number;
  /** Matrices of a subgroup. */
  readonly high: number;
  readonly wide: number;
}

/** Products of float32 operands that are summed apart. Float16 ones have lost more in their own rounding. */
const BLOCK = 64;

/** Matrices of a subgroup that go through `results` at once: blocks are added often, and every barrier waits for all. */
const togetherOf = ({ type }: MatrixConfig, { wide }: MatrixTile) => (type === 'f32' ? wide : 1);
const bytesOf = ({ type }: MatrixConfig) => (type === 'f16' ? 2 : 4);

/** Sizes of a workgroup and of what it keeps in workgroup memory. */
export function sizesOf(config: MatrixConfig, tile: MatrixTile) {
  const { down, across, high, wide } = tile;
  const { M, N, K, lanes } = config;
  const [channels, columns] = [down * high * M, across * wide * N];
  const [threads, bytes] = [down * across * lanes, bytesOf(config)];
  /** Products of a turn: 64 bytes of a row. */
  const depth = K * Math.max(1, Math.floor(64 / bytes / K));
  // Rows begin at multiples of 16 bytes, as Vulkan wants them, in different banks.
  const pad = 16 / bytes;
  const [strideA, strideB] = [channels + pad, columns + pad];
  const results = down * across * togetherOf(config, tile) * M * N;
  const places = columns * (config.type === 'f32' ? 16 : 4); // gradWeight, of float32 alone, has the longer ones
  const storage = depth * (strideA + strideB) * bytes + results * 4 + places;
  return { channels, columns, threads, depth, strideA, strideB, results, storage };
}

/** Whether the threads of a workgroup can share its work evenly. */
export function divides(config: MatrixConfig, tile: MatrixTile): boolean {
  const { columns, threads, depth } = sizesOf(config, tile);
  const even = (a: number, b: number) => a % b === 0 || b % a === 0;
  return (
    config.M % 4 === 0 && (config.M * config.N) % config.lanes === 0 && even(columns, threads) && threads % depth === 0
  );
}

const each = (count: number, line: (i: number) => string, between = '\n') =>
  Array.from({ length: count }, (_, i) => line(i)).join(between);
const eachMatrix = ({ high, wide }: MatrixTile, line: (x: number, y: number) => string, between = '\n') =>
  each(high, (x) => each(wide, (y) => line(x, y), between), between);
const shareOf = ({ M, N, lanes }: MatrixConfig) => (M * N) / lanes;

const memory = (product: MatrixProduct, tile: MatrixTile) => {
  const { depth, strideA, strideB, results } = sizesOf(product, tile);
  return `${product.declarations}
var<workgroup> a : array<Element, ${depth * strideA}>; // products, channels
var<workgroup> b : array<Element, ${depth * strideB}>; // products, columns
var<workgroup> results : array<f32, ${results}>; // subgroups, matrices, M N`;
};

/** A block's sums, as matrices, and the whole's, a lane's share of each matrix. */
const accumulators = (product: MatrixProduct, tile: MatrixTile) => `  ${product.begin}
  let down = subgroup / ${tile.across}u;
  let across = subgroup % ${tile.across}u;
${product.type === 'f32' ? '  var turns = 0u;\n' : ''}${eachMatrix(tile, (x, y) => `  var s${x}_${y} = Result(); ${each(shareOf(product), (i) => `var t${x}_${y}_${i} = 0.0;`, ' ')}`)}`;

/** The products of the turn in workgroup memory. */
function multiply(product: MatrixProduct, tile: MatrixTile): string {
  const { M, N, K } = product;
  const { high, wide } = tile;
  const { depth, strideA, strideB } = sizesOf(product, tile);
  return `
        for (var k = 0u; k < ${depth}u; k += ${K}u) {
${each(high, (x) => `          let l${x} = ${product.left(`k * ${strideA}u + (down * ${high}u + ${x}u) * ${M}u`, strideA)};`)}
${each(wide, (y) => `          let r${y} = ${product.right(`k * ${strideB}u + (across * ${wide}u + ${y}u) * ${N}u`, strideB)};`)}
${eachMatrix(tile, (x, y) => `          s${x}_${y} = ${product.multiplyAccumulate(`l${x}`, `r${y}`, `s${x}_${y}`)};`)}
        }`;
}

/** Adds the block's sums to the whole's. All threads of a workgroup come here. */
function addBlock(product: MatrixProduct, tile: MatrixTile): string {
  const { M, N, lanes } = product;
  const together = togetherOf(product, tile);
  const place = (y: number) => `(subgroup * ${together}u + ${y % together}u) * ${M * N}u`;
  return each(tile.high, (x) =>
    each(tile.wide / together, (part) => {
      const some = (line: (y: number) => string) => each(together, (y) => line(part * together + y));
      return `${some((y) => `  ${product.store(place(y), `s${x}_${y}`)}`)}
  workgroupBarrier();
${some((y) => `  s${x}_${y} = Result(); ${each(shareOf(product), (i) => `t${x}_${y}_${i} += results[${place(y)} + lane + ${i * lanes}u];`, ' ')}`)}
  workgroupBarrier();`;
    }),
  );
}

const endOfTurn = (product: MatrixProduct, tile: MatrixTile) =>
  product.type === 'f16'
    ? ''
    : `
  turns++;
  if (turns % ${BLOCK / sizesOf(product, tile).depth}u == 0u) {
${addBlock(product, tile)}
  }`;

/** `line` for each element of the tile that a lane holds: its sum, and where its channel and its column lie in the tile. */
function eachElement(
  product: MatrixProduct,
  tile: MatrixTile,
  line: (sum: string, channel: string, column: string) => string,
): string {
  const { M, N, lanes } = product;
  const places = each(
    shareOf(product),
    (i) =>
      `  let row${i} = down * ${tile.high * M}u + (lane + ${i * lanes}u) / ${N}u; let column${i} = across * ${tile.wide * N}u + (lane + ${i * lanes}u) % ${N}u;`,
  );
  return `${places}
${eachMatrix(tile, (x, y) => each(shareOf(product), (i) => line(`t${x}_${y}_${i}`, `row${i} + ${x * M}u`, `column${i} + ${y * N}u`)))}`;
}

/** x, y: positions of all images and of one phase; z: tiles of channels, phases, portions. */
export function gatherCode(product: MatrixProduct, tile: MatrixTile): string {
  const { channels, columns, threads, depth, strideA, strideB } = sizesOf(product, tile);
  const vectors = channels / 4;
  const own = Math.max(1, columns / threads); // columns that a thread loads
  const apart = Math.max(1, threads / columns); // threads that load the same column
  return `${memory(product, tile)}
const NOWHERE = 0xffffffffu;
var<workgroup> places : array<u32, ${columns}>; // of a column: its first channel in the result

@compute @workgroup_size(${threads}) ${product.attributes}
fn gather(
  @builtin(workgroup_id) group : vec3u,
  @builtin(num_workgroups) groups : vec3u,
  @builtin(local_invocation_index) local : u32,
  ${product.parameters}
) {
${accumulators(product, tile)}
${gatherPlaces(channels)}
  let slot = local % ${Math.min(columns, threads)}u;
  let first = (group.y * groups.x + group.x) * ${columns}u + slot;
  let channelStride = shape.H * shape.W;
${each(own, (j) => `  let m${j} = first + ${j * threads}u; let n${j} = m${j} / size; let i${j} = (m${j} % size) / columns; let j${j} = m${j} % columns; let live${j} = n${j} < shape.N; let image${j} = (n${j} * shape.portions + portion) * shape.C * channelStride;`)}
${each(own, (j) => `  let p${j} = phaseH + i${j} * shape.phasesH; let q${j} = phaseW + j${j} * shape.phasesW; places[slot + ${j * threads}u] = select(NOWHERE, (n${j} * shape.portions + portion) * shape.O * shape.P * shape.Q + p${j} * shape.Q + q${j}, live${j} && p${j} < shape.P && q${j} < shape.Q);`)}
${forEachTap(`${each(own, (j) => `      let h${j} = i32(i${j} * shape.stepH) + alongH / i32(shape.phasesH); let w${j} = i32(j${j} * shape.stepW) + alongW / i32(shape.phasesW); let ok${j} = live${j} && h${j} >= 0 && h${j} < i32(shape.H) && w${j} >= 0 && w${j} < i32(shape.W); let at${j} = image${j} + u32(h${j}) * shape.W + u32(w${j});`)}
      let taps = (portion * shape.R * shape.S + r * shape.S + s) * shape.paddedC;
      for (var c = 0u; c < shape.C; c += ${depth}u) {
        for (var i = local; i < ${depth * vectors}u; i += ${threads}u) {
          let weights = slab[((taps + c + i / ${vectors}u) * shape.paddedO + tile * ${channels}u) / 4u + i % ${vectors}u];
          let to = i / ${vectors}u * ${strideA}u + i % ${vectors}u * 4u;
${each(4, (e) => `          a[to + ${e}u] = ${product.element(`weights[${e}]`)};`)}
        }
        for (var k = local / ${Math.min(columns, threads)}u; k < ${depth}u; k += ${apart}u) {
          let known = c + k < shape.C;
          let channel = (c + k) * channelStride;
${each(own, (j) => `          let x${j} = select(0.0, input[select(0u, at${j} + channel, known && ok${j})], known && ok${j}); b[k * ${strideB}u + slot + ${j * threads}u] = ${product.element(`x${j}`)};`)}
        }
        workgroupBarrier();${multiply(product, tile)}
        workgroupBarrier();${endOfTurn(product, tile)}
      }`)}
${addBlock(product, tile)}
${eachElement(
  product,
  tile,
  (sum, channel, column) => `  {
    let o = tile * ${channels}u + ${channel};
    let to = places[${column}];
    if (o < shape.O && to != NOWHERE) {
      output[to + o * shape.P * shape.Q] = ${sum} + select(0.0, bias[portion * shape.O + o], shape.hasBias == 1u);
    }
  }`,
)}
}`;
}

/** x: tiles of columns (c, r, s), y: tiles of O, z: slices, portions. */
export function gradWeightCode(product: MatrixProduct, tile: MatrixTile): string {
  const { channels, columns, threads, depth, strideA, strideB } = sizesOf(product, tile);
  return `${memory(product, tile)}
var<workgroup> places : array<vec4i, ${columns}>; // of a column: its plane, its tap along H and W, whether there is one

@compute @workgroup_size(${threads}) ${product.attributes}
fn gradWeight(
  @builtin(workgroup_id) group : vec3u,
  @builtin(local_invocation_index) local : u32,
  ${product.parameters}
) {
${accumulators(product, tile)}
  let turn = local % ${depth}u;
  let loader = local / ${depth}u;
${gradWeightPlaces(depth)}
  let firstO = group.y * ${channels}u;
  let firstColumn = group.x * ${columns}u;
  for (var i = local; i < ${columns}u; i += ${threads}u) {
    let k = firstColumn + i;
    let dh = i32((k % taps) / shape.S * shape.dilationH) - i32(shape.padH);
    let dw = i32(k % shape.S * shape.dilationW) - i32(shape.padW);
    places[i] = vec4i(i32(k / taps * shape.H * shape.W), dh, dw, select(0, 1, k < columns));
  }
  workgroupBarrier();
  for (var start = slice * perSlice; start < last; start += ${depth}u) {
    let position = start + turn;
    let live = position < last;
    let n = position / plane;
    let inPlane = position % plane;
    let top = i32(inPlane / shape.Q * shape.stepH);
    let left = i32(inPlane % shape.Q * shape.stepW);
    let outputs = (n * shape.portions + portion) * shape.O * plane + inPlane;
    let image = (n * shape.portions + portion) * shape.C * shape.H * shape.W;
    for (var i = loader; i < ${channels}u; i += ${threads / depth}u) {
      let known = live && firstO + i < shape.O;
      let y = select(0.0, gradient[select(0u, outputs + (firstO + i) * plane, known)], known);
      a[turn * ${strideA}u + i] = ${product.element('y')};
    }
    for (var i = loader; i < ${columns}u; i += ${threads / depth}u) {
      let place = places[i];
      let h = top + place.y;
      let w = left + place.z;
      let ok = live && place.w == 1 && h >= 0 && h < i32(shape.H) && w >= 0 && w < i32(shape.W);
      let x = select(0.0, input[select(0u, image + u32(place.x) + u32(h) * shape.W + u32(w), ok)], ok);
      b[turn * ${strideB}u + i] = ${product.element('x')};
    }
    workgroupBarrier();${multiply(product, tile)}
    workgroupBarrier();${endOfTurn(product, tile)}
  }
${addBlock(product, tile)}
${eachElement(
  product,
  tile,
  (sum, channel, column) => `  {
    let o = firstO + ${channel};
    let k = firstColumn + ${column};
    if (o < shape.O && k < columns) {
      partial[((slice * shape.portions + portion) * shape.O + o) * columns + k] = ${sum};
    }
  }`,
)}
}`;
}

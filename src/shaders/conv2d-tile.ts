/**
 * A second forward kernel for conv2d-strip.wgsl, as text: a subgroup computes a tile of 14 x 4 pixels of eight output channels, each lane its share
 * of the channels: one on lavapipe, whose subgroups have eight lanes, two on SwiftShader, whose have four.
 *
 * The lanes load neighbouring columns of the input, and every number reaches the others by subgroupBroadcast: an element is loaded once for all
 * channels, taps and pixels of the tile, 12 or 24 loads to 504 or 1,008 multiplications where a strip needs 39 to 576; a channel's nine taps are three
 * loads of four. Loads are what software adapters are slow at: lavapipe's lanes each test a mask, the buffer's size and a pointer before each number
 * inside a loop, and a load of SwiftShader's takes as long as many multiplications. On lavapipe a larger tile loads less and is slower, probably since
 * its code no longer fits a processor's first cache.
 */
import { columnRows, type Inputs, pairRows, TILE_COLUMNS, TILE_ROWS, type TileRows } from './conv2d-tile-rows.ts';

export interface TileOptions {
  readonly lanes: number;
  readonly inputs: Inputs;
  /** For inputs and outputs of an even number of columns, and a padding of one: two neighbours a load and a store. */
  readonly pairs: boolean;
  /** Whether statistics may be wanted. */
  readonly gathers: boolean;
}

const entries = {
  written: 'forwardTile',
  normalised: 'forwardTileNormalised',
  enlarged: 'forwardTileEnlarged',
  joined: 'forwardTileJoined',
} as const;

export const tileEntry = ({ inputs, pairs }: Pick<TileOptions, 'inputs' | 'pairs'>) =>
  `${entries[inputs]}${pairs ? 'Pairs' : ''}`;

const CHANNELS = 8;

const each = (count: number, line: (i: number) => string) =>
  Array.from({ length: count }, (_, i) => line(i)).join('\n');

/**
 * Channel d of row p of the tile: sum by sum, so that one is in a register while the input waits in memory, which is where a multiplication may take
 * it from.
 */
function products(d: number, p: number): string {
  const sum = (q: number) =>
    each(
      9,
      (tap) => `a${d}_${p}_${q} = fma(x${p + Math.floor(tap / 3)}_${q + (tap % 3)}, w${d}_${tap}, a${d}_${p}_${q});`,
    );
  return each(TILE_COLUMNS, (q) => `    ${sum(q).replaceAll('\n', ' ')}`);
}

/** Text that gathers the mean and the squared deviations of a tile's pixels that lie in the image, for batch-norm.wgsl. */
function statistics(share: number, lanes: number): string {
  const inImage = (d: number, term: (i: number, j: number) => string) =>
    each(
      TILE_ROWS,
      (i) =>
        `    { ${each(TILE_COLUMNS, (j) => `${j === 0 ? 'var row = ' : 'row += '}select(0.0, ${term(i, j)}, column${j}In);`).replaceAll('\n', ' ')} total${d} += select(0.0, row, row${i}In); }`,
    );
  return `  if (shape.sums == 1u) {
${each(TILE_ROWS, (i) => `    let row${i}In = p + ${i}u < shape.P;`)}
${each(TILE_COLUMNS, (j) => `    let column${j}In = q + ${j}u < shape.Q;`)}
    let count = f32(min(${TILE_ROWS}u, shape.P - p) * min(${TILE_COLUMNS}u, shape.Q - q));
    let parts = ((shape.P + ${TILE_ROWS - 1}u) / ${TILE_ROWS}u) * shape.strips;
${each(
  share,
  (d) => `    var total${d} = 0.0;
${inImage(d, (i, j) => `a${d}_${i}_${j}`)}
    let mean${d} = total${d} / count;
    total${d} = 0.0;
${inImage(d, (i, j) => `(a${d}_${i}_${j} - mean${d}) * (a${d}_${i}_${j} - mean${d})`)}
    let channel${d} = group.y * ${CHANNELS}u + ${d * lanes}u + lane;
    if (channel${d} < shape.O) {
      let b = select(0.0, bias[channel${d}], shape.hasBias == 1u);
      statistics[(channel${d} * shape.N + n) * parts + group.x] = vec4f(mean${d} + b, total${d}, count, 0.0);
    }`,
)}
  }`;
}

/** Text that writes row i of channel d: two columns at a time where the rows are even, so that whatever a store asks first it asks half as often. */
function stores(d: number, i: number, pairs: boolean): string {
  if (!pairs) {
    return each(
      TILE_COLUMNS,
      (j) => `      if (q + ${j}u < shape.Q) { output[corner + ${i}u * shape.Q + ${j}u] = a${d}_${i}_${j} + b; }`,
    );
  }
  return each(TILE_COLUMNS / 2, (j) => {
    const pair = `vec2f(a${d}_${i}_${2 * j} + b, a${d}_${i}_${2 * j + 1} + b)`;
    return `      if (q + ${2 * j}u < shape.Q) { outputPairs[(corner + ${i}u * shape.Q) / 2u + ${j}u] = ${pair}; }`;
  });
}

/** x: tiles of an image, y: groups of eight output channels, z: N. A workgroup is one subgroup of `lanes`. */
export function tileForwardCode({ lanes, inputs, pairs, gathers }: TileOptions): string {
  const rows: TileRows = pairs ? pairRows(lanes, inputs) : columnRows(lanes);
  const share = CHANNELS / lanes; // output channels a lane
  return `
@compute @workgroup_size(${lanes})
fn ${tileEntry({ inputs, pairs })}(@builtin(workgroup_id) group : vec3u, @builtin(subgroup_invocation_id) lane : u32) {
  let n = group.z;
  let p = (group.x / shape.strips) * ${TILE_ROWS}u;
  let q = (group.x % shape.strips) * ${TILE_COLUMNS}u;
${rows.setup}
${each(share, (d) => each(TILE_ROWS, (i) => `  ${each(TILE_COLUMNS, (j) => `var a${d}_${i}_${j} = 0.0;`).replaceAll('\n', ' ')}`))}
  var taps = (group.y * ${CHANNELS}u + lane) * 3u;
  for (var c = 0u; c < shape.C; c++) {
${each(share, (d) => each(3, (k) => `    let four${d}_${k} = slabFours[taps + ${d * lanes * 3 + k}u];`))}
${each(share, (d) => each(9, (tap) => `    let w${d}_${tap} = four${d}_${tap >> 2}.${'xyzw'[tap & 3]};`))}
${rows.load}
${each(TILE_ROWS + 2, (r) => each(TILE_COLUMNS + 2, (j) => `    let x${r}_${j} = ${rows.at(r, j)};`))}
${each(TILE_ROWS, (p) => each(share, (d) => products(d, p)))}
${rows.next}
    taps += shape.tiles * ${CHANNELS * 3}u;
  }
${gathers ? statistics(share, lanes) : ''}
${each(
  share,
  (d) => `  let o${d} = group.y * ${CHANNELS}u + ${d * lanes}u + lane;
  if (o${d} < shape.O) {
    let b = select(0.0, bias[o${d}], shape.hasBias == 1u);
    let corner = ((n * shape.O + o${d}) * shape.P + p) * shape.Q + q;
${each(TILE_ROWS, (i) => `    if (p + ${i}u < shape.P) {\n${stores(d, i, pairs)}\n    }`)}
  }`,
)}
}`;
}

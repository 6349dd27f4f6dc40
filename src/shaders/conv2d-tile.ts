/**
 * A second forward kernel for conv2d-strip.wgsl, as text: a subgroup computes a tile of 14 x 4 pixels of eight output channels, each lane its share
 * of the channels: one on lavapipe, whose subgroups have eight lanes, two on SwiftShader, whose have four. Without subgroups two threads compute a tile.
 *
 * The lanes load neighbouring columns of the input, and every number reaches the others by subgroupBroadcast: an element is loaded once for all
 * channels, taps and pixels of the tile, 12 or 24 loads to 504 or 1,008 multiplications where a strip needs 39 to 576; a channel's nine taps are three
 * loads of four. Loads are what software adapters are slow at: lavapipe's lanes each test a mask, the buffer's size and a pointer before each number
 * inside a loop, and a load of SwiftShader's takes as long as many multiplications. On lavapipe a larger tile loads less and is slower, probably since
 * its code no longer fits a processor's first cache.
 */
import {
  besideRows,
  columnRows,
  type Inputs,
  imagesBeside,
  pairRows,
  TILE_COLUMNS,
  TILE_ROWS,
} from './conv2d-tile-rows.ts';
import type { Lanes } from './lanes.ts';

/**
 * 'pairs': two neighbours a load and a store, for inputs and outputs of an even number of columns and a padding of one. A number: of columns of an
 * input and its output that are so narrow that several images lie side by side in a tile, with a padding of one.
 */
export type TileColumns = 'single' | 'pairs' | number;

export interface TileOptions {
  readonly lanes: Lanes;
  readonly inputs: Inputs;
  readonly columns: TileColumns;
  /** Whether statistics may be wanted. */
  readonly gathers: boolean;
}

const entries = {
  written: 'forwardTile',
  normalised: 'forwardTileNormalised',
  enlarged: 'forwardTileEnlarged',
  joined: 'forwardTileJoined',
} as const;

const endings = (columns: TileColumns) =>
  columns === 'single' ? '' : columns === 'pairs' ? 'Pairs' : `Beside${columns}`;
export const tileEntry = ({ inputs, columns }: Pick<TileOptions, 'inputs' | 'columns'>) =>
  `${entries[inputs]}${endings(columns)}`;

const CHANNELS = 8;

const each = (count: number, line: (i: number) => string) =>
  Array.from({ length: count }, (_, i) => line(i)).join('\n');

/** How a tile's columns lie in images; the text finds n, p and q, where the tile begins. */
interface Places {
  /** Columns, and images that they belong to. */
  readonly count: number;
  readonly images: number;
  /** Which loaded column stands under tap s of column q; null where there is none but zeros. */
  under(q: number, s: number): number | null;
  /** Whether column j of the tile lies in an image. */
  live(j: number): string;
  /** How many do. */
  readonly liveCount: string;
  /** Of the loaded columns. */
  readonly loaded: number;
}

const inOneImage: Places = {
  count: TILE_COLUMNS,
  images: 1,
  under: (q, s) => q + s,
  live: (j) => `q + ${j}u < shape.Q`,
  liveCount: `min(${TILE_COLUMNS}u, shape.Q - q)`,
  loaded: TILE_COLUMNS + 2,
};

function beside(width: number): Places {
  const images = imagesBeside(width);
  return {
    count: images * width,
    images,
    under(q, s) {
      const column = (q % width) + s - 1;
      return column < 0 || column >= width ? null : q - (q % width) + column;
    },
    live: (j) => `n + ${Math.floor(j / width)}u < shape.N`,
    liveCount: `${width}u * min(${images}u, shape.N - n)`,
    loaded: images * width,
  };
}

/**
 * Channel d of row p of the tile: sum by sum, so that one is in a register while the input waits in memory, which is where a multiplication may take
 * it from.
 */
function products(d: number, p: number, { count, under }: Places): string {
  const sum = (q: number) =>
    each(9, (tap) => {
      const column = under(q, tap % 3);
      return column === null
        ? ''
        : `a${d}_${p}_${q} = fma(x${p + Math.floor(tap / 3)}_${column}, w${d}_${tap}, a${d}_${p}_${q});`;
    });
  return each(count, (q) => `    ${sum(q).replaceAll('\n', ' ')}`);
}

/** Text that gathers the mean and the squared deviations of a tile's pixels that lie in the image, for batch-norm.wgsl. */
function statistics(share: number, shares: number, { count, images, live, liveCount }: Places): string {
  const inImage = (d: number, term: (i: number, j: number) => string) =>
    each(
      TILE_ROWS,
      (i) =>
        `    { ${each(count, (j) => `${j === 0 ? 'var row = ' : 'row += '}select(0.0, ${term(i, j)}, column${j}In);`).replaceAll('\n', ' ')} total${d} += select(0.0, row, row${i}In); }`,
    );
  return `  if (shape.sums == 1u) {
${each(TILE_ROWS, (i) => `    let row${i}In = p + ${i}u < shape.P;`)}
${each(count, (j) => `    let column${j}In = ${live(j)};`)}
    let inTile = f32(min(${TILE_ROWS}u, shape.P - p) * ${liveCount});
    let parts = ((shape.P + ${TILE_ROWS - 1}u) / ${TILE_ROWS}u) * shape.strips;
    let imageGroups = ${images === 1 ? 'shape.N' : `(shape.N + ${images - 1}u) / ${images}u`};
${each(
  share,
  (d) => `    var total${d} = 0.0;
${inImage(d, (i, j) => `a${d}_${i}_${j}`)}
    let mean${d} = total${d} / inTile;
    total${d} = 0.0;
${inImage(d, (i, j) => `(a${d}_${i}_${j} - mean${d}) * (a${d}_${i}_${j} - mean${d})`)}
    let channel${d} = group.y * ${CHANNELS}u + ${d * shares}u + lane;
    if (channel${d} < shape.O) {
      let b = select(0.0, bias[channel${d}], shape.hasBias == 1u);
      statistics[(channel${d} * imageGroups + images) * parts + place] = vec4f(mean${d} + b, total${d}, inTile, 0.0);
    }`,
)}
  }`;
}

/** Text that writes row i of channel d: two columns at a time where the rows are even, so that whatever a store asks first it asks half as often. */
function stores(d: number, i: number, columns: TileColumns, { count, images, live }: Places): string {
  const at = (j: number) => `a${d}_${i}_${j} + b`;
  if (columns === 'single') {
    return each(count, (j) => `      if (${live(j)}) { output[corner + ${i}u * shape.Q + ${j}u] = ${at(j)}; }`);
  }
  if (columns === 'pairs') {
    return each(count / 2, (j) => {
      const pair = `vec2f(${at(2 * j)}, ${at(2 * j + 1)})`;
      return `      if (${live(2 * j)}) { outputPairs[(corner + ${i}u * shape.Q) / 2u + ${j}u] = ${pair}; }`;
    });
  }
  const image = (k: number) => `corner + ${k}u * shape.O * shape.P * shape.Q + ${i}u * shape.Q`;
  return each(
    images,
    (k) =>
      `      if (${live(k * columns)}) { ${each(columns, (j) => `output[${image(k)} + ${j}u] = ${at(k * columns + j)};`).replaceAll('\n', ' ')} }`,
  );
}

/** x, z: tiles of all images, or groups of images that lie side by side; y: groups of eight output channels. */
export function tileForwardCode({ lanes, inputs, columns, gathers }: TileOptions): string {
  const places = typeof columns === 'number' ? beside(columns) : inOneImage;
  const rows =
    typeof columns === 'number'
      ? besideRows(lanes, inputs, columns)
      : columns === 'pairs'
        ? pairRows(lanes, inputs)
        : columnRows(lanes);
  const { shares, tiles } = lanes;
  const share = CHANNELS / shares; // output channels a thread
  return `
@compute @workgroup_size(${lanes.threads})
fn ${tileEntry({ inputs, columns })}(@builtin(workgroup_id) group : vec3u, @builtin(num_workgroups) groups : vec3u, ${lanes.parameter}) {
  ${lanes.begin}
  // Tiles of all images, or groups of images, one after the other.
  let ofImage = ((shape.P + ${TILE_ROWS - 1}u) / ${TILE_ROWS}u) * shape.strips;
  let count = ofImage * ${places.images === 1 ? 'shape.N' : `((shape.N + ${places.images - 1}u) / ${places.images}u)`};
  let own = (group.z * groups.x + group.x) * ${tiles}u + tile;
  let images = min(own, count - 1u) / ofImage;
  let place = min(own, count - 1u) % ofImage;
  let n = images${places.images === 1 ? '' : ` * ${places.images}u`};
  let p = (place / shape.strips) * ${TILE_ROWS}u;
  let q = (place % shape.strips) * ${TILE_COLUMNS}u;
${rows.setup}
${each(share, (d) => each(TILE_ROWS, (i) => `  ${each(places.count, (j) => `var a${d}_${i}_${j} = 0.0;`).replaceAll('\n', ' ')}`))}
  var taps = (group.y * ${CHANNELS}u + lane) * 3u;
  for (var c = 0u; c < shape.C; c++) {
${each(share, (d) => each(3, (k) => `    let four${d}_${k} = slabFours[taps + ${d * shares * 3 + k}u];`))}
${each(share, (d) => each(9, (tap) => `    let w${d}_${tap} = four${d}_${tap >> 2}.${'xyzw'[tap & 3]};`))}
${rows.load}
${each(TILE_ROWS + 2, (r) => each(places.loaded, (j) => `    let x${r}_${j} = ${rows.at(r, j)};`))}
${each(TILE_ROWS, (p) => each(share, (d) => products(d, p, places)))}
${rows.next}
    taps += shape.tiles * ${CHANNELS * 3}u;
  }
${tiles === 1 ? '' : '  if (own >= count) {\n    return;\n  }'}
${gathers ? statistics(share, shares, places) : ''}
${each(
  share,
  (d) => `  let o${d} = group.y * ${CHANNELS}u + ${d * shares}u + lane;
  if (o${d} < shape.O) {
    let b = select(0.0, bias[o${d}], shape.hasBias == 1u);
    let corner = ((n * shape.O + o${d}) * shape.P + p) * shape.Q + q;
${each(TILE_ROWS, (i) => `    if (p + ${i}u < shape.P) {\n${stores(d, i, columns, places)}\n    }`)}
  }`,
)}
}`;
}

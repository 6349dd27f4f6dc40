/**
 * The kernels of conv2d-depthwise.wgsl as text: tile and window are unrolled, so that a number is loaded once for all sums that it enters, outside
 * of loops and branches wherever there is one output a channel.
 */

/** How the taps of one axis read: `taps` of them, in a tile of `tile` elements. */
export interface DepthwiseAxis {
  readonly tile: number;
  readonly taps: number;
  readonly stride: number;
  readonly dilation: number;
  /** Gradient of the input: the padding's remainder by the stride. Tiles are whole strides long, so that each reads by the same taps. */
  readonly phase: number | null;
}

/** What the text of a kernel depends on. */
export interface DepthwisePlan {
  readonly rows: DepthwiseAxis;
  readonly columns: DepthwiseAxis;
  /** Threads of a workgroup. */
  readonly lanes: number;
  /** On a GPU neighbouring threads have neighbouring tiles; on a processor neighbouring channels, which leaves none without work. */
  readonly byTile: boolean;
}

const range = (count: number) => Array.from({ length: count }, (_, i) => i);
const each = (count: number, line: (i: number) => string) => range(count).map(line).join('\n');

/** Where tap `tap` of element `i` of the tile reads, from the tile's first place, or null. */
function placeOf({ stride, dilation, phase }: DepthwiseAxis, i: number, tap: number): number | null {
  if (phase === null) return i * stride + tap * dilation;
  const place = phase + i - tap * dilation;
  return place % stride === 0 ? place / stride : null;
}

/** Every place that a tile reads, in order. */
function placesOf(axis: DepthwiseAxis): number[] {
  const places = range(axis.tile).flatMap((i) => range(axis.taps).map((tap) => placeOf(axis, i, tap)));
  return [...new Set(places.filter((place) => place !== null))].sort((a, b) => a - b);
}

/** Numbers of a plane that a tile loads. */
export const loadsOf = ({ rows, columns }: Pick<DepthwisePlan, 'rows' | 'columns'>) =>
  placesOf(rows).length * placesOf(columns).length;

/** From one tile's first place to the next's. */
const stepOf = ({ tile, stride, phase }: DepthwiseAxis) => (phase === null ? tile * stride : tile / stride);

const named = (place: number) => (place < 0 ? `b${-place}` : `${place}`);

/** Text that decides where the thread is: image n, channel `own`, tile (row, column). */
function placeText({ lanes, byTile }: DepthwisePlan): string {
  if (byTile)
    return `  let thread = (group.y * groups.x + group.x) * ${lanes}u + lane;
  let tiles = shape.down * shape.across;
  let own = thread / tiles;
  let n = min(own / shape.channels, shape.N - 1u);
  let channel = own % shape.channels;
  let row = (thread % tiles) / shape.across;
  let column = thread % shape.across;
  let beyond = own >= shape.N * shape.channels;`;
  return `  let own = (group.x / shape.across) * ${lanes}u + lane;
  let n = group.z;
  let channel = min(own, shape.channels - 1u);
  let row = group.y;
  let column = group.x % shape.across;
  let beyond = own >= shape.channels;`;
}

const head = (name: string, { lanes }: DepthwisePlan) => `
@compute @workgroup_size(${lanes})
fn ${name}(
  @builtin(workgroup_id) group : vec3u,
  @builtin(num_workgroups) groups : vec3u,
  @builtin(local_invocation_index) lane : u32,
) {`;

/** Text of the places of a tile's rows and columns, those outside of the image held inside of it. */
function edges({ rows, columns }: DepthwisePlan): string {
  const axis = (letter: string, places: number[], length: string) =>
    places
      .map(
        (place) =>
          `  let ${letter}${named(place)} = u32(clamp(${letter} + ${place}, 0, i32(${length}) - 1)); let ${letter}${named(place)}In = ${letter} + ${place} >= 0 && ${letter} + ${place} < i32(${length});`,
      )
      .join('\n');
  return `  let h = i32(row) * ${stepOf(rows)} + shape.top;
  let w = i32(column) * ${stepOf(columns)} + shape.left;
${axis('h', placesOf(rows), 'shape.sourceHeight')}
${axis('w', placesOf(columns), 'shape.sourceWidth')}`;
}

/** Text that loads row `place`. */
function loadRow({ columns }: DepthwisePlan, place: number): string {
  const h = `h${named(place)}`;
  const loads = placesOf(columns).map((w) => {
    const name = named(w);
    return `let x${named(place)}_${name} = select(0.0, source[row${h} + w${name}], ${h}In && w${name}In);`;
  });
  return `  let row${h} = plane + ${h} * shape.sourceWidth; ${loads.join(' ')}`;
}

/** The sum of products that is element (i, j) of the tile: taps of a row, then rows. */
function sumOf({ rows, columns }: DepthwisePlan, i: number, j: number): string {
  const ofRows = range(rows.taps).flatMap((r) => {
    const h = placeOf(rows, i, r);
    if (h === null) return [];
    const products = range(columns.taps).flatMap((s) => {
      const w = placeOf(columns, j, s);
      return w === null ? [] : [[`x${named(h)}_${named(w)}`, `w${r}_${s}`]];
    });
    return products.length
      ? [products.reduce((sum, [x, w]) => (sum ? `fma(${x}, ${w}, ${sum})` : `${x} * ${w}`), '')]
      : [];
  });
  return ofRows.length ? ofRows.join(' + ') : '0.0';
}

/** Text that loads what the tile reads of one plane and sums it, each row of the tile as soon as its last source row is there. */
function sums(plan: DepthwisePlan, keep: (i: number, j: number, sum: string) => string): string {
  const { rows, columns } = plan;
  const places = placesOf(rows);
  const lastOf = (i: number) =>
    Math.max(-1, ...range(rows.taps).map((r) => places.indexOf(placeOf(rows, i, r) ?? Number.NaN)));
  const done = (at: number) =>
    range(rows.tile)
      .filter((i) => lastOf(i) === at)
      .map(
        (i) =>
          `  ${range(columns.tile)
            .map((j) => keep(i, j, sumOf(plan, i, j)))
            .join(' ')}`,
      );
  return [...done(-1), ...places.flatMap((place, at) => [loadRow(plan, place), ...done(at)])].join('\n');
}

/** Text that writes the tile. Rows beyond the plane write what row 0 writes, where it writes it: a branch a store would cost more than the sums. */
function stores({ rows, columns }: DepthwisePlan): string {
  return `  if (beyond) {
    return;
  }
  let i0 = row * ${rows.tile}u;
  let j0 = column * ${columns.tile}u;
  let at0 = ((n * shape.channels + channel) * shape.height + i0) * shape.width + j0;
${each(rows.tile - 1, (i) => `  let in${i + 1} = i0 + ${i + 1}u < shape.height; let at${i + 1} = select(at0, at0 + ${i + 1}u * shape.width, in${i + 1});`)}
${each(
  columns.tile,
  (j) => `  if (j0 + ${j}u < shape.width) {
    output[at0 + ${j}u] = a0_${j} + b;
${each(rows.tile - 1, (i) => `    output[at${i + 1} + ${j}u] = select(a0_${j}, a${i + 1}_${j}, in${i + 1}) + b;`)}
  }`,
)}`;
}

const taps = ({ rows, columns }: DepthwisePlan, first: string) =>
  `  let tap = ${first} * ${rows.taps * columns.taps}u;
${each(
  rows.taps,
  (r) =>
    `  ${range(columns.taps)
      .map((s) => `let w${r}_${s} = weight[tap + ${r * columns.taps + s}u];`)
      .join(' ')}`,
)}`;

/** Forward and gradient of the input, by the axes' phases. `several`: outputs of a channel, in the gradient of the input. */
export function depthwiseCode(name: string, plan: DepthwisePlan, several = false): string {
  const { rows, columns } = plan;
  const grid = (line: (i: number, j: number) => string) =>
    each(
      rows.tile,
      (i) =>
        `  ${range(columns.tile)
          .map((j) => line(i, j))
          .join(' ')}`,
    );
  const ofChannel = several
    ? `${grid((i, j) => `var a${i}_${j} = 0.0;`)}
  for (var k = 0u; k < shape.multiplier; k++) {
  let o = channel * shape.multiplier + k;
${taps(plan, 'o')}
  let plane = (n * shape.sourceChannels + o) * shape.sourceHeight * shape.sourceWidth;
${sums(plan, (i, j, sum) => `a${i}_${j} += ${sum};`)}
  }`
    : `${taps(plan, 'channel')}
  let plane = (n * shape.sourceChannels + channel / shape.multiplier) * shape.sourceHeight * shape.sourceWidth;
${sums(plan, (i, j, sum) => `let a${i}_${j} = ${sum};`)}`;
  return `${head(name, plan)}
${placeText(plan)}
${edges(plan)}
${ofChannel}
  let b = select(0.0, bias[channel], shape.hasBias == 1u);
${stores(plan)}
}`;
}

/** A thread for each output channel and slice of the tiles, which are every `slices`-th. */
export function depthwiseGradWeightCode(plan: DepthwisePlan): string {
  const { rows, columns, lanes, byTile } = plan;
  const products = (r: number, s: number) =>
    range(rows.tile)
      .map((i) =>
        range(columns.tile).reduce((sum, j) => {
          const x = `x${named(placeOf(rows, i, r)!)}_${named(placeOf(columns, j, s)!)}`;
          return sum ? `fma(${x}, g${i}_${j}, ${sum})` : `${x} * g${i}_${j}`;
        }, ''),
      )
      .join(' + ');
  const places = byTile
    ? `  let thread = (group.y * groups.x + group.x) * ${lanes}u + lane;
  let own = thread / shape.slices;
  let slice = thread % shape.slices;`
    : `  let own = group.x * ${lanes}u + lane;
  let slice = group.y;`;
  return `${head('gradWeight', plan)}
${places}
  let channel = min(own, shape.channels - 1u);
  let tiles = shape.down * shape.across;
${each(
  rows.taps,
  (r) =>
    `  ${range(columns.taps)
      .map((s) => `var t${r}_${s} = 0.0;`)
      .join(' ')}`,
)}
  for (var tile = slice; tile < shape.N * tiles; tile += shape.slices) {
  let n = tile / tiles;
  let row = (tile % tiles) / shape.across;
  let column = tile % shape.across;
${edges(plan)}
  let plane = (n * shape.sourceChannels + channel / shape.multiplier) * shape.sourceHeight * shape.sourceWidth;
  let p = row * ${rows.tile}u;
  let q = column * ${columns.tile}u;
  let corner = (n * shape.channels + channel) * shape.height * shape.width;
${each(columns.tile, (j) => `  let q${j} = min(q + ${j}u, shape.width - 1u); let q${j}In = q + ${j}u < shape.width;`)}
${each(
  rows.tile,
  (i) =>
    `  let p${i} = corner + min(p + ${i}u, shape.height - 1u) * shape.width; let p${i}In = p + ${i}u < shape.height; ${range(
      columns.tile,
    )
      .map((j) => `let g${i}_${j} = select(0.0, gradient[p${i} + q${j}], p${i}In && q${j}In);`)
      .join(' ')}`,
)}
${placesOf(rows)
  .map((place) => loadRow(plan, place))
  .join('\n')}
${each(rows.taps, (r) => each(columns.taps, (s) => `  t${r}_${s} += ${products(r, s)};`))}
  }
  if (own >= shape.channels) {
    return;
  }
${each(rows.taps, (r) => each(columns.taps, (s) => `  partial[(channel * ${rows.taps * columns.taps}u + ${r * columns.taps + s}u) * shape.slices + slice] = t${r}_${s};`))}
}`;
}

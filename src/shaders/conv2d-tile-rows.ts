/**
 * How the tiles of conv2d-tile.ts reach the rows that they read: 14 + 2 columns of 4 + 2 rows of a channel, each number loaded by one of the threads
 * that compute a tile, and handed to the others (lanes.ts).
 */
import type { Lanes } from './lanes.ts';

export const TILE_COLUMNS = 14;
export const TILE_ROWS = 4;
const COLUMNS = TILE_COLUMNS + 2; // with the neighbours
const ROWS = TILE_ROWS + 2;

/**
 * What a kernel reads. 'written': an input that stands in memory. 'normalised': relu(normalise(input)), which nobody has written. 'enlarged': the same,
 * each element twice along both axes. 'joined': the normalised channels of two inputs, one after the other.
 */
export type Inputs = 'written' | 'normalised' | 'enlarged' | 'joined';

/** Text that names relu(normalise(value)) as `fit`, as batch-norm.wgsl computes it. */
export const normalised = (fit: string, value: string, moment: string) =>
  `let ${fit}_raw = fma(${value} - ${moment}.x, ${moment}.z, ${moment}.w); let ${fit} = select(${fit}_raw, 0.0, ${fit}_raw <= 0.0);`;

/** Text for the places where a kernel needs it; it finds n, p and q, where its tile begins, and c, the channel. */
export interface TileRows {
  /** Before the loop over the channels. */
  readonly setup: string;
  /** Loads the rows of channel c. */
  readonly load: string;
  /** What stands in row r and column j of what was loaded. */
  at(r: number, j: number): string;
  /** Goes on to the next channel. */
  readonly next: string;
}

const each = (count: number, line: (i: number) => string) =>
  Array.from({ length: count }, (_, i) => line(i)).join('\n');

/** Neighbouring columns by neighbouring lanes, for any padding and any number of columns. */
export function columnRows({ loaders, of }: Lanes): TileRows {
  const parts = COLUMNS / loaders;
  return {
    setup: `  let H = i32(shape.H);
  let W = i32(shape.W);
  let top = i32(p) - i32(shape.padH);
  let left = i32(q + loader) - i32(shape.padW);
${each(parts, (k) => `  let at${k} = left + ${k * loaders}; let column${k} = u32(clamp(at${k}, 0, W - 1)); let mask${k} = select(0.0, 1.0, at${k} >= 0 && at${k} < W);`)}
${each(ROWS, (r) => `  let h${r} = top + ${r}; let row${r} = u32(clamp(h${r}, 0, H - 1)) * shape.W; let inside${r} = select(0.0, 1.0, h${r} >= 0 && h${r} < H);`)}
  var image = n * shape.C * shape.H * shape.W;`,
    load: each(ROWS, (r) =>
      each(parts, (k) => `    let v${r}_${k} = input[image + row${r} + column${k}] * (inside${r} * mask${k});`),
    ),
    at: (r, j) => of(`v${r}_${Math.floor(j / loaders)}`, j % loaders),
    next: '    image += shape.H * shape.W;',
  };
}

/** Images of `width` columns that lie side by side in a tile. */
export const imagesBeside = (width: number) => Math.floor(TILE_COLUMNS / width);

/** Several narrow images of `width` columns, without their neighbours, which padding has made zero: one column a lane. For a padding of one. Beyond the last image stands that once more; what comes of it is not stored. */
export function besideRows({ loaders, of }: Lanes, inputs: Inputs, width: number): TileRows {
  const columns = imagesBeside(width) * width;
  const parts = Math.ceil(columns / loaders);
  const fitted = (name: string, value: string) =>
    inputs === 'written' ? `let ${name} = ${value};` : normalised(name, value, 'm');
  return {
    setup: `  let H = i32(shape.H);
  let plane = shape.H * shape.W;
  let top = i32(p) - i32(shape.padH);
${each(parts, (k) => `  let slot${k} = min(loader + ${k * loaders}u, ${columns - 1}u); let start${k} = min(n + slot${k} / ${width}u, shape.N - 1u) * shape.C * plane + slot${k} % ${width}u;`)}
${each(ROWS, (r) => `  let h${r} = top + ${r}; let row${r} = u32(clamp(h${r}, 0, H - 1)) * shape.W; let inside${r} = select(0.0, 1.0, h${r} >= 0 && h${r} < H);`)}
  var channel = 0u;`,
    load: `${inputs === 'written' ? '' : '    let m = moment[c];'}
${each(ROWS, (r) => each(parts, (k) => `    ${fitted(`f${r}_${k}`, `input[channel + start${k} + row${r}]`)} let v${r}_${k} = f${r}_${k} * inside${r};`))}`,
    at: (r, j) => of(`v${r}_${Math.floor(j / loaders)}`, j % loaders),
    next: '    channel += plane;',
  };
}

/**
 * Two neighbouring columns a lane, for a padding of one and rows of an even number of columns. The pairs begin one column before the window, which
 * begins at an odd one, so that its last column is missing: a load of its own, by as many lanes as there are rows.
 */
export function pairRows({ loaders, of }: Lanes, inputs: Inputs): TileRows {
  const parts = COLUMNS / 2 / loaders;
  const lasts = Math.ceil(ROWS / loaders);
  const [enlarged, joined] = [inputs === 'enlarged', inputs === 'joined'];
  const halves = enlarged ? ' / 2u' : '';
  const inRows = (line: (r: number, k: number) => string) => each(ROWS, (r) => each(parts, (k) => `    ${line(r, k)}`));
  const fitted = (name: string, value: string) =>
    inputs === 'written' ? `let ${name} = ${value};` : normalised(name, value, 'm');

  // An enlarged input holds one number where the kernel sees a pair.
  const pair = (plane: string, r: number, k: number) =>
    `${plane === 'image2' ? 'input2Pairs' : enlarged ? 'input' : 'inputPairs'}[${plane} + row${r} + pair${k}]`;
  const last = (plane: string, k: number) =>
    `${plane === 'image2' ? 'input2Pairs' : enlarged ? 'input' : 'inputPairs'}[${plane} + lastRow${k} + lastPair]${enlarged ? '' : '.x'}`;
  const loads = (assign: string, plane: string) =>
    `${inRows((r, k) => `${assign}i${r}_${k} = ${pair(plane, r, k)};`)}\n${each(lasts, (k) => `    ${assign}l${k} = ${last(plane, k)};`)}`;
  const choice = `    var m : vec4f;
${inRows((r, k) => `var i${r}_${k} : vec2f;`)}
${each(lasts, (k) => `    var l${k} : f32;`)}
    if (c < shape.firstC) {
      m = moment[c];
${loads('', 'image')}
    } else {
      m = moment2[c - shape.firstC];
${loads('', 'image2')}
    }`;
  const known = `${inputs === 'written' ? '' : '    let m = moment[c];'}\n${loads('let ', 'image')}`;
  const halvesOf = (r: number, k: number) => {
    const mask = `(inside${r} * mask${k})`;
    if (enlarged) return `${fitted(`f${r}_${k}`, `i${r}_${k}`)} let v${r}_${k} = f${r}_${k} * ${mask};`;
    const one = (part: string) =>
      `${fitted(`f${r}_${k}${part}`, `i${r}_${k}.${part}`)} let v${r}_${k}${part} = f${r}_${k}${part} * ${mask};`;
    return `${one('x')} ${one('y')}`;
  };
  return {
    setup: `  let pairs = shape.W / 2u;
  let H = i32(shape.H);
  let W = i32(pairs);
  let top = i32(p) - 1;
  let plane = (shape.H${halves}) * pairs;
${each(parts, (k) => `  let at${k} = i32(q / 2u + loader) + ${k * loaders - 1}; let pair${k} = u32(clamp(at${k}, 0, W - 1)); let mask${k} = select(0.0, 1.0, at${k} >= 0 && at${k} < W);`)}
${each(ROWS, (r) => `  let h${r} = top + ${r}; let row${r} = (u32(clamp(h${r}, 0, H - 1))${halves}) * pairs; let inside${r} = select(0.0, 1.0, h${r} >= 0 && h${r} < H);`)}
  let lastAt = i32(q / 2u) + ${TILE_COLUMNS / 2};
  let lastPair = u32(min(lastAt, W - 1));
${each(lasts, (k) => `  let g${k} = top + min(i32(loader) + ${k * loaders}, ${ROWS - 1}); let lastRow${k} = (u32(clamp(g${k}, 0, H - 1))${halves}) * pairs; let lastMask${k} = select(0.0, 1.0, g${k} >= 0 && g${k} < H && lastAt < W);`)}
  var image = n * ${joined ? 'shape.firstC' : 'shape.C'} * plane;
${joined ? '  var image2 = n * (shape.C - shape.firstC) * plane - shape.firstC * plane; // as if the first ones stood before them' : ''}`,
    load: `${joined ? choice : known}
${inRows(halvesOf)}
${each(lasts, (k) => `    ${fitted(`e${k}`, `l${k}`)} let w${k} = e${k} * lastMask${k};`)}`,
    at(r, j) {
      if (j === COLUMNS - 1) return of(`w${Math.floor(r / loaders)}`, r % loaders);
      const holder = Math.ceil(j / 2); // of the pair, whose second number stands at an even j
      const part = enlarged ? '' : j % 2 === 0 ? 'y' : 'x';
      return of(`v${r}_${Math.floor(holder / loaders)}${part}`, holder % loaders);
    },
    next: `    image += plane;${joined ? '\n    image2 += plane;' : ''}`,
  };
}

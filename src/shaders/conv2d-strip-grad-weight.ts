/**
 * The kernel of conv2d-strip.wgsl for a weight's gradient, as text, for subgroups of `lanes`: 8 output x 4 input channels x 9 taps a subgroup.
 *
 * Each lane keeps its share of eight output channels and walks over runs of 14 pixels, slice by slice, down the rows of an image, so that of the three
 * input rows of a run only one is new. Every accumulator is a scalar with a name; see conv2d-strip.ts.
 */
import { normalised } from './conv2d-tile-rows.ts';
import type { Lanes } from './lanes.ts';

const CHANNELS = 8;
const INPUTS = 4;

/** Pixels of a turn; with their neighbours they fill whole loads of a subgroup. */
export const GRAD_WEIGHT_RUN = 14;
const COLUMNS = GRAD_WEIGHT_RUN + 2;

export interface GradWeightOptions {
  readonly lanes: Lanes;
  /** Whether the input may be one that is normalised as it is read. */
  readonly inPlace: boolean;
  /** 'pairs': two columns a load, for inputs and gradients of an even number of columns and a padding of one; 'enlarged': of an input that is enlarged. */
  readonly columns: 'single' | 'pairs' | 'enlarged';
}

const each = (count: number, line: (i: number) => string) =>
  Array.from({ length: count }, (_, i) => line(i)).join('\n');
const list = <T>(count: number, item: (i: number) => T): T[] => Array.from({ length: count }, (_, i) => item(i));

/** A sum of names, in pairs. */
function total(names: readonly string[]): string {
  if (names.length === 1) return names[0];
  const half = names.length >> 1;
  return `(${total(names.slice(0, half))} + ${total(names.slice(half))})`;
}

/** How the rows of the input are reached; the text finds c, n, p and q. */
interface InputRows {
  /** Before the walk. */
  readonly setup: string;
  /** At the beginning of a run. */
  readonly place: string;
  /** Numbers that a lane keeps of row r of channel i, and of row r of all channels. */
  names(i: number, r: number): string[];
  shared(r: number): string[];
  /** Declares each of them with what it is in the new run. */
  load(i: number, r: number): string;
  loadShared(r: number): string;
  /** Column j of row r of channel i, for every lane. */
  at(i: number, r: number, j: number): string;
}

/** Declares relu(normalise(value)) or the value itself, as the shape says, times `mask`. */
function masked(name: string, value: string, mask: string, moment: string, inPlace: boolean): string {
  if (!inPlace) return `let ${name} = ${value} * (${mask});`;
  return `let ${name}_is = ${value}; ${normalised(`${name}_fit`, `${name}_is`, moment)} let ${name} = select(${name}_is, ${name}_fit, shape.normalised == 1u) * (${mask});`;
}

/** Neighbouring columns by neighbouring lanes. */
function columnRows({ loaders, of }: Lanes, inPlace: boolean): InputRows {
  const loads = COLUMNS / loaders;
  const name = (i: number, r: number, k: number) => `v${i}_${r}_${k}`;
  return {
    setup: `  let width = shape.W;
  let plane = shape.H * width;
  let W = i32(shape.W);`,
    place: `    let first = q - i32(shape.padW) + i32(loader);
${each(loads, (k) => `    let w${k} = first + ${k * loaders}; let column${k} = u32(clamp(w${k}, 0, W - 1)); let mask${k} = select(0.0, 1.0, w${k} >= 0 && w${k} < W);`)}
${each(3, (r) => `    let h${r} = i32(p) + ${r} - i32(shape.padH); let row${r} = u32(clamp(h${r}, 0, i32(shape.H) - 1)) * width; let inside${r} = select(0.0, 1.0, h${r} >= 0 && h${r} < i32(shape.H));`)}
${each(INPUTS, (i) => `    let image${i} = (n * shape.C + min(c + ${i}u, shape.C - 1u)) * plane;`)}`,
    names: (i, r) => list(loads, (k) => name(i, r, k)),
    shared: () => [],
    load: (i, r) =>
      each(loads, (k) =>
        masked(
          `n${name(i, r, k)}`,
          `input[image${i} + row${r} + column${k}]`,
          `inside${r} * mask${k}`,
          `moment${i}`,
          inPlace,
        ),
      ),
    loadShared: () => '',
    at: (i, r, j) => of(name(i, r, Math.floor(j / loaders)), j % loaders),
  };
}

/**
 * Two neighbouring columns a lane, from one column before the window; its last column by a lane for each channel. See pairRows in conv2d-tile-rows.ts.
 * An enlarged input holds one number where the kernel sees a pair.
 */
function pairRows({ loaders, of }: Lanes, inPlace: boolean, enlarged: boolean): InputRows {
  const loads = COLUMNS / 2 / loaders;
  // The last columns: of a channel each by as many loaders, or of all by one.
  const lasts = loaders === 1 ? INPUTS : 1;
  const own = (k: number) => (loaders === 1 ? `c + ${k}u` : `c + loader % ${INPUTS}u`);
  const halves = enlarged ? ' / 2u' : '';
  const parts = enlarged ? [''] : ['x', 'y'];
  const name = (i: number, r: number, k: number) => `v${i}_${r}_${k}`;
  const read = (at: string) => `${enlarged ? 'input' : 'inputPairs'}[${at}]`;
  return {
    setup: `  let width = shape.W / 2u;
  let plane = (shape.H${halves}) * width;
  let W = i32(width);
${each(lasts, (k) => `  let own${k} = min(${own(k)}, shape.C - 1u); ${inPlace ? `let momentOwn${k} = moment[own${k}];` : ''}`)}`,
    place: `    let first = q / 2 - 1 + i32(loader);
${each(loads, (k) => `    let w${k} = first + ${k * loaders}; let pair${k} = u32(clamp(w${k}, 0, W - 1)); let mask${k} = select(0.0, 1.0, w${k} >= 0 && w${k} < W);`)}
    let last = q / 2 + ${GRAD_WEIGHT_RUN / 2};
    let lastMask = select(0.0, 1.0, last < W);
${each(lasts, (k) => `    let lastPlace${k} = (n * shape.C + own${k}) * plane + u32(min(last, W - 1));`)}
${each(3, (r) => `    let h${r} = i32(p) + ${r - 1}; let row${r} = (u32(clamp(h${r}, 0, i32(shape.H) - 1))${halves}) * width; let inside${r} = select(0.0, 1.0, h${r} >= 0 && h${r} < i32(shape.H));`)}
${each(INPUTS, (i) => `    let image${i} = (n * shape.C + min(c + ${i}u, shape.C - 1u)) * plane;`)}`,
    names: (i, r) => list(loads, (k) => parts.map((part) => name(i, r, k) + part)).flat(),
    shared: (r) => list(lasts, (k) => `last${r}_${k}`),
    load: (i, r) =>
      each(loads, (k) => {
        const both = `b${name(i, r, k)}`;
        const each = parts.map((part) =>
          masked(
            `n${name(i, r, k)}${part}`,
            part ? `${both}.${part}` : both,
            `inside${r} * mask${k}`,
            `moment${i}`,
            inPlace,
          ),
        );
        return `let ${both} = ${read(`image${i} + row${r} + pair${k}`)}; ${each.join(' ')}`;
      }),
    loadShared: (r) =>
      each(lasts, (k) =>
        masked(
          `nlast${r}_${k}`,
          `${read(`lastPlace${k} + row${r}`)}${enlarged ? '' : '.x'}`,
          `inside${r} * lastMask`,
          `momentOwn${k}`,
          inPlace,
        ),
      ),
    at(i, r, j) {
      if (j === COLUMNS - 1) return loaders === 1 ? `last${r}_${i}` : of(`last${r}_0`, i);
      const holder = Math.ceil(j / 2);
      const part = enlarged ? '' : j % 2 === 0 ? 'y' : 'x';
      return of(`${name(i, r, Math.floor(holder / loaders))}${part}`, holder % loaders);
    },
  };
}

/** Declares the run's gradients of channel d, zero beyond the row. */
function gradients(d: number, pairs: boolean): string {
  if (!pairs)
    return each(
      GRAD_WEIGHT_RUN,
      (j) => `    let g${d}_${j} = gradient[line${d} + u32(min(q + ${j}, Q - 1))] * select(0.0, 1.0, q + ${j} < Q);`,
    );
  return each(
    GRAD_WEIGHT_RUN / 2,
    (j) =>
      `    let g${d}_pair${j} = gradientPairs[(line${d} + u32(min(q + ${2 * j}, Q - 2))) / 2u] * select(0.0, 1.0, q + ${2 * j} < Q); let g${d}_${2 * j} = g${d}_pair${j}.x; let g${d}_${2 * j + 1} = g${d}_pair${j}.y;`,
  );
}

export const gradWeightEntry = {
  single: 'gradWeight',
  pairs: 'gradWeightPairs',
  enlarged: 'gradWeightEnlarged',
} as const;

/** x: slices, y: groups of eight output channels, z: groups of four input channels. */
export function stripGradWeightCode({ lanes, inPlace, columns }: GradWeightOptions): string {
  const { shares, tiles } = lanes;
  const share = CHANNELS / shares; // output channels a thread
  const pairs = columns !== 'single';
  const rows = pairs ? pairRows(lanes, inPlace, columns === 'enlarged') : columnRows(lanes, inPlace);
  const kept = [0, 1].flatMap((r) => [...list(INPUTS, (i) => rows.names(i, r)).flat(), ...rows.shared(r)]);
  const assign = (names: string[]) => names.map((name) => `${name} = n${name};`).join(' ');
  return `
@compute @workgroup_size(${lanes.threads})
fn ${gradWeightEntry[columns]}(@builtin(workgroup_id) group : vec3u, ${lanes.parameter}) {
  ${lanes.begin}
  let slice = group.x * ${tiles}u + tile;
${each(share, (d) => `  let o${d} = group.y * ${CHANNELS}u + ${d * shares}u + lane; let output${d} = min(o${d}, shape.O - 1u);`)}
  let c = group.z * ${INPUTS}u;
  let Q = i32(shape.Q);
  let count = shape.N * shape.P * shape.strips;
  let perSlice = (count + shape.slices - 1u) / shape.slices;
  let start = slice * perSlice;
  let end = min(count, start + perSlice);
${rows.setup}
${inPlace ? each(INPUTS, (i) => `  let moment${i} = moment[min(c + ${i}u, shape.C - 1u)];`) : ''}
${each(share, (d) => `  var offset${d} = 0.0;`)}
${each(share, (d) => each(INPUTS, (i) => `  ${each(9, (t) => `var a${d}_${i}_${t} = 0.0;`).replaceAll('\n', ' ')}`))}
  ${kept.map((name) => `var ${name} = 0.0;`).join(' ')}
  for (var run = start; run < end; run++) {
    let p = run % shape.P;
    let q = i32((run / shape.P) % shape.strips) * ${GRAD_WEIGHT_RUN};
    let n = run / (shape.P * shape.strips);
${each(share, (d) => `    let line${d} = ((n * shape.O + output${d}) * shape.P + p) * shape.Q;`)}
${each(share, (d) => gradients(d, pairs))}
${each(share, (d) => `    offset${d} += ${total(list(GRAD_WEIGHT_RUN, (j) => `g${d}_${j}`))};`)}
${rows.place}
    if (run == start || p == 0u) { // the rows above, which a run down the same columns still has from its last turn
${each(2, (r) => `      ${rows.loadShared(r)} ${assign(rows.shared(r))}`)}
${each(INPUTS, (i) => each(2, (r) => `      ${rows.load(i, r)} ${assign(rows.names(i, r))}`))}
    }
    ${rows.loadShared(2)}
${rows
  .shared(2)
  .map((name) => `    let ${name} = n${name};`)
  .join(' ')}
${each(
  INPUTS,
  (i) => `    {
      ${rows.load(i, 2)}
${rows
  .names(i, 2)
  .map((name) => `      let ${name} = n${name};`)
  .join(' ')}
${each(
  3,
  (r) => `      {
${each(COLUMNS, (j) => `        let x${j} = ${rows.at(i, r, j)};`)}
${each(share, (d) => each(3, (s) => each(GRAD_WEIGHT_RUN, (j) => `        a${d}_${i}_${r * 3 + s} = fma(g${d}_${j}, x${j + s}, a${d}_${i}_${r * 3 + s});`)))}
      }`,
)}
${each(2, (r) =>
  rows
    .names(i, r)
    .map((name, k) => `      ${name} = ${rows.names(i, r + 1)[k]};`)
    .join(' '),
)}
    }`,
)}
${each(2, (r) =>
  rows
    .shared(r)
    .map((name, k) => `    ${name} = ${rows.shared(r + 1)[k]};`)
    .join(' '),
)}
  }
${tiles === 1 ? '' : '  if (slice >= shape.slices) {\n    return;\n  }'}
${each(
  share,
  (d) => `  if (o${d} < shape.O) {
    if (group.z == 0u && shape.weightFirst == 0u) {
      biasPartial[o${d} * shape.slices + slice] = offset${d};
    }
${each(INPUTS, (i) => each(9, (t) => `    writeWeight(o${d}, c + ${i}u, ${t}u, slice, a${d}_${i}_${t});`))}
  }`,
)}
}`;
}

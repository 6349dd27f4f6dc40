/**
 * The unrolled kernels of conv2d-strip.wgsl as text, for subgroups of `lanes`: forward (8 pixels x 8 channels a thread) and gradWeight (8 output x 4
 * input channels x 9 taps a subgroup).
 *
 * Every accumulator is a scalar with a name, because SwiftShader keeps neither arrays nor structs in registers.
 */
const PIXELS = 8;
const CHANNELS = 8;
const INPUTS = 4;

/** Pixels that gradWeight takes a turn; with their neighbours they fill whole loads of a subgroup. */
export const GRAD_WEIGHT_RUN = 14;

const each = (count: number, line: (i: number) => string) =>
  Array.from({ length: count }, (_, i) => line(i)).join('\n');

/** Text that names relu(normalise(value)) as `fit`, as batch-norm.wgsl computes it. */
export const normalised = (fit: string, value: string, moment: string) =>
  `let ${fit}_raw = fma(${value} - ${moment}.x, ${moment}.z, ${moment}.w); let ${fit} = select(${fit}_raw, 0.0, ${fit}_raw <= 0.0);`;

/** Text that names what the input holds at an index, times `mask`. */
const load = (name: string, at: string, mask: string) => `let ${name} = input[${at}] * (${mask});`;

/** The same, normalised where the shape says so. */
const loadInPlace = (name: string, at: string, mask: string, moment: string) =>
  `let ${name}_is = input[${at}]; ${normalised(`${name}_fit`, `${name}_is`, moment)} let ${name} = select(${name}_is, ${name}_fit, shape.normalised == 1u) * (${mask});`;

/** A sum of names, in pairs. */
function total(names: readonly string[]): string {
  if (names.length === 1) return names[0];
  const half = names.length >> 1;
  return `(${total(names.slice(0, half))} + ${total(names.slice(half))})`;
}

/** Where accumulator k of a strip goes: channel k of the tile, or channel k - 4 of the next row when tall. */
function epilogue(k: number): string {
  const second = k >= 4 ? 'shape.tall == 1u' : 'false';
  return `  let second${k} = ${second};
  let o${k} = o + select(${k}u, ${k % 4}u, second${k});
  let ok${k} = o${k} < shape.O && p + select(0u, 1u, second${k}) < shape.P;
  let at${k} = select(corner, corner + (o${k} - o) * shape.P * shape.Q + select(0u, shape.Q, second${k}), ok${k});
  let b${k} = select(0.0, bias[min(o${k}, shape.O - 1u)], shape.hasBias == 1u);`;
}

/** x: strips of all rows of all images; y: tiles of eight output channels. */
export function stripForwardCode(lanes: number): string {
  const loads = (3 * CHANNELS) / lanes; // numbers of a row of taps that each lane loads
  const tap = (i: number) => `subgroupBroadcast(v${Math.floor(i / lanes)}, ${i % lanes}u)`;
  return `
@compute @workgroup_size(${lanes})
fn forward(@builtin(workgroup_id) group : vec3u, @builtin(subgroup_invocation_id) lane : u32) {
  let strip = group.x * ${lanes}u + lane;
  let bands = select(shape.P, (shape.P + 1u) / 2u, shape.tall == 1u); // rows, or pairs of them
  let last = shape.N * bands * shape.strips - 1u;
  let band = min(strip, last) / shape.strips;
  let n = band / bands;
  let p = (band % bands) * select(1u, 2u, shape.tall == 1u);
  let first = i32(min(strip, last) % shape.strips) * ${PIXELS};
  let left = first - i32(shape.padW);
  let W = i32(shape.W);
${each(PIXELS + 2, (j) => `  let c${j} = u32(clamp(left + ${j}, 0, W - 1)); let m${j} = select(0.0, 1.0, left + ${j} >= 0 && left + ${j} < W);`)}
${each(CHANNELS, (k) => `  ${each(PIXELS, (j) => `var a${k}_${j} = 0.0;`).replaceAll('\n', ' ')}`)}
  for (var c = 0u; c < shape.C; c++) {
    for (var r = 0u; r < shape.rows; r++) {
      let h = i32(p + r) - i32(shape.padH);
      let inside = select(0.0, 1.0, h >= 0 && h < i32(shape.H));
      let row = ((n * shape.C + c) * shape.H + u32(clamp(h, 0, i32(shape.H) - 1))) * shape.W;
      let taps = ((c * shape.rows + r) * shape.tiles + group.y) * ${3 * CHANNELS}u;
${each(PIXELS + 2, (j) => `      let x${j} = input[row + c${j}] * (inside * m${j});`)}
${each(loads, (q) => `      let v${q} = slab[taps + ${q * lanes}u + lane];`)}
${each(3, (s) => each(CHANNELS, (k) => `      { let w = ${tap(s * CHANNELS + k)}; ${each(PIXELS, (j) => `a${k}_${j} = fma(x${j + s}, w, a${k}_${j});`).replaceAll('\n', ' ')} }`))}
    }
  }
  if (strip > last) {
    return;
  }
  // Channels beyond O and rows beyond P write what channel 0 writes, where it writes it: a branch a store would cost more than the sums.
  let o = group.y * ${CHANNELS}u;
  let q = u32(first);
  let corner = ((n * shape.O + o) * shape.P + p) * shape.Q + q;
${each(CHANNELS, epilogue)}
${each(PIXELS, (j) => `  if (q + ${j}u < shape.Q) {\n${each(CHANNELS, (k) => `    output[at${k} + ${j}u] = select(a0_${j} + b0, a${k}_${j} + b${k}, ok${k});`)}\n  }`)}
}`;
}

/**
 * A subgroup keeps eight output channels, each lane its share of them, and walks over runs of 14 pixels, slice by slice, down the rows of an image,
 * so that of the three input rows of a run only one is new.
 * `inPlace`: whether the input may be one that is normalised as it is read.
 * x: slices, y: groups of eight output channels, z: groups of four input channels. A workgroup is one subgroup.
 */
export function stripGradWeightCode(lanes: number, inPlace: boolean): string {
  const columns = GRAD_WEIGHT_RUN + 2; // with the neighbours: whole loads of a subgroup
  const loads = columns / lanes;
  const share = CHANNELS / lanes; // output channels a lane
  const read = inPlace ? loadInPlace : load;
  return `
@compute @workgroup_size(${lanes})
fn gradWeight(@builtin(workgroup_id) group : vec3u, @builtin(subgroup_invocation_id) lane : u32) {
  let slice = group.x;
${each(share, (d) => `  let o${d} = group.y * ${CHANNELS}u + ${d * lanes}u + lane; let output${d} = min(o${d}, shape.O - 1u);`)}
  let c = group.z * ${INPUTS}u;
  let width = shape.W >> shape.raised;
  let plane = (shape.H >> shape.raised) * width;
  let Q = i32(shape.Q);
  let W = i32(shape.W);
  let count = shape.N * shape.P * shape.strips;
  let perSlice = (count + shape.slices - 1u) / shape.slices;
  let start = slice * perSlice;
  let end = min(count, start + perSlice);
${inPlace ? each(INPUTS, (i) => `  let moment${i} = moment[min(c + ${i}u, shape.C - 1u)];`) : ''}
${each(share, (d) => `  var offset${d} = 0.0;`)}
${each(share, (d) => each(INPUTS, (i) => `  ${each(9, (t) => `var a${d}_${i}_${t} = 0.0;`).replaceAll('\n', ' ')}`))}
${each(INPUTS, (i) => `  ${each(2, (r) => each(loads, (k) => `var v${i}_${r}_${k} = 0.0;`)).replaceAll('\n', ' ')}`)}
  for (var run = start; run < end; run++) {
    let p = run % shape.P;
    let q = i32((run / shape.P) % shape.strips) * ${GRAD_WEIGHT_RUN};
    let n = run / (shape.P * shape.strips);
${each(share, (d) => `    let line${d} = ((n * shape.O + output${d}) * shape.P + p) * shape.Q;`)}
${each(share, (d) => each(GRAD_WEIGHT_RUN, (j) => `    let g${d}_${j} = gradient[line${d} + u32(min(q + ${j}, Q - 1))] * select(0.0, 1.0, q + ${j} < Q);`))}
${each(share, (d) => `    offset${d} += ${total(Array.from({ length: GRAD_WEIGHT_RUN }, (_, j) => `g${d}_${j}`))};`)}
    let first = q - i32(shape.padW) + i32(lane);
${each(loads, (k) => `    let w${k} = first + ${k * lanes}; let column${k} = u32(clamp(w${k}, 0, W - 1)) >> shape.raised; let mask${k} = select(0.0, 1.0, w${k} >= 0 && w${k} < W);`)}
${each(3, (r) => `    let h${r} = i32(p) + ${r} - i32(shape.padH); let row${r} = (u32(clamp(h${r}, 0, i32(shape.H) - 1)) >> shape.raised) * width; let inside${r} = select(0.0, 1.0, h${r} >= 0 && h${r} < i32(shape.H));`)}
${each(INPUTS, (i) => `    let image${i} = (n * shape.C + min(c + ${i}u, shape.C - 1u)) * plane;`)}
    if (run == start || p == 0u) { // the rows above, which a run down the same columns still has from its last turn
${each(INPUTS, (i) => each(2, (r) => each(loads, (k) => `      ${read(`n${i}_${r}_${k}`, `image${i} + row${r} + column${k}`, `inside${r} * mask${k}`, `moment${i}`)} v${i}_${r}_${k} = n${i}_${r}_${k};`)))}
    }
${each(
  INPUTS,
  (i) => `    {
${each(loads, (k) => `      ${read(`v${i}_2_${k}`, `image${i} + row2 + column${k}`, `inside2 * mask${k}`, `moment${i}`)}`)}
${each(
  3,
  (r) => `      {
${each(columns, (j) => `        let x${j} = subgroupBroadcast(v${i}_${r}_${Math.floor(j / lanes)}, ${j % lanes}u);`)}
${each(share, (d) => each(3, (s) => each(GRAD_WEIGHT_RUN, (j) => `        a${d}_${i}_${r * 3 + s} = fma(g${d}_${j}, x${j + s}, a${d}_${i}_${r * 3 + s});`)))}
      }`,
)}
${each(2, (r) => each(loads, (k) => `      v${i}_${r}_${k} = v${i}_${r + 1}_${k};`))}
    }`,
)}
  }
${each(
  share,
  (d) => `  if (o${d} < shape.O) {
    if (group.z == 0u && shape.firstC == 0u) {
      biasPartial[o${d} * shape.slices + slice] = offset${d};
    }
${each(INPUTS, (i) => each(9, (t) => `    writeWeight(o${d}, c + ${i}u, ${t}u, slice, a${d}_${i}_${t});`))}
  }`,
)}
}`;
}

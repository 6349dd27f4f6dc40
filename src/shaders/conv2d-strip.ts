/**
 * The unrolled kernels of conv2d-strip.wgsl as text: forward (8 pixels x 8 channels a thread) and gradWeight (1 output x 4 input channels
 * x 9 taps a thread), for subgroups of `lanes` and workgroups of `group` threads.
 *
 * Every accumulator is a scalar with a name, because SwiftShader keeps neither arrays nor structs in registers.
 */
const PIXELS = 8;
const CHANNELS = 8;
const INPUTS = 4;

/** Pixels that gradWeight takes a turn; with their neighbours they fill whole loads of a subgroup. */
export const gradWeightRun = (lanes: number) => (lanes === 8 ? 14 : 6);

const each = (count: number, line: (i: number) => string) =>
  Array.from({ length: count }, (_, i) => line(i)).join('\n');

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
export function stripForwardCode(lanes: number, group: number): string {
  const loads = (3 * CHANNELS) / lanes; // numbers of a row of taps that each lane loads
  const tap = (i: number) => `subgroupBroadcast(v${Math.floor(i / lanes)}, ${i % lanes}u)`;
  return `
@compute @workgroup_size(${group})
fn forward(
  @builtin(workgroup_id) group : vec3u,
  @builtin(local_invocation_index) local : u32,
  @builtin(subgroup_invocation_id) lane : u32,
) {
  let strip = group.x * ${group}u + local;
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
 * Each lane keeps one output channel; a subgroup walks over runs of 14 or 6 pixels, slice by slice, down the rows of an image, so that of the three
 * input rows of a run only one is new.
 * x: slices in workgroups, y: groups of `lanes` output channels, z: groups of four input channels.
 */
export function stripGradWeightCode(lanes: number, group: number): string {
  const run = gradWeightRun(lanes);
  const columns = run + 2;
  const shares = columns / lanes;
  const perGroup = group / lanes;
  return `
@compute @workgroup_size(${group})
fn gradWeight(
  @builtin(workgroup_id) group : vec3u,
  @builtin(local_invocation_index) local : u32,
  @builtin(subgroup_invocation_id) lane : u32,
) {
  let slice = group.x * ${perGroup}u + local / ${lanes}u;
  let o = min(group.y * ${lanes}u + lane, shape.O - 1u);
  let c = group.z * ${INPUTS}u;
  let plane = shape.H * shape.W;
  let Q = i32(shape.Q);
  let W = i32(shape.W);
  let count = shape.N * shape.P * shape.strips;
  let perSlice = (count + shape.slices - 1u) / shape.slices;
  var offset = 0.0;
${each(INPUTS, (i) => `  ${each(9, (t) => `var a${i}_${t} = 0.0;`).replaceAll('\n', ' ')}`)}
${each(INPUTS, (i) => `  ${each(2, (r) => each(shares, (k) => `var v${i}_${r}_${k} = 0.0;`)).replaceAll('\n', ' ')}`)}
  // All subgroups of a workgroup take the same number of turns; a turn beyond the end adds nothing.
  for (var turn = 0u; turn < perSlice; turn++) {
    let run = min(slice * perSlice + turn, count - 1u);
    let live = select(0.0, 1.0, slice * perSlice + turn < count);
    let p = run % shape.P;
    let q = i32((run / shape.P) % shape.strips) * ${run};
    let n = run / (shape.P * shape.strips);
    let row = ((n * shape.O + o) * shape.P + p) * shape.Q;
${each(run, (j) => `    let g${j} = gradient[row + u32(min(q + ${j}, Q - 1))] * select(0.0, live, q + ${j} < Q);`)}
    offset += ${total(Array.from({ length: run }, (_, j) => `g${j}`))};
    let first = q - i32(shape.padW) + i32(lane);
${each(shares, (k) => `    let w${k} = first + ${k * lanes}; let column${k} = u32(clamp(w${k}, 0, W - 1)); let mask${k} = select(0.0, 1.0, w${k} >= 0 && w${k} < W);`)}
${each(3, (r) => `    let h${r} = i32(p) + ${r} - i32(shape.padH); let row${r} = u32(clamp(h${r}, 0, i32(shape.H) - 1)) * shape.W; let inside${r} = select(0.0, 1.0, h${r} >= 0 && h${r} < i32(shape.H));`)}
${each(INPUTS, (i) => `    let image${i} = (n * shape.C + min(c + ${i}u, shape.C - 1u)) * plane;`)}
    if (turn == 0u || p == 0u) { // the rows above, which a run down the same columns still has from its last turn
${each(INPUTS, (i) => each(2, (r) => each(shares, (k) => `      v${i}_${r}_${k} = input[image${i} + row${r} + column${k}] * (inside${r} * mask${k});`)))}
    }
${each(
  INPUTS,
  (i) => `    {
${each(shares, (k) => `      let v${i}_2_${k} = input[image${i} + row2 + column${k}] * (inside2 * mask${k});`)}
${each(
  3,
  (r) => `      {
${each(columns, (j) => `        let x${j} = subgroupBroadcast(v${i}_${r}_${Math.floor(j / lanes)}, ${j % lanes}u);`)}
${each(run, (j) => each(3, (s) => `        a${i}_${r * 3 + s} = fma(g${j}, x${j + s}, a${i}_${r * 3 + s});`))}
      }`,
)}
${each(2, (r) => each(shares, (k) => `      v${i}_${r}_${k} = v${i}_${r + 1}_${k};`))}
    }`,
)}
  }
  if (group.y * ${lanes}u + lane >= shape.O || slice >= shape.slices) {
    return;
  }
  if (group.z == 0u) {
    biasPartial[o * shape.slices + slice] = offset;
  }
${each(INPUTS, (i) => each(9, (t) => `  writeWeight(o, c + ${i}u, ${t}u, slice, a${i}_${t});`))}
}`;
}

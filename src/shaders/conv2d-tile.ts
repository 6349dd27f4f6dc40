/**
 * A second forward kernel for conv2d-strip.wgsl, as text: each lane keeps one output channel, and a subgroup computes a tile of 14 x 4 pixels.
 *
 * Its lanes load neighbouring columns of the input, and every number reaches the others by subgroupBroadcast: an element is loaded once for all
 * channels, taps and pixels of the tile, 12 loads to 504 multiplications where a strip needs 39 to 576; the nine taps are three loads of four. Loads are
 * what lavapipe is slow at: inside a loop each lane tests its mask, the buffer's size and a pointer before each number. The text is short for what it
 * computes: a larger tile loads less and is slower, probably since its code no longer fits a processor's first cache. Subgroups of eight only.
 */
const LANES = 8;
export const TILE_COLUMNS = 14;
export const TILE_ROWS = 4;
const COLUMNS = TILE_COLUMNS + 2; // with the neighbours
const ROWS = TILE_ROWS + 2;
const PARTS = COLUMNS / LANES;

const each = (count: number, line: (i: number) => string) =>
  Array.from({ length: count }, (_, i) => line(i)).join('\n');

/** Row p of the tile: sum by sum, so that one is in a register while the input waits in memory, which is where a multiplication may take it from. */
function products(p: number): string {
  const value = (r: number, j: number) => `subgroupBroadcast(v${r}_${Math.floor(j / LANES)}, ${j % LANES}u)`;
  const sum = (q: number) =>
    each(9, (tap) => `a${p}_${q} = fma(${value(p + Math.floor(tap / 3), q + (tap % 3))}, w${tap}, a${p}_${q});`);
  return each(TILE_COLUMNS, (q) => `    ${sum(q).replaceAll('\n', ' ')}`);
}

/** x: tiles of an image, y: groups of eight output channels, z: N. A workgroup is one subgroup. */
export const tileForwardCode = `
@compute @workgroup_size(${LANES})
fn forwardTile(@builtin(workgroup_id) group : vec3u, @builtin(subgroup_invocation_id) lane : u32) {
  let n = group.z;
  let p = (group.x / shape.strips) * ${TILE_ROWS}u;
  let q = (group.x % shape.strips) * ${TILE_COLUMNS}u;
  let H = i32(shape.H);
  let W = i32(shape.W);
  let top = i32(p) - i32(shape.padH);
  let left = i32(q + lane) - i32(shape.padW);
${each(PARTS, (k) => `  let at${k} = left + ${k * LANES}; let column${k} = u32(clamp(at${k}, 0, W - 1)); let mask${k} = select(0.0, 1.0, at${k} >= 0 && at${k} < W);`)}
${each(ROWS, (r) => `  let h${r} = top + ${r}; let row${r} = u32(clamp(h${r}, 0, H - 1)) * shape.W; let inside${r} = select(0.0, 1.0, h${r} >= 0 && h${r} < H);`)}
${each(TILE_ROWS, (i) => `  ${each(TILE_COLUMNS, (j) => `var a${i}_${j} = 0.0;`).replaceAll('\n', ' ')}`)}
  var image = n * shape.C * shape.H * shape.W;
  var taps = (group.y * ${LANES}u + lane) * 3u;
  for (var c = 0u; c < shape.C; c++) {
${each(3, (k) => `    let four${k} = slabFours[taps + ${k}u];`)}
${each(9, (tap) => `    let w${tap} = four${tap >> 2}.${'xyzw'[tap & 3]};`)}
${each(ROWS, (r) => each(PARTS, (k) => `    let v${r}_${k} = input[image + row${r} + column${k}] * (inside${r} * mask${k});`))}
${each(TILE_ROWS, products)}
    image += shape.H * shape.W;
    taps += shape.tiles * ${LANES * 3}u;
  }
  let o = group.y * ${LANES}u + lane;
  if (o >= shape.O) {
    return;
  }
  let b = select(0.0, bias[o], shape.hasBias == 1u);
  let corner = ((n * shape.O + o) * shape.P + p) * shape.Q + q;
${each(TILE_ROWS, (i) => `  if (p + ${i}u < shape.P) {\n${each(TILE_COLUMNS, (j) => `    if (q + ${j}u < shape.Q) { output[corner + ${i}u * shape.Q + ${j}u] = a${i}_${j} + b; }`)}\n  }`)}
}`;

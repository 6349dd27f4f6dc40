/**
 * A second forward kernel for conv2d-strip.wgsl, as text: each lane keeps one output channel, and a subgroup computes a tile of 14 x 4 pixels.
 *
 * Its lanes load neighbouring columns of the input, and every number reaches the others by subgroupBroadcast: an element is loaded once for all
 * channels, taps and pixels of the tile, 21 loads to 504 multiplications where a strip needs 39 to 576. Loads are what lavapipe is slow at: inside
 * a loop each lane tests its mask, the buffer's size and a pointer before each number. Subgroups of eight only.
 */
const LANES = 8;
export const TILE_COLUMNS = 14;
export const TILE_ROWS = 4;
const COLUMNS = TILE_COLUMNS + 2; // with the neighbours
const ROWS = TILE_ROWS + 2;
const PARTS = COLUMNS / LANES;

const each = (count: number, line: (i: number) => string) =>
  Array.from({ length: count }, (_, i) => line(i)).join('\n');

/** The products of input row r, column j of the tile: one for each tap that leads to a pixel inside it. */
function products(r: number, j: number): string {
  const line = (tap: number) => {
    const [p, q] = [r - Math.floor(tap / 3), j - (tap % 3)];
    const inside = p >= 0 && p < TILE_ROWS && q >= 0 && q < TILE_COLUMNS;
    return inside ? `a${p}_${q} = fma(x, w${tap}, a${p}_${q});` : '';
  };
  const value = `subgroupBroadcast(v${Math.floor(j / LANES)}, ${j % LANES}u)`;
  return `      { let x = ${value}; ${each(9, line).replaceAll('\n', ' ')} }`;
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
  var taps = group.y * 24u + lane;
  for (var c = 0u; c < shape.C; c++) {
${each(9, (tap) => `    let w${tap} = slab[taps + ${Math.floor(tap / 3)}u * shape.tiles * 24u + ${(tap % 3) * 8}u];`)}
${each(
  ROWS,
  (r) => `    {
${each(PARTS, (k) => `      let v${k} = input[image + row${r} + column${k}] * (inside${r} * mask${k});`)}
${each(COLUMNS, (j) => products(r, j))}
    }`,
)}
    image += shape.H * shape.W;
    taps += 3u * shape.tiles * 24u;
  }
  let o = group.y * ${LANES}u + lane;
  if (o >= shape.O) {
    return;
  }
  let b = select(0.0, bias[o], shape.hasBias == 1u);
  let corner = ((n * shape.O + o) * shape.P + p) * shape.Q + q;
${each(TILE_ROWS, (i) => `  if (p + ${i}u < shape.P) {\n${each(TILE_COLUMNS, (j) => `    if (q + ${j}u < shape.Q) { output[corner + ${i}u * shape.Q + ${j}u] = a${i}_${j} + b; }`)}\n  }`)}
}`;

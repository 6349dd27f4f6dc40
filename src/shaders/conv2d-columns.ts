/**
 * The unrolled kernels of conv2d-columns.wgsl as text, for subgroups of `lanes`: product (8 outputs x `positions` a thread) and gradWeight
 * (4 outputs x 8 rows a thread). Every accumulator is a scalar with a name; see conv2d-strip.ts.
 *
 * A sum of products runs in blocks of 32, and those in parts of 256, each added up apart: a sum of thousands is rounded about like one of
 * fifty. Where two elements of a pooling window nearly tie, rounding decides which of them gets the gradient, and in a network of hundreds
 * of layers such ties come up.
 */
import type { Lanes } from './lanes.ts';

const OUTPUTS = 8;
const BLOCK = 32;
const PART = 256;
const OWN = 4; // outputs of a lane in gradWeight
const ROWS = 8;

const each = (count: number, line: (i: number) => string) =>
  Array.from({ length: count }, (_, i) => line(i)).join('\n');
const grid = (a: number, b: number, line: (i: number, j: number) => string) =>
  each(a, (i) => `  ${each(b, (j) => line(i, j)).replaceAll('\n', ' ')}`);

/** How product reaches the positions of a lane: each `lanes` from the next, or where L divides by four, four neighbours a load and a store. */
function positionsOf(threads: number, thread: string, positions: number, fours: boolean) {
  const place = (j: number, first: string, last: string) =>
    `  let m${j} = ${first}; let i${j} = min(m${j}, ${last}); let n${j} = i${j} / shape.L; let l${j} = i${j} % shape.L;`;
  if (!fours) {
    return {
      places: each(
        positions,
        (j) =>
          `${place(j, `(column * ${positions}u + ${j}u) * ${threads}u + ${thread}`, 'count - 1u')} let x${j} = n${j} * shape.K * shape.L + l${j};`,
      ),
      loads: each(positions, (j) => `        let c${j} = columns[x${j} + k * shape.L];`),
      stores: (k: number) =>
        each(
          positions,
          (j) => `    if (m${j} < count) { output[(n${j} * shape.O + o + ${k}u) * shape.L + l${j}] = t${k}_${j} + b; }`,
        ),
    };
  }
  const groups = positions / 4;
  const four = (name: (e: number) => string) => `vec4f(${[0, 1, 2, 3].map(name).join(', ')})`;
  return {
    places: each(
      groups,
      (g) =>
        `${place(g, `((column * ${groups}u + ${g}u) * ${threads}u + ${thread}) * 4u`, 'count - 4u')} let x${g} = (n${g} * shape.K * shape.L + l${g}) / 4u;`,
    ),
    loads: each(
      groups,
      (g) =>
        `        let four${g} = columnsFours[x${g} + k * (shape.L / 4u)]; ${[...'xyzw'].map((part, e) => `let c${4 * g + e} = four${g}.${part};`).join(' ')}`,
    ),
    stores: (k: number) =>
      each(
        groups,
        (g) =>
          `    if (m${g} < count) { outputFours[((n${g} * shape.O + o + ${k}u) * shape.L + l${g}) / 4u] = ${four((e) => `t${k}_${4 * g + e} + b`)}; }`,
      ),
  };
}

/** x, then z where x is full: positions of all images, `lanes` times `positions` a subgroup; y: groups of eight outputs. A workgroup is one subgroup. */
export function productCode(
  { threads, loaders, of, parameter, bySubgroups }: Lanes,
  positions: number,
  fours: boolean,
): string {
  const shares = Math.ceil(OUTPUTS / loaders);
  const { places, loads, stores } = positionsOf(threads, bySubgroups ? 'lane' : 'thread', positions, fours);
  return `
@compute @workgroup_size(${threads})
fn product${fours ? 'Fours' : ''}(@builtin(workgroup_id) group : vec3u, @builtin(num_workgroups) groups : vec3u, ${parameter}) {
  let column = group.z * groups.x + group.x;
  let count = shape.N * shape.L;
  let o = group.y * ${OUTPUTS}u;
${places}
${each(shares, (q) => `  let w${q} = min(o + ${q * loaders}u${bySubgroups ? ' + lane' : ''}, shape.O - 1u) * shape.strideO;`)}
${grid(OUTPUTS, positions, (k, j) => `var t${k}_${j} = 0.0;`)}
  for (var part = 0u; part < shape.K; part += ${PART}u) {
${grid(OUTPUTS, positions, (k, j) => `var s${k}_${j} = 0.0;`)}
    for (var block = part; block < min(part + ${PART}u, shape.K); block += ${BLOCK}u) {
${grid(OUTPUTS, positions, (k, j) => `var a${k}_${j} = 0.0;`)}
      for (var k = block; k < min(block + ${BLOCK}u, shape.K); k++) {
${each(shares, (q) => `        let v${q} = weight[w${q} + k * shape.strideK];`)}
${loads}
${each(OUTPUTS, (k) => `        { let w = ${of(`v${Math.floor(k / loaders)}`, k % loaders)}; ${each(positions, (j) => `a${k}_${j} = fma(c${j}, w, a${k}_${j});`).replaceAll('\n', ' ')} }`)}
      }
${grid(OUTPUTS, positions, (k, j) => `s${k}_${j} += a${k}_${j};`)}
    }
${grid(OUTPUTS, positions, (k, j) => `t${k}_${j} += s${k}_${j};`)}
  }
${each(
  OUTPUTS,
  (k) => `  if (o + ${k}u < shape.O) {
    let b = select(0.0, bias[o + ${k}u], shape.hasBias == 1u);
${stores(k)}
  }`,
)}
}`;
}

/** Text that adds the products of positions l to l + `lanes` - 1, in their order. */
function products({ threads: lanes, bySubgroups }: Lanes, fours: boolean): string {
  const column = (k: number, j: number) =>
    bySubgroups ? `subgroupBroadcast(c${k}, ${j}u)` : `columns[rows + min(l + ${j}u, shape.L - 1u) + k${k}]`;
  const sums = (j: number, y: (i: number) => string) =>
    each(
      ROWS,
      (k) =>
        `      { let x = ${column(k, j)}; ${each(OWN, (i) => `a${i}_${k} = fma(${y(i)}, x, a${i}_${k});`).replaceAll('\n', ' ')} }`,
    );
  if (!fours) {
    return each(
      lanes,
      (j) => `    {
      let at = images + min(l + ${j}u, shape.L - 1u);
      let live = select(0.0, 1.0, l + ${j}u < shape.L);
${each(OWN, (i) => `      let y${i} = gradient[at + g${i}] * live;`)}
${sums(j, (i) => `y${i}`)}
    }`,
    );
  }
  return each(
    lanes / 4,
    (g) => `    {
      let at = images + min(l + ${4 * g}u, shape.L - 4u);
      let live = select(0.0, 1.0, l + ${4 * g}u < shape.L);
${each(OWN, (i) => `      let y${i} = gradientFours[(at + g${i}) / 4u] * live;`)}
${[...'xyzw'].map((part, e) => sums(4 * g + e, (i) => `y${i}.${part}`)).join('\n')}
    }`,
  );
}

/** x: slices of the positions, y: groups of 4 `lanes` outputs, z: groups of eight rows. A workgroup is one subgroup. `fours`: L divides by four. */
export function columnGradWeightCode(group: Lanes, fours: boolean): string {
  const { threads: lanes, bySubgroups } = group;
  return `
@compute @workgroup_size(${lanes})
fn gradWeight${fours ? 'Fours' : ''}(@builtin(workgroup_id) group : vec3u, ${group.parameter}) {
  let first = group.y * ${OWN * lanes}u + ${bySubgroups ? 'lane' : 'thread'};
  let row = group.z * ${ROWS}u;
  let blocks = (shape.L + ${lanes - 1}u) / ${lanes}u; // of an image's positions
  let turns = shape.N * blocks;
  let perSlice = (turns + shape.slices - 1u) / shape.slices;
${each(OWN, (i) => `  let o${i} = first + ${i * lanes}u; let g${i} = min(o${i}, shape.O - 1u) * shape.L;`)}
${each(ROWS, (k) => `  let k${k} = min(row + ${k}u, shape.K - 1u) * shape.L;`)}
${grid(OWN, ROWS, (i, k) => `var a${i}_${k} = 0.0;`)}
  for (var turn = group.x * perSlice; turn < min((group.x + 1u) * perSlice, turns); turn++) {
    let n = turn / blocks;
    let l = (turn % blocks) * ${lanes}u;
    let images = n * shape.O * shape.L;
    let rows = n * shape.K * shape.L;
${bySubgroups ? `    let own = rows + min(l + lane, shape.L - 1u);\n${each(ROWS, (k) => `    let c${k} = columns[own + k${k}];`)}` : ''}
${products(group, fours)}
  }
${each(OWN, (i) => each(ROWS, (k) => `  if (o${i} < shape.O && row + ${k}u < shape.K) { partial[(o${i} * shape.K + row + ${k}u) * shape.slices + group.x] = a${i}_${k}; }`))}
}`;
}

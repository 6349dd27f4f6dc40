/**
 * The unrolled kernels of conv2d-strip.wgsl as text, for subgroups of `lanes`: forward (8 pixels x 8 channels a thread) and gradWeight (8 output x 4
 * input channels x 9 taps a subgroup).
 *
 * Every accumulator is a scalar with a name, because SwiftShader keeps neither arrays nor structs in registers.
 */
import type { Lanes } from './lanes.ts';

const PIXELS = 8;
const CHANNELS = 8;

const each = (count: number, line: (i: number) => string) =>
  Array.from({ length: count }, (_, i) => line(i)).join('\n');

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
export function stripForwardCode({ threads, loaders, of, parameter, bySubgroups }: Lanes): string {
  const loads = (3 * CHANNELS) / loaders; // numbers of a row of taps that each lane loads
  const tap = (i: number) => of(`v${Math.floor(i / loaders)}`, i % loaders);
  return `
@compute @workgroup_size(${threads})
fn forward(@builtin(workgroup_id) group : vec3u, ${parameter}) {
  let strip = group.x * ${threads}u + ${bySubgroups ? 'lane' : 'thread'};
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
${each(loads, (q) => `      let v${q} = slab[taps + ${q * loaders}u${bySubgroups ? ' + lane' : ''}];`)}
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

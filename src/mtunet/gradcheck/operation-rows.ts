/**
 * The slope of each operation along a random direction d, weighted by a random upstream u,
 *
 *     d/dt sum_j u_j y_j(x + t d) = sum_i g_i d_i,     d_i = +-1 at random, so that one wrong element of any gradient changes the sum:
 *
 * the left side by differences of the float64 operation, the right side by reverse mode on the device.
 */
import { type Gpu, gradients, parameter, type Tensor, upload } from '../../engine/index.ts';
import { deriveKey, permutation, uint32At, uniformAt } from '../../engine/random.ts';
import { sizeOf, values } from '../../reference/values.ts';
import { type Input, type Operation, operations } from './operations.ts';
import { type CheckRow, rowOf, type Sample, slopeAt0 } from './row.ts';

/** Inputs that must not change places are 1/8 apart. */
const STEP = 1e-3;
/** float32 on the device against float64: what the recorded operations are held to. */
const TOLERANCE = 1e-5;

export async function operationRows(gpu: Gpu, samples: number): Promise<CheckRow[]> {
  const rows: CheckRow[] = [];
  for (const [name, operation] of Object.entries(operations)) {
    const got: Sample[] = [];
    for (let i = 0; i < samples; i++) got.push(await sampleOf(gpu, name, operation, i));
    rows.push(rowOf({ group: 'operation', name, statement: operation.statement, tolerance: TOLERANCE }, got));
  }
  return rows;
}

/** The numbers of an input, by its name and shape alone. */
export function valuesOf(name: string, { shape, range = 'any' }: Input): Float32Array {
  const size = sizeOf(shape);
  const key = deriveKey(7, `gradcheck ${name}`);
  const grid = (value: number) => Math.round(value * 4096) / 4096;
  const order = permutation(size, key);
  return Float32Array.from({ length: size }, (_, i) => {
    const u = uniformAt(key, i + size);
    if (range === 'positive') return grid(0.5 + u);
    if (range === 'off-zero') return grid((0.25 + u) * (uint32At(key, i, 1) & 1 ? 1 : -1));
    // The input named b falls between the places of the one named a.
    if (range === 'apart') return order[i] / 4 - size / 8 + (name.endsWith('.b') ? 1 / 8 : 0);
    return grid(2 * u - 1);
  });
}

async function sampleOf(gpu: Gpu, name: string, { inputs, device, reference }: Operation, i: number): Promise<Sample> {
  const at = Object.entries(inputs).map(([role, input]) => {
    const key = deriveKey(i, `gradcheck direction ${name}.${role}`);
    const x = valuesOf(`${name} ${i}.${role}`, input);
    return { role, ...input, x, d: Float64Array.from(x, (_, k) => (uint32At(key, k) & 1 ? 1 : -1)) };
  });
  const upstreamKey = deriveKey(i, `upstream ${name}`);
  const upstreamOf = (size: number) => Float32Array.from({ length: size }, (_, k) => uniformAt(upstreamKey, k) * 2 - 1);
  const difference = slopeAt0((t) => {
    const moved = at.map(({ role, axes, shape, x, d }) => {
      const numbers = d.map((direction, k) => x[k] + t * direction);
      return [role, values(axes, shape, numbers)] as const;
    });
    const { data } = reference(Object.fromEntries(moved));
    const u = upstreamOf(data.length);
    return data.reduce((total, y, k) => total + y * u[k], 0);
  }, STEP);
  const parameters = at.map(({ role, axes, shape, x }) => parameter(gpu, axes, shape, x, role));
  const found = await gpu.step(() => {
    const output = device(Object.fromEntries(at.map(({ role }, k) => [role, parameters[k]])), gpu);
    const upstream = upload(gpu, output.axes, output.shape, upstreamOf(sizeOf(output.shape)), 'upstream');
    return gradients(output, parameters, upstream) as Tensor<'C'>[];
  });
  for (const tensor of parameters) tensor.release();
  const products = found.flatMap((gradient, k) => Array.from(gradient, (g, j) => g * at[k].d[j]));
  return {
    difference,
    autograd: products.reduce((total, value) => total + value, 0),
    scale: Math.max(1, Math.sqrt(products.reduce((total, value) => total + value * value, 0))),
  };
}

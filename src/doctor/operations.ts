/**
 * Every operation against its float64 reference: the values element by element, the gradients along a random direction of +-1 for every
 * element, d/dt sum(u y(x + t d)) = sum(g d), the left side by differences of the reference.
 */
import { type Gpu, gradients, parameter, type Tensor, upload } from '../engine/index.ts';
import { deriveKey, uint32At, uniformAt } from '../engine/random.ts';
import { valuesOf } from '../mtunet/gradcheck/operation-rows.ts';
import { type Input, type Operation, operations } from '../mtunet/gradcheck/operations.ts';
import { sizeOf, values } from '../reference/values.ts';
import { errorOf, keepWorst, listOf, type Worst } from './compare-values.ts';
import { type CheckedOperation, moreOperations } from './more-operations.ts';
import type { Session } from './session.ts';

/** What the recorded operations are held to. */
const TOLERANCE = 1e-5;
/** A gradient may be small beside what it is summed from. */
const GRADIENT_TOLERANCE = 3e-5;
/** Inputs that must not change places are 1/8 apart. */
const STEP = 1e-4;

/** N C H W: one element; odd and prime sides; a row that fills no subgroup; batches of one pixel. */
const SMALL = [
  [1, 1, 1, 1],
  [2, 3, 7, 5],
  [1, 5, 1, 67],
  [13, 2, 1, 3],
];
/** More elements than 65,535, and more rows than a dispatch has workgroups along an axis. */
const LARGE = [
  [1, 2, 257, 129],
  [65537, 1, 1, 2],
];
/** Windows of 2 x 2 and cut-outs need sides of 2, or more. */
const LEAST_SIDE: Readonly<Record<string, number>> = { slice: 3, maxPool2d: 2, averagePool2d: 2 };

type Inputs = Readonly<Record<string, Input>>;

/** The inputs of the table, and where the operation takes any image, images of these shapes. */
function variantsOf(name: string, { inputs }: Operation, shapes: readonly number[][]): Inputs[] {
  const [[first, image], ...others] = Object.entries(inputs);
  const takesAny = image.axes === 'NCHW' && others.every(([role, { axes }]) => role === 'b' && axes === 'C');
  if (!takesAny) return [];
  const least = LEAST_SIDE[name] ?? 1;
  return shapes.map(([N, C, H, W]) => {
    const shape = [N, C, Math.max(H, least), Math.max(W, least)];
    const rest = others.map(([role, input]) => [role, { ...input, shape: [C] }] as const);
    return { [first]: { ...image, shape }, ...Object.fromEntries(rest) };
  });
}

/** @param part small: the shapes that every operation is checked with; large: those that need time, while there is some */
export async function checkOperations(
  session: Session,
  part: 'small' | 'large',
  share: readonly [number, number],
): Promise<void> {
  const all: [string, CheckedOperation][] = Object.entries({ ...operations, ...moreOperations });
  for (const [i, [name, operation]] of all.entries()) {
    const [from, to] = share;
    await session.progress(from + ((to - from) * i) / all.length, part === 'small' ? name : `${name}, many rows`);
    const given = part === 'small' ? [operation.inputs] : (operation.large ?? []);
    const cases = [...given, ...variantsOf(name, operation, part === 'small' ? SMALL : LARGE)];
    if (cases.length === 0) continue;
    const named = part === 'small' ? name : `${name}, many rows`;
    if (part === 'large' && !session.before(to)) {
      session.notRun.push({ name: named, why: 'no time left' });
      continue;
    }
    await session.check({ name: named, group: 'operation' }, async (gpu) => {
      const worst: Worst = { error: 0, where: '' };
      for (const inputs of cases) await measure(gpu, name, operation, inputs, worst);
      return worst;
    });
  }
}

async function measure(gpu: Gpu, name: string, operation: Operation, inputs: Inputs, worst: Worst): Promise<void> {
  const at = Object.entries(inputs).map(([role, input]) => {
    const key = deriveKey(0, `doctor direction ${name}.${role}`);
    const x = valuesOf(`${name}.${role}`, input);
    return { role, ...input, x, d: Float64Array.from(x, (_, k) => (uint32At(key, k) & 1 ? 1 : -1)) };
  });
  const shown = at.map(({ role, shape }) => `${role} ${shape.join(' x ')}`).join(', ');
  const valueAt = (t: number) =>
    operation.reference(
      Object.fromEntries(
        at.map(({ role, axes, shape, x, d }) => [
          role,
          values(axes, shape, x.length === 0 ? [] : Float64Array.from(x, (value, k) => value + t * d[k])),
        ]),
      ),
    );
  const expected = valueAt(0);
  const key = deriveKey(0, `doctor upstream ${name}`);
  const u = Float32Array.from({ length: sizeOf(expected.shape) }, (_, k) => uniformAt(key, k) * 2 - 1);
  const parameters = at.map(({ role, axes, shape, x }) => parameter(gpu, axes, shape, x, role));
  const found = await gpu
    .step(() => {
      const output = operation.device(Object.fromEntries(at.map(({ role }, k) => [role, parameters[k]])), gpu);
      const upstream = upload(gpu, output.axes, output.shape, u, 'upstream');
      return { output: output as Tensor<'C'>, slopes: gradients(output, parameters, upstream) as Tensor<'C'>[] };
    })
    .finally(() => {
      for (const tensor of parameters) tensor.releaseIfAlive();
    });
  // Softmax of many elements is made of small ones.
  const floor = name === 'softmax' ? 1e-12 : 0.1;
  keepWorst(worst, errorOf(listOf(found.output), expected.data, TOLERANCE, floor), `${shown}, value`);

  const [ahead, behind] = [valueAt(STEP).data, valueAt(-STEP).data];
  const difference = ahead.reduce((total, y, k) => total + (y - behind[k]) * u[k], 0) / (2 * STEP);
  let [along, squares] = [0, 0];
  found.slopes.forEach((gradient, k) => {
    const list = listOf(gradient);
    for (let j = 0; j < list.length; j++) {
      along += list[j] * at[k].d[j];
      squares += list[j] ** 2;
    }
  });
  const scale = Math.max(0.1, Math.sqrt(squares));
  keepWorst(worst, Math.abs(along - difference) / (GRADIENT_TOLERANCE * scale), `${shown}, gradient`);
}

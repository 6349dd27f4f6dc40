/** Every family of convolution kernels that the adapter has, against the plain kernel and the loops in float64, in all three passes. */
import { type ConvOptions, conv2d, type Gpu, gradients, parameter, type Tensor, upload } from '../engine/index.ts';
import { type ConvFamilyName, convFamilies } from '../engine/ops/conv2d-kernels.ts';
import { conv2dGradients, conv2d as reference } from '../reference/conv2d.ts';
import { draw } from '../reference/values.ts';
import { errorOf, keepWorst, listOf, type Worst } from './compare-values.ts';
import type { Session } from './session.ts';

type Case = readonly [input: readonly number[], weight: readonly number[], options: ConvOptions];

const cases: readonly Case[] = [
  [[1, 1, 1, 1], [1, 1, 1, 1], {}],
  [[2, 17, 13, 11], [19, 17, 3, 3], { padding: 1 }],
  [[1, 32, 16, 16], [32, 32, 3, 3], { padding: 1 }],
  [[1, 20, 4, 5], [67, 20, 3, 3], { padding: 1 }],
  [[2, 70, 2, 6], [130, 70, 1, 1], {}],
  [[3, 3, 20, 18], [5, 3, 3, 3], { padding: 1 }],
  [[1, 3, 15, 14], [5, 3, 7, 7], { stride: 2, padding: 3 }],
  [[2, 9, 11, 9], [9, 1, 3, 3], { padding: 1, groups: 9 }],
];
const TOLERANCE = 1e-5;

const ROLES = ['output', 'input', 'weight', 'bias'] as const;
type Results = Readonly<Record<(typeof ROLES)[number], ArrayLike<number>>>;

/** @param share of the whole check, where this part begins and ends */
export async function checkFamilies(session: Session, [from, to]: readonly [number, number]): Promise<void> {
  const exact = cases.map(exactly);
  const names = Object.keys(convFamilies) as ConvFamilyName[];
  const plain = new Map<Case, Results>();
  for (const [k, family] of names.entries()) {
    const name = `conv2d by ${family}`;
    await session.progress(from + ((to - from) * k) / names.length, name);
    if (!session.before(to) && family !== 'plain') {
      session.notRun.push({ name, why: 'no time left' });
      continue;
    }
    let times = 0;
    const worst: Worst = { error: 0, where: '' };
    const check = async (gpu: Gpu) => {
      for (const [i, one] of cases.entries()) {
        const { got, used } = await compute(gpu, family, one);
        if (!used.includes(family)) continue;
        times++;
        if (family === 'plain') plain.set(one, got);
        for (const role of ROLES) {
          const where = `input ${one[0].join(' x ')}, weight ${one[1].join(' x ')}, ${role}`;
          keepWorst(worst, errorOf(listOf(got[role]), exact[i][role], TOLERANCE, 0.1), where);
          const witness = plain.get(one);
          if (witness)
            keepWorst(worst, errorOf(listOf(got[role]), listOf(witness[role]), TOLERANCE, 0.1), `${where}, by plain`);
        }
      }
      return worst;
    };
    const before = session.checks.length;
    await session.check({ name, group: 'kernel family' }, check);
    // What fits none of the convolutions here, such as matrices on most adapters, is neither right nor wrong.
    if (times === 0 && session.checks.at(-1)?.passed) {
      session.checks.splice(before);
      session.notRun.push({ name, why: 'this adapter has no such kernels' });
    }
  }
}

const inputsOf = ([input, weight]: Case) => ({
  input: draw('NCHW', input),
  weight: draw('OCRS', weight),
  bias: draw('C', [weight[0]]),
});

function exactly(one: Case): Results {
  const given = inputsOf(one);
  const output = reference(given, one[2]);
  const { input, weight, bias } = conv2dGradients(given, draw('NCHW', output.shape), one[2]);
  return { output: output.data, input: input.data, weight: weight.data, bias: bias?.data ?? [] };
}

async function compute(gpu: Gpu, family: string, one: Case): Promise<{ got: Results; used: string[] }> {
  const given = inputsOf(one);
  const uploaded = <A extends string>(axes: A, role: 'input' | 'weight' | 'bias') =>
    parameter(gpu, axes, given[role].shape, Float32Array.from(given[role].data), role) as Tensor<A>;
  const tensors = [uploaded('NCHW', 'input'), uploaded('OCRS', 'weight'), uploaded('C', 'bias')] as const;
  gpu.choices.pin({});
  gpu.choices.everywhere = family;
  try {
    const [input, weight, bias] = tensors;
    const got = await gpu.step(() => {
      const output = conv2d(input, weight, bias, one[2]);
      const { data } = draw('NCHW', output.shape);
      const upstream = upload(gpu, 'NCHW', output.shape, Float32Array.from(data), 'upstream');
      const [ofInput, ofWeight, ofBias] = gradients(output, [...tensors], upstream) as Tensor<'C'>[];
      return { output: output as Tensor as Tensor<'C'>, input: ofInput, weight: ofWeight, bias: ofBias };
    });
    return { got, used: Object.values(gpu.choices.used) };
  } finally {
    gpu.choices.everywhere = null;
    gpu.choices.pin({});
    for (const tensor of tensors) tensor.releaseIfAlive();
  }
}

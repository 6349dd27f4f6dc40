/** Every family of kernels against the plain kernel and the loops in float64, on whatever adapter there is. */
import { expect, it } from 'vitest';
import { type ConvOptions, conv2d, gradients, type Shape, type Tensor, upload } from '../../../src/engine/index.ts';
import { type ConvFamilyName, convFamilies } from '../../../src/engine/ops/conv2d-kernels.ts';
import { winogradFamily } from '../../../src/engine/ops/conv2d-winograd.ts';
import { conv2dGradients, conv2d as reference } from '../../../src/reference/conv2d.ts';
import { draw } from '../../../src/reference/values.ts';
import { expectAllClose } from '../../support/all-close.ts';
import { convCases } from '../../support/conv-cases.ts';
import { testGpu } from '../../support/gpu.ts';
import { portableFamily } from '../../support/portable-matrices.ts';

type Case = [what: string, input: Shape, weight: Shape, options: ConvOptions];

/** Convolutions that fill tiles of the GPU's kernels, and leave some of them half empty. */
const tiles: Case[] = [
  ['more channels than a tile', [1, 20, 4, 5], [67, 20, 3, 3], { padding: 1 }],
  ['1 x 1 by vectors, more channels than a block', [2, 70, 2, 6], [130, 70, 1, 1], {}],
];
const slices: Case = ['more positions than a slice', [3, 3, 20, 18], [5, 3, 3, 3], { padding: 1 }];
const named = (pattern: RegExp) => convCases.filter(([what]) => pattern.test(what));

/** The tiles of the GPU's kernels are one text with other sizes, so the smallest meets every case; strips and columns do in conv2d.test.ts. */
const casesOf: Record<Exclude<ConvFamilyName, 'plain'>, readonly Case[]> = {
  strips: tiles,
  columns: tiles,
  'gemm-16': [...convCases, slices, tiles[1]],
  'gemm-32': tiles,
  'gemm-64': tiles,
  'gemm-128': tiles,
  'by-weight': [...named(/depthwise|7 x 7/), slices],
  winograd: named(/^3 x 3|tile|channels|flat|tall/),
  matrices: [...named(/stride|dilation|groups|odd/), slices, ...tiles],
};

const { description, subgroupLanes } = await testGpu();
/** Compiled for seconds each by SwiftShader, and the same text as their neighbours: with KERNELS=all there, elsewhere always. */
const slow = description.name === 'SwiftShader' && process.env.KERNELS !== 'all' ? ['gemm-32', 'gemm-128'] : [];
/** Strips and columns want subgroups of a size that not every adapter has. */
const unfit = subgroupLanes === null ? ['strips', 'columns'] : [];
const families = Object.keys(casesOf).filter((name) => ![...slow, ...unfit].includes(name));

async function compute(family: string, [what, inputShape, weightShape, options]: Case) {
  const gpu = await testGpu();
  const given = {
    input: draw('NCHW', inputShape),
    weight: draw('OCRS', weightShape),
    bias: draw('C', [weightShape[0]]),
  };
  const exact = reference(given, options);
  const upstream = draw('NCHW', exact.shape);
  const onDevice = Object.fromEntries(
    Object.entries(given).map(([role, { axes, shape, data }]) => {
      const tensor = upload(gpu, axes, shape, Float32Array.from(data), role);
      tensor.requiresGradient = true;
      return [role, tensor as Tensor];
    }),
  );
  gpu.choices.pin({});
  gpu.choices.everywhere = family;
  try {
    const got = await gpu.step(() => {
      const { input, weight, bias } = onDevice as never as {
        input: Tensor<'NCHW'>;
        weight: Tensor<'OCRS'>;
        bias: Tensor<'C'>;
      };
      const output = conv2d(input, weight, bias, options);
      const seed = upload(gpu, 'NCHW', exact.shape, Float32Array.from(upstream.data), 'upstream');
      const [ofInput, ofWeight, ofBias] = gradients(output, [input, weight, bias], seed) as Tensor<'C'>[];
      return { output: output as Tensor as Tensor<'C'>, ofInput, ofWeight, ofBias };
    });
    const expected = conv2dGradients(given, upstream, options);
    const used = Object.values(gpu.choices.used);
    return {
      used,
      got,
      exact: {
        output: exact.data,
        ofInput: expected.input.data,
        ofWeight: expected.weight.data,
        ofBias: expected.bias!.data,
      },
      what,
    };
  } finally {
    gpu.choices.everywhere = null;
    for (const tensor of Object.values(onDevice)) tensor.release();
  }
}

const witness = new Map<string, ReturnType<typeof compute>>();

// In chunks that hold some of the tiles of these small images.
const { forward, gradInput } = winogradFamily(2048);
Object.assign(convFamilies.winograd, { forward, gradInput });

// No adapter here has subgroup matrices: their kernels, with plain arithmetic for the products.
Object.assign(convFamilies.matrices, portableFamily({ type: 'f32', M: 8, N: 8, K: 8, lanes: 64 }, 2, 2));

it.each(families)('%s computes what the plain kernel and the loops in float64 compute', async (family) => {
  let times = 0;
  for (const one of casesOf[family as 'strips']) {
    const { used, got, exact, what } = await compute(family, one);
    if (!used.includes(family)) continue;
    times++;
    if (!witness.has(what)) witness.set(what, compute('plain', one));
    const plain = await witness.get(what)!;
    for (const role of ['output', 'ofInput', 'ofWeight', 'ofBias'] as const) {
      expectAllClose(got[role], exact[role], `${what}: ${role} by ${family}`);
      expectAllClose(got[role], Float64Array.from(plain.got[role]), `${what}: ${role} by ${family} and by plain`);
    }
  }
  expect(times).toBeGreaterThanOrEqual(family === 'strips' ? 1 : 2);
});

/** Relative to the root mean square of the exact values, over 256 channels. */
it.each([
  ['plain', 2e-7],
  ['gemm-16', 2e-7],
  ['winograd', 4e-7],
  ['matrices', 2e-7],
])('%s rounds a sum over 256 channels to %s of it', async (family, most) => {
  const { got, exact } = await compute(family, ['256 channels', [1, 256, 6, 6], [16, 256, 3, 3], { padding: 1 }]);
  const squares = (values: ArrayLike<number>, of: (i: number) => number) =>
    Array.from(values).reduce((total, __, i) => total + of(i) ** 2, 0);
  const error = (role: 'output' | 'ofInput') =>
    Math.sqrt(squares(got[role], (i) => got[role][i] - exact[role][i]) / squares(got[role], (i) => exact[role][i]));
  expect(error('output')).toBeLessThan(most);
  expect(error('ofInput')).toBeLessThan(most);
});

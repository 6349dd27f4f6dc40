/** Every family of kernels against the plain kernel and the loops in float64, on whatever adapter there is. */
import { expect, it } from 'vitest';
import { type ConvOptions, conv2d, gradients, type Shape, type Tensor, upload } from '../../../src/engine/index.ts';
import { type ConvFamilyName, convFamilies } from '../../../src/engine/ops/conv2d-kernels.ts';
import { conv2dGradients, conv2d as reference } from '../../../src/reference/conv2d.ts';
import { draw } from '../../../src/reference/values.ts';
import { expectAllClose } from '../../support/all-close.ts';
import { convCases } from '../../support/conv-cases.ts';
import { testGpu } from '../../support/gpu.ts';

/** Convolutions that fill tiles of the GPU's kernels, and leave some of them half empty. */
const larger: [what: string, input: Shape, weight: Shape, options: ConvOptions][] = [
  ['many channels, two images', [2, 70, 6, 7], [67, 70, 3, 3], { padding: 1 }],
  ['1 x 1 by vectors', [2, 35, 6, 8], [130, 35, 1, 1], {}],
  ['stride 2 over many channels', [1, 20, 17, 15], [40, 20, 3, 3], { stride: 2, padding: 1 }],
  ['four groups of ten', [2, 40, 5, 5], [80, 10, 3, 3], { padding: 1, groups: 4 }],
  ['more positions than a slice', [3, 3, 20, 18], [5, 3, 3, 3], { padding: 1 }],
];
/** More tiles than one chunk of Winograd's holds. */
const chunks = ['1 to 1,024 channels', [1, 1, 48, 48], [1024, 1, 3, 3], { padding: 1 }] as (typeof larger)[number];
const grouped = convCases.filter(([what]) => what.startsWith('depthwise'));

/** The tiles of the GPU's kernels are one text with other sizes: the smallest meets every case; strips and columns meet them in conv2d.test.ts. */
function casesOf(family: string): typeof larger {
  if (family === 'gemm-16') return [...convCases, ...larger];
  if (family === 'winograd') return [...convCases, ...larger, chunks];
  return [...grouped, ...larger];
}

const fitted = (Object.keys(convFamilies) as ConvFamilyName[]).filter((name) => name !== 'plain');

async function compute(family: string, [what, inputShape, weightShape, options]: (typeof larger)[number]) {
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
    const used = [...gpu.choices.used.values()];
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

const witness = new Map<string, Promise<Awaited<ReturnType<typeof compute>>>>();

it.each(fitted)('%s computes what the plain kernel and the loops in float64 compute', async (family) => {
  const gpu = await testGpu();
  let times = 0;
  for (const one of casesOf(family)) {
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
  // Strips and columns want subgroups of a fixed size, which not every adapter has, and strips 3 x 3 of stride 1 without groups.
  const anywhere = family !== 'strips' && family !== 'columns';
  if (anywhere || gpu.subgroupLanes !== null) expect(times).toBeGreaterThanOrEqual(family === 'strips' ? 2 : 3);
});

/** Relative to the root mean square of the exact values, over 256 channels. */
it.each([
  ['plain', 2e-7],
  ['gemm-64', 2e-7],
  ['winograd', 4e-7],
])('%s rounds a sum over 256 channels to %s of it', async (family, most) => {
  const { got, exact } = await compute(family, ['256 channels', [1, 256, 6, 8], [64, 256, 3, 3], { padding: 1 }]);
  const squares = (values: ArrayLike<number>, of: (i: number) => number) =>
    Array.from(values).reduce((total, __, i) => total + of(i) ** 2, 0);
  const error = (role: 'output' | 'ofInput') =>
    Math.sqrt(squares(got[role], (i) => got[role][i] - exact[role][i]) / squares(got[role], (i) => exact[role][i]));
  expect(error('output')).toBeLessThan(most);
  expect(error('ofInput')).toBeLessThan(most);
});

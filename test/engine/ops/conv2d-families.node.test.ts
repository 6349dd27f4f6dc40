/** Every family of kernels against the plain kernel and the loops in float64, on whatever adapter there is. */
import { expect, it } from 'vitest';
import {
  type ConvOptions,
  conv2d,
  type Gpu,
  gradients,
  openGpu,
  type Shape,
  type Tensor,
  upload,
} from '../../../src/engine/index.ts';
import { depthwiseFamily } from '../../../src/engine/ops/conv2d-depthwise.ts';
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
const depthwise: Case[] = [
  ['depthwise, narrower than a tile', [1, 3, 4, 2], [3, 1, 3, 3], { padding: 1, groups: 3 }],
  ['depthwise, one pixel', [2, 4, 1, 1], [4, 1, 3, 3], { padding: 1, groups: 4 }],
  ['depthwise, no padding', [1, 3, 8, 9], [3, 1, 3, 3], { groups: 3 }],
  ['depthwise, more padding than needed', [1, 3, 5, 6], [3, 1, 3, 3], { padding: 3, groups: 3 }],
  ['depthwise, stride 2, even sides', [2, 3, 12, 10], [3, 1, 3, 3], { stride: 2, padding: 1, groups: 3 }],
  ['depthwise, stride 2, no padding', [1, 3, 10, 7], [3, 1, 3, 3], { stride: 2, groups: 3 }],
  ['depthwise, stride 3 x 2, padding 2', [1, 2, 13, 11], [2, 1, 3, 3], { stride: [3, 2], padding: 2, groups: 2 }],
  ['depthwise, stride longer than the window', [1, 2, 9, 13], [2, 1, 2, 2], { stride: 4, groups: 2 }],
  ['depthwise, dilation 2', [1, 3, 9, 8], [3, 1, 3, 3], { padding: 2, dilation: 2, groups: 3 }],
  [
    'depthwise, dilation 2 with stride 2 x 1',
    [1, 2, 11, 9],
    [2, 1, 3, 3],
    { stride: [2, 1], padding: [1, 2], dilation: 2, groups: 2 },
  ],
  ['depthwise, 5 x 5, two outputs a channel', [2, 3, 9, 10], [6, 1, 5, 5], { padding: 2, groups: 3 }],
  ['depthwise, 7 x 1', [1, 2, 9, 8], [2, 1, 7, 1], { padding: [3, 0], groups: 2 }],
  ['depthwise, 1 x 3, three outputs a channel', [1, 2, 5, 7], [6, 1, 1, 3], { padding: [0, 1], groups: 2 }],
  ['depthwise, 1 x 1', [1, 3, 5, 7], [3, 1, 1, 1], { groups: 3 }],
  ['depthwise, more positions than a slice', [3, 3, 20, 18], [3, 1, 3, 3], { padding: 1, groups: 3 }],
];
/** What the two layouts of the depthwise kernels differ in: where a thread is, and how tall its tile. */
const ofBothKinds = /^depthwise, (a channel|narrower|one pixel|two outputs|stride 2, even|more positions|1 x 3)/;
const named = (pattern: RegExp) => convCases.filter(([what]) => pattern.test(what));

/** The tiles of the GPU's kernels are one text with other sizes, so the smallest meets every case; strips and columns do in conv2d.test.ts. */
const casesOf: Record<Exclude<ConvFamilyName, 'plain'>, readonly Case[]> = {
  strips: tiles,
  columns: tiles,
  depthwise: [...named(/depthwise/), ...depthwise],
  'gemm-16': [...convCases, slices, tiles[1]],
  'gemm-32': tiles,
  'gemm-64': tiles,
  'gemm-128': tiles,
  'by-weight': [...named(/depthwise|7 x 7/), slices],
  winograd: named(/^3 x 3|tile|channels|flat|tall/),
  matrices: [...named(/stride|dilation|groups|odd/), slices, ...tiles],
};

const { description, vectorLanes } = await testGpu();
/** Compiled for seconds each by SwiftShader, and the same text as their neighbours: with KERNELS=all there, elsewhere always. */
const slow = description.name === 'SwiftShader' && process.env.KERNELS !== 'all' ? ['gemm-32', 'gemm-128'] : [];
/** Strips and columns are for processors. */
const unfit = vectorLanes === null ? ['strips', 'columns'] : [];
const families = Object.keys(casesOf).filter((name) => ![...slow, ...unfit].includes(name));

async function compute(family: string, [what, inputShape, weightShape, options]: Case, on?: Gpu) {
  const gpu = on ?? (await testGpu());
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

/** How many of the cases the family computes, each of them right. */
async function right(family: string, cases: readonly Case[], on?: Gpu): Promise<number> {
  let times = 0;
  for (const one of cases) {
    const { used, got, exact, what } = await compute(family, one, on);
    if (!used.includes(family)) continue;
    times++;
    if (!witness.has(what)) witness.set(what, compute('plain', one));
    const plain = await witness.get(what)!;
    for (const role of ['output', 'ofInput', 'ofWeight', 'ofBias'] as const) {
      expectAllClose(got[role], exact[role], `${what}: ${role} by ${family}`);
      expectAllClose(got[role], Float64Array.from(plain.got[role]), `${what}: ${role} by ${family} and by plain`);
    }
  }
  return times;
}

it.each(families)('%s computes what the plain kernel and the loops in float64 compute', async (family) => {
  const times = await right(family, casesOf[family as 'strips']);
  expect(times).toBeGreaterThanOrEqual(family === 'strips' ? 1 : 2);
});

it('every family computes the same without subgroups, half precision and more than the default limits, as phones have them', async () => {
  using phone = await openGpu({ without: ['subgroups', 'shader-f16', 'limits'] });
  expect(phone.features.has('subgroups') || phone.features.has('shader-f16')).toBe(false);
  expect(phone.limits.maxStorageBuffersPerShaderStage).toBe(8);
  expect(phone.limits.maxComputeInvocationsPerWorkgroup).toBe(256);
  for (const family of families.filter((name) => name !== 'matrices')) {
    // The families whose text depends on subgroups by all of their cases, the others by the first.
    const cases = casesOf[family as 'strips'];
    const some = family === 'strips' || family === 'columns' ? cases : cases.slice(0, 2);
    expect(await right(family, some, phone), family).toBeGreaterThanOrEqual(1);
  }
});

it.runIf(vectorLanes !== null).each([
  ['by fours', 2000],
  ['one by one', 2001],
])('columns spread more positions than workgroups fit along one axis, %s', async (what, width) => {
  const one: Case = [what, [1, 1, 1060, width], [1, 1, 1, 1], {}]; // 65,535 workgroups of 32 positions are fewer
  const { used, got, exact } = await compute('columns', one);
  expect(used).toContain('columns');
  expectAllClose(got.output, exact.output, `${what}: output`);
  expectAllClose(got.ofInput, exact.ofInput, `${what}: gradient of the input`);
});

it.each(['processor', 'gpu'] as const)('depthwise kernels laid out for a %s compute all passes', async (kind) => {
  const given = { ...convFamilies.depthwise };
  Object.assign(
    convFamilies.depthwise,
    depthwiseFamily(() => kind),
  );
  try {
    const cases = casesOf.depthwise.filter(([what]) => ofBothKinds.test(what));
    expect(cases).toHaveLength(7);
    expect(await right('depthwise', cases)).toBe(cases.length);
  } finally {
    Object.assign(convFamilies.depthwise, given);
  }
});

it('depthwise kernels compute the same bits each time, and from tensors in several bindings', async () => {
  using spread = await openGpu({ largestBinding: 512 });
  const laidOut = new Set<string>();
  spread.onCommand = (command) => {
    if (command.kind === 'dispatch' && 'output_1' in command.bound) laidOut.add(command.name);
  };
  const one = depthwise.find(([what]) => what.includes('three outputs'))!; // output of 840 bytes
  const first = await compute('depthwise', one);
  expect((await compute('depthwise', one)).got).toEqual(first.got);
  expect((await compute('depthwise', one, spread)).got).toEqual(first.got);
  expect([...laidOut]).toContain('conv2d-depthwise.forward');
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

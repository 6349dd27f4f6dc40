/**
 * Convolutions by subgroup matrices, which no adapter of a test machine offers. Their text is compiled by Dawn's null backend, which has every feature and
 * computes nothing; what it computes is found with plain arithmetic for the products (float32 in conv2d-families.node.test.ts).
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { create, globals } from 'webgpu';
import { dryGpu } from '../../../src/engine/dry.ts';
import { wantedFeatures } from '../../../src/engine/gpu.ts';
import { conv2d, type Gpu, gradients, relu, upload } from '../../../src/engine/index.ts';
import type { Kernel } from '../../../src/engine/kernel.ts';
import { laidOut } from '../../../src/engine/layout.ts';
import { matrixConfigs } from '../../../src/engine/matrix-configs.ts';
import type { ConvGeometry } from '../../../src/engine/ops/conv2d-geometry.ts';
import { convFamilies, familyOf } from '../../../src/engine/ops/conv2d-kernels.ts';
import { matricesFamily, matrixKernel, tileFor } from '../../../src/engine/ops/conv2d-matrices.ts';
import { type Tuned, tuneConvolutions } from '../../../src/engine/ops/conv2d-tune.ts';
import { empty } from '../../../src/engine/tensor.ts';
import { conv2d as reference } from '../../../src/reference/conv2d.ts';
import { draw, map, type Values } from '../../../src/reference/values.ts';
import { divides, sizesOf } from '../../../src/shaders/conv2d-matrices.ts';
import { type MatrixConfig, portableMatrices, subgroupMatrices } from '../../../src/shaders/matrix-product.ts';
import { expectAllClose, OPERATION } from '../../support/all-close.ts';
import { testGpu } from '../../support/gpu.ts';
import { portableFamily } from '../../support/portable-matrices.ts';

const config = (type: 'f32' | 'f16', M: number, N: number, K: number, more: Partial<MatrixConfig> = {}) => ({
  ...{ type, M, N, K, lanes: 32, sized: false },
  ...more,
});
const nameOf = ({ type, M, N, K, lanes, sized }: MatrixConfig) =>
  `${type} ${M} x ${N} x ${K}, ${lanes} lanes${sized ? ' asked for' : ''}`;

const builtIn = { ...convFamilies.matrices };
afterEach(() => Object.assign(convFamilies.matrices, builtIn));

describe('the text with subgroup matrices', () => {
  let gpu: GPU; // held here, because a collected one takes its device with it
  let device: GPUDevice;

  beforeAll(async () => {
    Object.assign(globalThis, globals);
    gpu = create(['backend=null', 'enable-dawn-features=allow_unsafe_apis']);
    const adapter = await gpu.requestAdapter();
    const features = ['chromium-experimental-subgroup-matrix', 'subgroups', 'subgroup-size-control', 'shader-f16'];
    const { maxComputeInvocationsPerWorkgroup, maxComputeWorkgroupStorageSize } = adapter!.limits;
    device = await adapter!.requestDevice({
      requiredFeatures: features as GPUFeatureName[],
      requiredLimits: { maxComputeInvocationsPerWorkgroup, maxComputeWorkgroupStorageSize },
    });
  });

  afterAll(() => device.destroy());

  async function problemOf({ code, entryPoint }: Kernel): Promise<string> {
    device.pushErrorScope('validation');
    const module = device.createShaderModule({ code });
    device.createComputePipeline({ layout: 'auto', compute: { module, entryPoint } });
    const { messages } = await module.getCompilationInfo();
    const problem = await device.popErrorScope();
    return [problem?.message, ...messages.map(({ message, lineNum }) => `${lineNum}: ${message}`)]
      .filter(Boolean)
      .join('\n');
  }

  it.each(
    [
      config('f32', 8, 8, 8),
      config('f16', 16, 16, 16),
      config('f16', 8, 8, 8),
      config('f16', 16, 8, 16),
      config('f16', 16, 8, 8),
      config('f16', 8, 16, 16),
      config('f16', 16, 16, 16, { sized: true }),
      config('f32', 8, 8, 8, { lanes: 64 }),
    ].map((sizes) => [nameOf(sizes), sizes] as const),
  )('%s compiles for every tile', async (_, sizes) => {
    for (const rows of [16, 32, 64]) {
      const tile = tileFor(sizes, rows);
      expect(divides(sizes, tile)).toBe(true);
      expect(sizesOf(sizes, tile).storage).toBeLessThanOrEqual(16384);
      const kernels = [matrixKernel('gather', subgroupMatrices(sizes), tile)];
      if (sizes.type === 'f32') kernels.push(matrixKernel('gradWeight', subgroupMatrices(sizes), tile));
      else
        kernels.push(
          laidOut(kernels[0], new Map(['input', 'output'].map((role) => [role, { pieces: 1, half: true }])), 2 ** 27),
        );
      for (const kernel of kernels) expect(await problemOf(kernel)).toBe('');
    }
  });

  it('would be refused with a mistake in it', async () => {
    const sizes = config('f32', 8, 8, 8);
    const { code, ...kernel } = matrixKernel('gather', subgroupMatrices(sizes), tileFor(sizes, 16));
    const refused = (from: string, to: string) => problemOf({ ...kernel, code: code.replaceAll(from, to) });
    expect(await refused('enable chromium_experimental_subgroup_matrix;', '')).toContain('subgroup');
    expect(
      await refused(
        'alias Right = subgroup_matrix_right<f32, 8, 8>',
        'alias Right = subgroup_matrix_right<f32, 8, 16>',
      ),
    ).toContain('subgroupMatrixMultiplyAccumulate');
  });
});

describe('the configurations of a device', () => {
  const features = new Set(['chromium-experimental-subgroup-matrix', 'subgroups', 'shader-f16']);
  const offer = (componentType: string, resultComponentType: string, M: number, N: number, K: number) => ({
    ...{ componentType, resultComponentType, M, N, K },
  });
  const apple = [offer('f32', 'f32', 8, 8, 8), offer('f16', 'f16', 8, 8, 8)];
  const nvidia = [offer('f16', 'f32', 16, 8, 16), offer('f16', 'f32', 16, 16, 16), offer('u8', 'u32', 16, 16, 32)];
  const info = (subgroupMatrixConfigs: typeof apple, least = 32, most = 32) => ({
    ...{ subgroupMinSize: least, subgroupMaxSize: most, subgroupMatrixConfigs },
  });

  it('are asked for where the adapter has the feature', () => {
    const offered = new Set([...features, 'subgroup-size-control', 'clip-distances']);
    expect(wantedFeatures(offered, []).sort()).toEqual(
      [...offered].filter((feature) => feature !== 'clip-distances').sort(),
    );
    expect(wantedFeatures(offered, ['chromium-experimental-subgroup-matrix'])).toEqual(['subgroups', 'shader-f16']);
    expect(wantedFeatures(new Set(['subgroups', 'subgroup-size-control']), [])).toEqual(['subgroups']);
  });

  it('are those that sum in float32, the largest first', () => {
    expect(matrixConfigs(features, info(apple))).toEqual([config('f32', 8, 8, 8)]);
    expect(matrixConfigs(features, info(nvidia))).toEqual([config('f16', 16, 16, 16), config('f16', 16, 8, 16)]);
    expect(matrixConfigs(new Set([...features].slice(0, 2)), info([...nvidia, ...apple]))).toEqual([
      config('f32', 8, 8, 8),
    ]);
  });

  it('are none where the feature or the size of a subgroup is not known', () => {
    expect(matrixConfigs(new Set(['subgroups', 'shader-f16']), info(apple))).toEqual([]);
    expect(matrixConfigs(features, {})).toEqual([]);
    expect(matrixConfigs(features, info(apple, 16, 64))).toEqual([]);
    const control = new Set([...features, 'subgroup-size-control']);
    expect(matrixConfigs(control, info(apple, 16, 64))).toEqual([config('f32', 8, 8, 8, { sized: true })]);
    expect(matrixConfigs(control, info(apple, 64, 128))).toEqual([]);
  });

  const geometry: ConvGeometry = {
    ...{ N: 1, C: 64, H: 8, W: 8, O: 64, R: 3, S: 3, P: 8, Q: 8, groups: 1 },
    ...{ strideH: 1, strideW: 1, padH: 1, padW: 1, dilationH: 1, dilationW: 1 },
  };

  /** A device that computes nothing and offers these. */
  const offering = (configs: typeof apple) =>
    dryGpu({
      like: Object.assign(dryGpu(), { features, device: { adapterInfo: info(configs) } } as unknown as Partial<Gpu>),
    });

  it('decide which passes the family is for', () => {
    const fitting = (gpu: Gpu) =>
      (['forward', 'gradInput', 'gradWeight'] as const).filter((pass) =>
        convFamilies.matrices.fits(gpu, geometry, pass),
      );
    expect(fitting(offering([]))).toEqual([]);
    expect(fitting(offering(apple))).toEqual(['forward', 'gradInput', 'gradWeight']);
    const halving = offering(nvidia);
    expect(fitting(halving)).toEqual([]);
    halving.halves = true;
    expect(fitting(halving)).toEqual(['forward']);
  });

  it('are used where they are chosen, and not by the fixed rule', () => {
    const gpu = offering(apple);
    expect(familyOf(gpu, { pass: 'forward', geometry })).toBe('gemm-64');
    gpu.choices.everywhere = 'matrices';
    const again = dryGpu({ like: gpu });
    expect(again.matrixConfigs).toEqual(gpu.matrixConfigs);
    void again.step(() => {
      const [input, weight] = [
        empty(again, 'NCHW', [1, 64, 8, 8], 'input'),
        empty(again, 'OCRS', [64, 64, 3, 3], 'weight'),
      ];
      input.requiresGradient = weight.requiresGradient = true;
      const output = conv2d(input, weight, null, { padding: 1 });
      gradients(output, [input, weight], empty(again, 'NCHW', [1, 64, 8, 8], 'upstream'));
    });
    const matrices = again.kernels.compiled.filter(({ name }) => name.startsWith('conv2d-matrices'));
    expect(matrices.map(({ entryPoint }) => entryPoint).sort()).toEqual(['gather', 'gradWeight']);
  });
});

describe('float16 operands', () => {
  const whole = { ...{ strideH: 1, strideW: 1, padH: 1, padW: 1, dilationH: 1, dilationW: 1 }, groups: 1 };
  const cases: [what: string, geometry: ConvGeometry][] = [
    ['more channels than a turn and a tile', { ...whole, N: 2, C: 35, H: 5, W: 7, O: 41, R: 3, S: 3, P: 5, Q: 7 }],
    [
      'stride, dilation, groups',
      {
        ...{ N: 1, C: 6, H: 11, W: 9, O: 4, R: 3, S: 2, P: 7, Q: 11, groups: 2 },
        ...{ strideH: 2, strideW: 1, padH: 2, padW: 2, dilationH: 1, dilationW: 2 },
      },
    ],
    ['1 x 1, one channel', { ...whole, N: 1, C: 1, H: 3, W: 3, O: 1, R: 1, S: 1, P: 3, Q: 3, padH: 0, padW: 0 }],
  ];
  /** Numbers that float16 has, so that the tolerance of float32 holds, and others that are rounded to them. */
  const halved = (x: number) => Math.round(x * 256) / 256;
  const beside = (x: number) => x * (1 + 2 ** -13);
  const givenFor = ({ N, C, H, W, O, R, S, groups }: ConvGeometry) => ({
    input: map(draw('NCHW', [N, C, H, W]), halved),
    weight: map(draw('OCRS', [O, C / groups, R, S]), halved),
    bias: draw('C', [O]),
  });
  const optionsOf = ({ strideH, strideW, padH, padW, dilationH, dilationW, groups }: ConvGeometry) => ({
    stride: [strideH, strideW] as const,
    padding: [padH, padW] as const,
    dilation: [dilationH, dilationW] as const,
    groups,
  });
  const uploaded = <A extends string>(gpu: Gpu, { axes, shape, data }: Values<A>) =>
    upload(gpu, axes, shape, Float32Array.from(data));

  it.each(
    [
      [config('f16', 16, 16, 16, { lanes: 64 }), 1, 1],
      [config('f16', 16, 8, 16), 1, 2],
    ].map(
      ([sizes, high, wide]) =>
        [nameOf(sizes as MatrixConfig), sizes as MatrixConfig, high as number, wide as number] as const,
    ),
  )('%s, by plain arithmetic, compute what the loops in float64 compute', async (_, sizes, high, wide) => {
    const gpu = await testGpu();
    const family = portableFamily(sizes, high, wide);
    for (const [what, geometry] of cases) {
      const given = givenFor(geometry);
      const exact = reference(given, optionsOf(geometry));
      const { output } = await gpu.step(() => {
        const output = empty(gpu, 'NCHW', exact.shape, 'output');
        const [input, weight] = [given.input, given.weight].map((each) => uploaded<string>(gpu, map(each, beside)));
        const bias = uploaded(gpu, given.bias);
        gpu.halves = true;
        try {
          expect(family.fits(gpu, geometry, 'forward')).toBe(true);
          family.forward(geometry, input, weight, bias, output, false);
        } finally {
          gpu.halves = false;
        }
        return { output: output.view('C', [output.size]) };
      });
      expectAllClose(output, exact.data, what);
    }
  });

  const [, geometry] = cases[0];

  it('come from tensors of float16 in a step of half precision', async () => {
    const gpu = await testGpu();
    const sizes = config('f16', 16, 16, 16, { lanes: 64 });
    Object.assign(convFamilies.matrices, portableFamily(sizes, 1, 1));
    if (!gpu.features.has('shader-f16')) {
      expect(portableMatrices(sizes, false).element('x')).toBe('quantizeToF16(x)');
      return; // no tensor can be float16 there
    }
    const { weight, input } = givenFor(geometry);
    gpu.choices.pin({});
    gpu.choices.everywhere = 'matrices';
    gpu.halves = true;
    try {
      const { output, types } = await gpu.step(() => {
        const half = relu(uploaded(gpu, input));
        const output = conv2d(half, uploaded(gpu, weight), null, { padding: 1 });
        return { output: output.view('C', [output.size]), types: [half.type, output.type].join() };
      });
      expect(types).toBe('f16,f16');
      expect(Object.values(gpu.choices.used)).toEqual(['matrices']);
      const exact = reference({ input: map(input, (x) => Math.max(x, 0)), weight }, { padding: 1 });
      // The output is rounded to float16: half a unit in the last of its eleven bits.
      expectAllClose(output, exact.data, 'output', { ...OPERATION, relative: OPERATION.relative + 2 ** -11 });
    } finally {
      gpu.choices.everywhere = null;
      gpu.halves = false;
    }
  });
});

describe('tuning', () => {
  const geometry = {
    ...{ N: 1, C: 16, H: 8, W: 8, O: 16, R: 1, S: 1, P: 8, Q: 8, groups: 1 },
    ...{ strideH: 1, strideW: 1, padH: 0, padW: 0, dilationH: 1, dilationW: 1 },
  };
  const tune = async (halves: boolean) => {
    const gpu = await testGpu();
    const cache = new Map<string, Tuned>();
    await tuneConvolutions(gpu, [{ pass: 'forward', geometry }], { mode: 'fast', halves, version: 'test', cache });
    return [...cache][0];
  };

  it('tries matrices, in half precision those of float16', async () => {
    const halves = (await testGpu()).features.has('shader-f16');
    Object.assign(convFamilies.matrices, portableFamily(config(halves ? 'f16' : 'f32', 8, 8, 8, { lanes: 64 }), 1, 1));
    const [key, { milliseconds, wrong }] = await tune(halves);
    expect(key.endsWith(' f16')).toBe(halves);
    expect(wrong).toEqual([]);
    expect(Object.keys(milliseconds)).toContain('matrices');
  });

  it('leaves out matrices that do not compile', async () => {
    const sizes = config('f32', 8, 8, 8);
    Object.assign(
      convFamilies.matrices,
      matricesFamily({
        configs: () => [sizes],
        product: () => ({ ...portableMatrices(sizes, false), declarations: 'an older syntax' }),
        tile: () => ({ down: 1, across: 1, high: 1, wide: 1 }),
      }),
    );
    const [, { wrong, kernel }] = await tune(false);
    expect(wrong).toEqual(['matrices']);
    expect(kernel).not.toBe('matrices');
  });
});

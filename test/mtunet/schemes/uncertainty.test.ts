/** The schemes' objectives and their derivatives against Eq. 1, 4 and 5 of the paper and the released code's variants, in float64. */
import { describe, expect, it } from 'vitest';
import { backward, type Gpu, parameter, type Scalar, upload } from '../../../src/engine/index.ts';
import { type SchemeConfig, schemes, UncertaintyScheme } from '../../../src/mtunet/schemes/uncertainty.ts';
import { expectAllClose } from '../../support/all-close.ts';
import { testGpu } from '../../support/gpu.ts';

/** Losses and sigmas of saliency (s) and class (c). */
interface Point {
  readonly Ls: number;
  readonly Lc: number;
  readonly s: number;
  readonly c: number;
}

interface Row {
  readonly name: string;
  readonly config: SchemeConfig;
  readonly objective: (at: Point) => number;
  /** Derivatives; null where the scheme has no such parameter. */
  readonly slopes: {
    readonly Ls: (at: Point) => number;
    readonly Lc: (at: Point) => number;
    readonly s: ((at: Point) => number) | null;
    readonly c: ((at: Point) => number) | null;
  };
}

const { log, LN2 } = Math;
const one = () => 1;
const learntSlopes = {
  Ls: ({ s }: Point) => 1 / s ** 2,
  Lc: ({ c }: Point) => 1 / c ** 2,
  s: ({ Ls, s }: Point) => (-2 * Ls) / s ** 3 + 1 / (s + 1),
  c: ({ Lc, c }: Point) => (-2 * Lc) / c ** 3 + 1 / (c + 1),
};

const rows: Row[] = [
  {
    name: 'MTLS1 (Eq. 1)',
    config: schemes.mtls1,
    objective: ({ Ls, Lc, s, c }) => Ls / s ** 2 + Lc / c ** 2 + log(s + 1) + log(c + 1),
    slopes: learntSlopes,
  },
  {
    name: 'MTLS2 (Eq. 4)',
    config: schemes.mtls2,
    objective: ({ Ls, Lc, s }) => Ls / s ** 2 + Lc + log(s + 1),
    slopes: { ...learntSlopes, Lc: one, c: null },
  },
  {
    name: 'MTLS3 (Eq. 5)',
    config: schemes.mtls3,
    objective: ({ Ls, Lc, c }) => Ls + Lc / c ** 2 + log(c + 1),
    slopes: { ...learntSlopes, Ls: one, s: null },
  },
  {
    name: 'the plain sum',
    config: schemes.sum,
    objective: ({ Ls, Lc }) => Ls + Lc,
    slopes: { Ls: one, Lc: one, s: null, c: null },
  },
  {
    name: 'the released code, both learnt',
    config: { ...schemes.mtls1, halfSaliency: true },
    objective: ({ Ls, Lc, s, c }) => Ls / (2 * s ** 2) + Lc / c ** 2 + log(s + 1) + log(c + 1),
    slopes: {
      ...learntSlopes,
      Ls: ({ s }) => 1 / (2 * s ** 2),
      s: ({ Ls, s }) => -Ls / s ** 3 + 1 / (s + 1),
    },
  },
  {
    name: 'the released code, sigma_s fixed',
    config: { ...schemes.mtls3, halfSaliency: true, fixedTerm: true },
    objective: ({ Ls, Lc, c }) => Ls / 2 + LN2 + Lc / c ** 2 + log(c + 1),
    slopes: { ...learntSlopes, Ls: () => 0.5, s: null },
  },
  {
    name: 'the released code, sigma_c fixed',
    config: { ...schemes.mtls2, halfSaliency: true, fixedTerm: true },
    objective: ({ Ls, Lc, s }) => Ls / (2 * s ** 2) + log(s + 1) + Lc + LN2,
    slopes: {
      Ls: ({ s }) => 1 / (2 * s ** 2),
      Lc: one,
      s: ({ Ls, s }) => -Ls / s ** 3 + 1 / (s + 1),
      c: null,
    },
  },
  {
    name: 'the released code, both fixed',
    config: { ...schemes.sum, halfSaliency: true, fixedTerm: true },
    objective: ({ Ls, Lc }) => Ls / 2 + LN2 + Lc + LN2,
    slopes: { Ls: () => 0.5, Lc: one, s: null, c: null },
  },
];

/** ln sigma, exact in float32, from sigmas that hardly weigh their task to sigmas that let nothing else count. */
const points = [
  { Ls: 0.84375, Lc: 1.0078125, us: 0, uc: 0 },
  { Ls: 0.5, Lc: 2, us: 0.3125, uc: -0.4375 },
  { Ls: 3, Lc: 0.0625, us: -1.5, uc: 0.75 },
  { Ls: 0.001953125, Lc: 0.25, us: -4, uc: 3 },
  { Ls: 4, Lc: 0, us: 6, uc: -2.5 },
];

const NAMES = { log: { s: 'lg_sigma_image', c: 'lg_sigma_class' }, direct: { s: 'sigma_image', c: 'sigma_class' } };

/** The scheme at a point: its objective, its sigmas, and the derivatives in the losses and in what the optimizer changes. */
async function evaluate(gpu: Gpu, config: SchemeConfig, { Ls, Lc, s, c }: Point) {
  using scheme = new UncertaintyScheme(gpu, config);
  const names = NAMES[config.sigmaParameter];
  const value = (sigma: number) => Float32Array.of(config.sigmaParameter === 'log' ? log(sigma) : sigma);
  const values = new Map([
    [names.s, { shape: [], values: value(s) }],
    [names.c, { shape: [], values: value(c) }],
  ]);
  const sigmas = Object.fromEntries([...scheme.parameters()].map(({ name, tensor }) => [name, tensor as Scalar]));
  const tensors = new Map([...values].filter(([name]) => name in sigmas));
  scheme.loadStateDict({ tensors, counters: new Map() });
  const losses = [
    parameter(gpu, '', [], Float32Array.of(Ls), 'L_s'),
    parameter(gpu, '', [], Float32Array.of(Lc), 'L_c'),
  ];
  const got = await gpu.step(() => {
    const objective = scheme.call({ saliency: losses[0], diagnosis: losses[1] });
    backward(objective);
    const [slopeLs, slopeLc] = losses.map((loss) => loss.gradient as Scalar);
    const slopeS = names.s in sigmas ? (sigmas[names.s].gradient as Scalar) : null;
    const slopeC = names.c in sigmas ? (sigmas[names.c].gradient as Scalar) : null;
    return { objective, Ls: slopeLs, Lc: slopeLc, s: slopeS, c: slopeC, sigmas: scheme.sigmas() };
  });
  for (const loss of losses) loss.release();
  return got;
}

describe.each(rows)('$name', ({ config, objective, slopes }) => {
  for (const sigmaParameter of ['log', 'direct'] as const) {
    it.each(points)(`${sigmaParameter}: value and derivatives at %o`, async ({ Ls, Lc, us, uc }) => {
      const gpu = await testGpu();
      const exact = (u: number) => (sigmaParameter === 'log' ? Math.exp(u) : Math.fround(Math.exp(u)));
      const at = { Ls, Lc, s: exact(us), c: exact(uc) };
      const got = await evaluate(gpu, { ...config, sigmaParameter }, at);
      expectAllClose(got.objective, objective(at), 'objective');
      expectAllClose(got.Ls, slopes.Ls(at), 'd / d L_s');
      expectAllClose(got.Lc, slopes.Lc(at), 'd / d L_c');
      for (const task of ['s', 'c'] as const) {
        const slope = slopes[task];
        const gradient = got[task];
        const sigma = got.sigmas[task === 's' ? 'saliency' : 'diagnosis'];
        if (!slope) {
          expect([gradient, sigma], `sigma_${task} is fixed`).toEqual([null, 1]);
          continue;
        }
        // d / d ln sigma = sigma d / d sigma
        const want = sigmaParameter === 'log' ? at[task] * slope(at) : slope(at);
        expectAllClose(gradient!, want, `d / d ${NAMES[sigmaParameter][task]}`);
        expectAllClose(sigma!, at[task], `sigma_${task}`);
      }
    });
  }
});

it.each(points)(
  'learning ln sigma and sigma agree at %o: d / d ln sigma = sigma d / d sigma',
  async ({ Ls, Lc, us, uc }) => {
    const gpu = await testGpu();
    const at = { Ls, Lc, s: Math.fround(Math.exp(us)), c: Math.fround(Math.exp(uc)) };
    const inLog = await evaluate(gpu, { ...schemes.mtls1, sigmaParameter: 'log' }, at);
    const direct = await evaluate(gpu, { ...schemes.mtls1, sigmaParameter: 'direct' }, at);
    expectAllClose(inLog.objective, direct.objective, 'objective');
    for (const task of ['s', 'c'] as const)
      expectAllClose(inLog[task]!, at[task] * direct[task]!, `slope of sigma_${task}`);
  },
);

describe('parameters', () => {
  const expected: Record<keyof typeof schemes, ('class' | 'image')[]> = {
    mtls1: ['class', 'image'],
    mtls2: ['image'],
    mtls3: ['class'],
    sum: [],
  };
  const cases = Object.entries(expected).flatMap(([scheme, tasks]) =>
    (['log', 'direct'] as const).map((sigmaParameter) => ({
      scheme: scheme as keyof typeof schemes,
      tasks,
      sigmaParameter,
    })),
  );

  it.each(cases)(
    'of $scheme ($sigmaParameter) are $tasks, and begin at sigma = 1',
    async ({ scheme, tasks, sigmaParameter }) => {
      using made = new UncertaintyScheme(await testGpu(), { ...schemes[scheme], sigmaParameter });
      const prefix = sigmaParameter === 'log' ? 'lg_sigma' : 'sigma';
      expect([...made.parameters()].map(({ name }) => name)).toEqual(tasks.map((task) => `${prefix}_${task}`));
      const { tensors, counters } = await made.stateDict();
      expect(counters.size).toBe(0);
      const values = [...tensors.values()].map(({ shape, values }) => [shape, ...values]);
      expect(values).toEqual(tasks.map(() => [[], sigmaParameter === 'log' ? 0 : 1]));
    },
  );
});

describe('a network with one task', () => {
  it('has the terms of that task alone', async () => {
    const gpu = await testGpu();
    using scheme = new UncertaintyScheme(gpu, { ...schemes.mtls1, halfSaliency: true });
    const got = await gpu.step(() => {
      const saliency = upload(gpu, '', [], [3]);
      const diagnosis = upload(gpu, '', [], [0.25]);
      return {
        saliency: scheme.call({ saliency, diagnosis: null }),
        diagnosis: scheme.call({ saliency: null, diagnosis }),
      };
    });
    expectAllClose(got.saliency, 1.5 + LN2, 'saliency alone');
    expectAllClose(got.diagnosis, 0.25 + LN2, 'diagnosis alone');
  });

  it('gives the absent task no gradient', async () => {
    const gpu = await testGpu();
    using scheme = new UncertaintyScheme(gpu, schemes.mtls1);
    const sigmas = Object.fromEntries([...scheme.parameters()].map(({ name, tensor }) => [name, tensor]));
    await gpu.step(() => {
      backward(scheme.call({ saliency: upload(gpu, '', [], [3]), diagnosis: null }));
      expect([sigmas.lg_sigma_image.gradient, sigmas.lg_sigma_class.gradient]).toEqual([expect.anything(), null]);
    });
  });

  it('is refused without any loss', async () => {
    const gpu = await testGpu();
    using scheme = new UncertaintyScheme(gpu, schemes.mtls1);
    expect(() => gpu.step(() => scheme.call({ saliency: null, diagnosis: null }))).toThrow('there is no loss to weigh');
  });
});

/** Learnt weights against golden/oracle/weighting.json: values, and slopes in s = ln sigma^2. */
import { describe, it } from 'vitest';
import { backward, parameter, type Scalar } from '../../../src/engine/index.ts';
import { LearntWeightScheme, learntRules } from '../../../src/mtunet/schemes/learnt-weights.ts';
import { expectAllClose } from '../../support/all-close.ts';
import { testGpu } from '../../support/gpu.ts';
import { readGolden } from '../../support/oracle.ts';

type Row = { readonly L: number; readonly s: number } & Record<string, number>;

const columns = {
  'kendall-regression': ['kendall_reg_loss', 'kendall_reg_dL_ds'],
  'kendall-classification': ['kendall_cls_loss', 'kendall_cls_dL_ds'],
  liebel: ['liebel_loss', 'liebel_dL_ds'],
} as const;

/** One task at (L, s): objective, d / d s, d / d L, and what the scheme says its sigma is. */
async function evaluate(name: keyof typeof learntRules, { L, s }: { readonly L: number; readonly s: number }) {
  const gpu = await testGpu();
  using scheme = new LearntWeightScheme(gpu, learntRules[name]);
  const names = [...scheme.parameters()].map((one) => one.name);
  const tensors = new Map(
    names.map((own) => [own, { shape: [], values: Float32Array.of(own.endsWith('class') ? s : 7) }]),
  );
  scheme.loadStateDict({ tensors, counters: new Map() });
  const loss = parameter(gpu, '', [], Float32Array.of(L), 'L');
  const [own] = [...scheme.parameters()].filter((one) => one.name.endsWith('class'));
  const got = await gpu.step(() => {
    const sigma = scheme.sigmas().diagnosis;
    const objective = scheme.call({ saliency: null, diagnosis: loss });
    backward(objective);
    return { objective, slope: own.tensor.gradient as Scalar, weight: loss.gradient as Scalar, sigma };
  });
  loss.release();
  return got;
}

describe.each(Object.entries(columns))('%s', (name, [value, slope]) => {
  it.each(readGolden('oracle/weighting.json').uncertainty as Row[])('at L = $L, s = $s', async (row) => {
    const got = await evaluate(name as keyof typeof columns, row);
    expectAllClose(got.objective, row[value], 'objective');
    expectAllClose(got.slope, row[slope], 'd / d s');
    expectAllClose(got.sigma, Math.exp(row.s / 2), 'sigma');
    expectAllClose(got.weight, (name === 'kendall-classification' ? 1 : 0.5) * Math.exp(-row.s), 'weight');
  });
});

it('IMTL-L is e^s L - s, with weight e^s', async () => {
  const got = await evaluate('imtl-l', { L: 1.75, s: -0.5 });
  expectAllClose(got.objective, Math.exp(-0.5) * 1.75 + 0.5, 'objective');
  expectAllClose(got.slope, Math.exp(-0.5) * 1.75 - 1, 'd / d s');
  expectAllClose(got.weight, Math.exp(-0.5), 'weight');
  expectAllClose(1 / got.sigma ** 2, got.weight, '1 / sigma^2');
});

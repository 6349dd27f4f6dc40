/** The recorded optimizer runs of golden/oracle/optimizers.json, replayed on the device. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  type Gpu,
  type NamedTensor,
  type Optimizer,
  parameter,
  type Scalar,
  upload,
} from '../../../src/engine/index.ts';
import { testGpu } from '../../support/gpu.ts';

interface Recorded {
  readonly p0: number[];
  readonly grads: number[][];
  readonly cases: {
    readonly opt: string;
    // biome-ignore lint/suspicious/noExplicitAny: PyTorch's settings differ from optimizer to optimizer
    readonly config: any;
    readonly params_after_step: number[][];
    readonly final_state: Record<string, number[] | number>;
  }[];
}

const recorded: Recorded = JSON.parse(
  readFileSync(`${process.env.GOLDEN ?? 'test/golden'}/oracle/optimizers.json`, 'utf8'),
);

type Make = (parameters: NamedTensor[], config: Recorded['cases'][number]['config'], opt: string) => Optimizer;

/** Columns of the recorded parameters. */
const HUGE = 2;
const NEAR_EPSILON = 3;

/** Allowed error of a recorded parameter after step t (from 0), by the recording's README. */
function allowed(opt: string, trace: readonly number[][], t: number, column: number): number {
  const { p0 } = recorded;
  if (opt === 'SGD') {
    const largest = Math.max(...trace.slice(0, t + 1).map((row) => Math.abs(row[column])));
    return column === HUGE ? 1e-5 * largest : 2e-6 * (1 + largest);
  }
  // Changes far below the parameter's last place are rounded at every step.
  if (column === NEAR_EPSILON) return 1e-4 * Math.abs(trace[t][column] - p0[column]) + (t + 1) * 6e-8 * p0[column];
  return 1e-5;
}

function oneStep(
  gpu: Gpu,
  weight: NamedTensor['tensor'],
  optimizer: Optimizer,
  gradient: readonly number[],
  guard?: number,
) {
  return gpu.step(() => {
    weight.gradient = upload(gpu, 'N', [gradient.length], gradient, 'gradient');
    optimizer.step(guard === undefined ? {} : { guard: upload(gpu, '', [], [guard], 'loss') as Scalar });
    return weight;
  }) as Promise<Float32Array>;
}

export function checkRecorded(names: readonly string[], make: Make): void {
  const cases = recorded.cases.filter(({ opt }) => names.includes(opt));

  it('has recorded cases', () => expect(cases.length).toBeGreaterThan(0));

  describe.each(cases.map((each) => [`${each.opt} ${JSON.stringify(each.config)}`, each] as const))('%s', (_, each) => {
    const begin = async () => {
      const gpu = await testGpu();
      const weight = parameter(gpu, 'N', [recorded.p0.length], Float32Array.from(recorded.p0), 'weight');
      const optimizer = make([{ name: 'weight', tensor: weight }], each.config, each.opt);
      return { gpu, weight, optimizer };
    };

    it('follows the recorded parameters', async () => {
      const { gpu, weight, optimizer } = await begin();
      for (const [t, gradient] of recorded.grads.entries()) {
        const got = await oneStep(gpu, weight, optimizer, gradient);
        each.params_after_step[t].forEach((want, column) => {
          const error = Math.abs(got[column] - want);
          expect(error, `step ${t + 1}, column ${column}: ${got[column]}, recorded ${want}`).toBeLessThanOrEqual(
            allowed(each.opt, each.params_after_step, t, column),
          );
        });
      }
      const { moments, steps } = await optimizer.state();
      expect(steps).toBe(recorded.grads.length);
      for (const [moment, values] of Object.entries(each.final_state)) {
        if (moment === 'step' || !Array.isArray(values)) continue;
        const got = moments.get(`weight.${moment}`)?.values;
        values.forEach((want, column) => {
          const error = Math.abs((got?.[column] ?? Number.NaN) - want);
          expect(error, `${moment}, column ${column}`).toBeLessThanOrEqual(3e-5 * Math.abs(want) + 1e-30);
        });
      }
      optimizer.dispose();
      weight.release();
    });

    it('continues from a saved state with the same bits', async () => {
      const { gpu, weight, optimizer } = await begin();
      for (const gradient of recorded.grads.slice(0, 7)) await oneStep(gpu, weight, optimizer, gradient);
      const [saved, values] = [await optimizer.state(), await gpu.read(weight)];
      for (const gradient of recorded.grads.slice(7, 15)) await oneStep(gpu, weight, optimizer, gradient);
      const straight = await gpu.read(weight);

      const again = parameter(gpu, 'N', [values.length], values, 'weight');
      const resumed = make([{ name: 'weight', tensor: again }], { ...each.config, lr: 123 }, each.opt);
      resumed.load(saved);
      expect(resumed.learningRate).toBe(optimizer.learningRate);
      for (const gradient of recorded.grads.slice(7, 15)) await oneStep(gpu, again, resumed, gradient);
      expect(await gpu.read(again)).toEqual(straight);
      expect(await resumed.state()).toEqual(await optimizer.state());
      for (const owner of [optimizer, resumed]) owner.dispose();
      for (const tensor of [weight, again]) tensor.release();
    });

    it('leaves everything as it was when the guarded loss is not finite', async () => {
      const { gpu, weight, optimizer } = await begin();
      await oneStep(gpu, weight, optimizer, recorded.grads[0], 0.5);
      const before = { weight: await gpu.read(weight), moments: (await optimizer.state()).moments };
      for (const loss of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])
        await oneStep(gpu, weight, optimizer, Array(6).fill(Number.NaN), loss);
      expect({ weight: await gpu.read(weight), moments: (await optimizer.state()).moments }).toEqual(before);
      await oneStep(gpu, weight, optimizer, recorded.grads[1], 0.5);
      expect(await gpu.read(weight)).not.toEqual(before.weight);
      optimizer.dispose();
      weight.release();
    });
  });
}

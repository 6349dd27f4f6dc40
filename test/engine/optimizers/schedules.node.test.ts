import fc from 'fast-check';
import { expect, it } from 'vitest';
import { CosineWarmRestarts } from '../../../src/engine/optimizers/cosine-warm-restarts.ts';
import { ReduceOnPlateau } from '../../../src/engine/optimizers/reduce-on-plateau.ts';
import { expectClose, readGolden } from '../../support/oracle.ts';

const golden = readGolden('oracle/schedulers.json');
const recorded = { relative: 1e-12 };

// biome-ignore lint/suspicious/noExplicitAny: a recorded table
it.each(golden.rlrp as any[])('plateau schedule $name follows the recorded trace', ({ lr, config, metrics, trace }) => {
  const options = {
    learningRate: lr,
    mode: config.mode,
    factor: config.factor,
    patience: config.patience,
    threshold: config.threshold,
    thresholdMode: { rel: 'relative', abs: 'absolute' }[config.threshold_mode as string] as 'relative' | 'absolute',
    cooldown: config.cooldown,
    minimumRate: config.min_lr,
    epsilon: config.eps,
  };
  let schedule = new ReduceOnPlateau(options);
  expect(trace).toHaveLength(metrics.length);
  for (const [epoch, [rate, best, badEpochs, cooldownLeft]] of trace.entries()) {
    expectClose(schedule.step(metrics[epoch]), rate, recorded, `rate after epoch ${epoch}`);
    const state = JSON.parse(JSON.stringify(schedule.state));
    expectClose(Number(state.best), best, recorded, `best after epoch ${epoch}`);
    expect([state.badEpochs, state.cooldownLeft]).toEqual([badEpochs, cooldownLeft]);
    // Every epoch goes on from what a file would hold.
    schedule = new ReduceOnPlateau(options);
    schedule.load(state);
  }
});

it('an untouched plateau schedule survives JSON', () => {
  for (const mode of ['min', 'max'] as const) {
    const first = new ReduceOnPlateau({ learningRate: 1, mode });
    const second = new ReduceOnPlateau({ learningRate: 0.5, mode });
    second.load(JSON.parse(JSON.stringify(first.state)));
    expect(second.state).toEqual(first.state);
    expect(second.step(5)).toBe(1);
    expect(second.state.best).toBe(5);
  }
});

it('refuses a factor that does not reduce', () => {
  expect(() => new ReduceOnPlateau({ learningRate: 1, factor: 1 })).toThrow('factor is 1, which does not reduce');
});

it.each(
  // biome-ignore lint/suspicious/noExplicitAny: a recorded table
  golden.cosine_warm_restarts as any[],
)('cosine of $T_0 epochs times $T_mult follows the recorded rates', (row) => {
  const options = { learningRate: row.lr, period: row.T_0, stretch: row.T_mult, minimumRate: row.eta_min };
  let schedule = new CosineWarmRestarts(options);
  expectClose(schedule.learningRate, row.lr_at_epoch[0], recorded, 'initial rate');
  for (const [epoch, rate] of row.lr_at_epoch.entries()) {
    if (epoch > 0) expectClose(schedule.step(), rate, recorded, `epoch ${epoch}`);
    const state = JSON.parse(JSON.stringify(schedule.state));
    schedule = new CosineWarmRestarts(options);
    schedule.load(state);
    expectClose(schedule.learningRate, rate, recorded, `epoch ${epoch}, loaded`);
  }
  for (const [quarter, rate] of row.lr_fractional_quarter_steps.entries()) {
    expectClose(schedule.step(quarter / 4), rate, recorded, `epoch ${quarter / 4}`);
  }
});

it('found the recorded tables', () => {
  for (const table of [golden.rlrp, golden.cosine_warm_restarts]) expect(table.length).toBeGreaterThan(0);
});

it('jumping to an epoch equals stepping to it', () => {
  const small = fc.integer({ min: 1, max: 4 });
  fc.assert(
    fc.property(small, small, fc.integer({ min: 0, max: 400 }), (period, stretch, epoch) => {
      const [stepped, jumped] = [0, 1].map(() => new CosineWarmRestarts({ learningRate: 1, period, stretch }));
      for (let i = 0; i < epoch; i++) stepped.step();
      expect(jumped.step(epoch)).toBe(stepped.learningRate);
      expect(jumped.state).toEqual(stepped.state);
    }),
    { seed: 3, examples: [[1, 3, 121]] },
  );
});

it('refuses epochs and periods that mean nothing', () => {
  const schedule = new CosineWarmRestarts({ learningRate: 1, period: 3 });
  expect(() => schedule.step(-1)).toThrow('epoch is -1');
  expect(() => schedule.step(Number.NaN)).toThrow(RangeError);
  expect(() => new CosineWarmRestarts({ learningRate: 1, period: 0 })).toThrow(
    'period is 0, expected a positive integer',
  );
  expect(() => new CosineWarmRestarts({ learningRate: 1, period: 3, stretch: 1.5 })).toThrow('stretch is 1.5');
});

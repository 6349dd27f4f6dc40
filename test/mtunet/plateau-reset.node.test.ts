import { expect, it } from 'vitest';
import { PlateauReset, type StopReason } from '../../src/mtunet/plateau-reset.ts';
import { expectClose, readGolden } from '../support/oracle.ts';

const recorded = { relative: 1e-12 };
const stopReasons: Record<string, StopReason> = { lr_min: 'minimum-rate', early_stop: 'early-stop' };

/** Adam in float64 on w in R^3, torch's defaults. */
class SmallAdam {
  w = [0, 0, 0];
  m = [0, 0, 0];
  v = [0, 0, 0];
  t = 0;

  step(gradient: readonly number[], rate: number): void {
    this.t++;
    for (const [i, g] of gradient.entries()) {
      this.m[i] = 0.9 * this.m[i] + 0.1 * g;
      this.v[i] = 0.999 * this.v[i] + 0.001 * g * g;
      const mean = this.m[i] / (1 - 0.9 ** this.t);
      this.w[i] -= (rate * mean) / (Math.sqrt(this.v[i]) / Math.sqrt(1 - 0.999 ** this.t) + 1e-8);
    }
  }
}

const cases = readGolden('oracle/schedulers.json').reset;

// biome-ignore lint/suspicious/noExplicitAny: a recorded table
it.each(cases as any[])('run $name saves, resets and stops as recorded', (row) => {
  const options = {
    learningRate: row.lr,
    patience: row.patience,
    factor: row.factor,
    minimumRate: row.lr_min,
    earlyStop: row.patience_early_stop,
  };
  let loop = new PlateauReset(options);
  let adam = new SmallAdam();
  let saved = '';
  for (const event of row.events) {
    const shake = 1 + 0.1 * Math.sin(event.epoch);
    adam.step(
      [1, -2, 0.5].map((g) => g * shake),
      loop.learningRate,
    );
    const decision = loop.next(event.epoch, row.val_losses[event.epoch - 1]);
    if (decision.best) saved = JSON.stringify(adam);
    if (decision.reset) adam = Object.assign(new SmallAdam(), JSON.parse(saved));
    const what = `epoch ${event.epoch}`;
    expect([decision.best && 'save', decision.reset && 'reload'].filter(Boolean), what).toEqual(event.actions);
    expectClose(decision.learningRate, event.lr, recorded, `rate after ${what}`);
    const state = JSON.parse(JSON.stringify(loop.state));
    expectClose(Number(state.plateau.best), event.best, recorded, `best after ${what}`);
    expect([state.plateau.badEpochs, state.bestEpoch, adam.t], what).toEqual([
      event.num_bad,
      event.epoch_best,
      event.adam_step,
    ]);
    for (const [i, w] of adam.w.entries()) expectClose(w, event.w[i], recorded, `w after ${what}`);
    expect(decision.stop, what).toBe(event.epoch === row.stop_epoch ? (stopReasons[row.stop] ?? null) : null);
    // Every epoch goes on from what a file would hold.
    loop = new PlateauReset(options);
    loop.load(state);
  }
});

it('found recorded runs', () => expect(cases.length).toBeGreaterThan(0));

it('has the numbers of the released code', () => {
  expect(new PlateauReset().options).toEqual({
    learningRate: 1e-4,
    patience: 40,
    factor: 0.1,
    minimumRate: 1e-8,
    earlyStop: 83,
    epochs: 1024,
  });
  expect(new PlateauReset({ patience: 4 }).options.earlyStop).toBe(11);
});

it('stops at the last epoch', () => {
  const loop = new PlateauReset({ epochs: 2 });
  expect(loop.next(1, 1).stop).toBeNull();
  expect(loop.next(2, 0.5)).toEqual({ best: true, reset: false, learningRate: 1e-4, stop: 'epochs' });
});

it('a NaN in the first epoch does not keep later epochs from being the best', () => {
  const loop = new PlateauReset();
  expect(loop.next(1, Number.NaN).best).toBe(true);
  const next = new PlateauReset();
  next.load(JSON.parse(JSON.stringify(loop.state)));
  expect(next.next(2, 3).best).toBe(true);
  expect(next.next(3, Number.NaN).best).toBe(false);
});

it('refuses an epoch out of turn', () => {
  const loop = new PlateauReset();
  loop.next(1, 1);
  expect(() => loop.next(1, 1)).toThrow('PlateauReset: expected epoch 2, got 1.');
});

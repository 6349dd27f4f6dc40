import { expect, it } from 'vitest';
import { centreBiasMap } from '../../src/data/baselines.ts';
import { syntheticChests } from '../../src/data/synthetic.ts';
import { benchmarkRecord } from '../../src/mtunet/benchmarks.ts';

const data = syntheticChests({ seed: 3, height: 48, width: 32, train: 6, valid: 3, test: 4 });
const logs = (maps: readonly ArrayLike<number>[]) =>
  maps.map((map) => Float32Array.from(map, (v) => Math.log(v + 1e-12)));

it('the gaze itself is the best prediction by every convention; fixations lie where the map is high', () => {
  const { mit, pysaliency, fixations } = benchmarkRecord(data, data.test, logs(data.test.map(({ gaze }) => gaze)));
  for (const { kld, cc, sim } of [mit, pysaliency]) {
    expect(kld).toBeCloseTo(0, 4);
    expect(cc).toBeCloseTo(1, 4);
    expect(sim).toBeCloseTo(1, 4);
  }
  expect(fixations!.nss).toBeGreaterThan(1.5);
  expect(fixations!.aucJudd).toBeGreaterThan(0.85);
  expect(fixations!.informationGain).toBeGreaterThan(0);
});

it('the mean training gaze gains nothing over itself, and a data set without fixations has none to tell', () => {
  const bias = centreBiasMap(data.train);
  const predictions = logs(data.test.map(() => bias));
  expect(benchmarkRecord(data, data.test, predictions).fixations!.informationGain).toBeCloseTo(0, 4);
  const without = data.test.map(({ fixations: _, ...sample }) => sample);
  expect(benchmarkRecord(data, without, predictions).fixations).toBeNull();
});

it('fixations are pixels of the film', () => {
  for (const { fixations } of data.test) {
    expect(fixations!.length).toBeGreaterThan(300); // more than five seconds at 60 Hz
    expect(Math.max(...fixations!)).toBeLessThan(48 * 32);
  }
});

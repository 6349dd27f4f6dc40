/** Rows of runs whose test films are known one by one. */
import type { Example } from '../../../src/mtunet/records.ts';
import type { Row } from '../../../src/report/verdicts/input.ts';
import { fakeRun } from '../fake-runs.ts';

/** Numbers in [0, 1) from two counters. */
const noise = (a: number, b: number) => Math.abs(Math.sin(12.9898 * a + 78.233 * b) * 43758.5453) % 1;

/** 60 films of three classes; `skill` says how often the right class is named, `kld` what the divergence is about. */
export function films(seed: number, { skill, kld }: { skill: number; kld: number }): Example[] {
  return Array.from({ length: 60 }, (_, i) => {
    const label = i % 3;
    const right = noise(i, seed) < skill;
    const said = right ? label : (label + 1) % 3;
    const sure = 0.4 + 0.5 * noise(seed, i);
    const probabilities = [0, 1, 2].map((k) => (k === said ? sure : (1 - sure) / 2));
    return { id: `film-${i}`, label, probabilities, saliency: { kld: kld + 0.2 * noise(i, 3), pcc: 0.5, hs: 0.5 } };
  });
}

export function row(name: string, seeds: readonly number[], quality: { skill: number; kld: number }): Row {
  const runs = seeds.map((seed) => {
    const run = fakeRun({ seed });
    const images = films(seed, quality);
    const right = images.filter(
      ({ label, probabilities }) => probabilities!.indexOf(Math.max(...probabilities!)) === label,
    );
    const mean = {
      kld: images.reduce((sum, { saliency }) => sum + saliency!.kld, 0) / images.length,
      pcc: 0.5,
      hs: 0.5,
    };
    const { saliency, classification } = run.evaluation;
    const evaluation = {
      ...run.evaluation,
      saliency: { ...saliency!, mean },
      classification: { ...classification!, accuracy: right.length / images.length },
    };
    return { ...run, name: `${name}-${seed}`, row: name, images, evaluation };
  });
  return { name, runs };
}

/** Records the run that browsers without WebGPU play back; scripts/record-app-run.mjs calls it. */
import { syntheticChests } from '../data/synthetic.ts';
import { openGpu } from '../engine/index.ts';
import { resolveConfig } from '../mtunet/config.ts';
import { stagesOf } from './live/inside.ts';
import { LiveRun } from './live/live-run.ts';
import type { EpochRow, StepRow } from './live/protocol.ts';
import { overridesOf, PROVOKED, type Settings } from './live/settings.ts';
import { packMap, type Recording } from './recorded.ts';

const STEPS = 160;
const FRAME_EVERY = 12;

/** Numbers to five digits, which is more than a chart shows. */
const rounded = <T>(value: T): T =>
  JSON.parse(JSON.stringify(value, (_, part) => (typeof part === 'number' ? Number(part.toPrecision(5)) : part)));

export async function record(): Promise<Recording> {
  const gpu = await openGpu();
  const settings: Settings = { ...PROVOKED, size: 'small' };
  const configs = settings.runs.map((run) => resolveConfig('tiny', overridesOf(settings, run)));
  const [{ height, width, synthetic }] = configs;
  const data = syntheticChests({ height, width, ...synthetic });
  const runs = configs.map((config) => new LiveRun(gpu, config, data));
  const films = [0, 1, 2].map((label) => data.valid.find((sample) => sample.label === label)!);
  const rows: [StepRow[], StepRow[]] = [[], []];
  const epochs: [EpochRow[], EpochRow[]] = [[], []];
  const frames: Recording['frames'][0][] = [];
  for (let step = 0; step <= STEPS; step++) {
    for (const [i, run] of runs.entries()) {
      if (step === 0) continue;
      const { row, epoch } = await run.step('both');
      rows[i].push(row);
      if (epoch) epochs[i].push(epoch);
    }
    if (step % FRAME_EVERY) continue;
    const pictures = [];
    for (const run of runs) {
      const looks = await run.look(films);
      pictures.push(
        looks.map(({ classes, saliency }) => ({
          classes: classes && rounded([...classes]),
          saliency: saliency && packMap(saliency),
        })),
      );
    }
    frames.push({ step, pictures });
  }
  const { name } = gpu.description;
  const packed = films.map(({ image, gaze, label }) => ({ image: packMap(image), gaze: packMap(gaze), label }));
  const { stepsPerEpoch, model } = runs[0];
  const stages = stagesOf(model);
  gpu.destroy();
  return {
    settings,
    height,
    width,
    classNames: data.classNames,
    stepsPerEpoch,
    stages,
    adapter: name,
    films: packed,
    rows: rounded(rows),
    epochs: rounded(epochs),
    frames,
  };
}

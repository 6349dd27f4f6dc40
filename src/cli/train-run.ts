/** One run from its folder: train or go on, evaluate the best network on the test split, write everything. */
import { type ChestDataset, missingClasses } from '../data/dataset.ts';
import type { Gpu } from '../engine/index.ts';
import { writeWeights } from '../mtunet/checkpoint.ts';
import type { TrainConfig } from '../mtunet/config.ts';
import { evaluate } from '../mtunet/evaluate.ts';
import type { StepRecord } from '../mtunet/records.ts';
import { Trainer } from '../mtunet/train.ts';
import { chooseKernels, keepKernels } from './kernel-choices.ts';
import { originOf } from './manifest.ts';
import { note } from './messages.ts';
import { TrainProgressLine } from './progress.ts';
import { provenanceOf } from './provenance.ts';
import type { RunFolder } from './run-folder.ts';
import { lockRun } from './run-lock.ts';
import type { Tracker } from './tracking/scalars.ts';
import { openTrackers } from './tracking/trackers.ts';

/** Returns whether the run ended; false when `signal` interrupted it, with a checkpoint left behind. */
export async function trainRun(
  gpu: Gpu,
  folder: RunFolder,
  dataset: ChestDataset,
  signal: AbortSignal,
  onStep?: (record: StepRecord) => void,
): Promise<boolean> {
  using _lock = await lockRun(folder.path, { announce: note });
  folder.tidy();
  for (const sentence of missingClasses(dataset)) note(`warning: ${sentence}`);
  const { config } = folder;
  await chooseKernels(gpu, folder, dataset.classNames.length);
  const progress = new TrainProgressLine(label(config));
  let trackers: Tracker[] = [];
  const started = new Date();
  using trainer = new Trainer(gpu, config, dataset, {
    step(record, of) {
      folder.appendStep(record);
      for (const tracker of trackers) tracker.step(record);
      progress.step(record, of);
      onStep?.(record);
    },
    epoch(record) {
      folder.appendEpoch(record);
      for (const tracker of trackers) tracker.epoch(record, trainer.position.steps);
      progress.epoch(record, config);
    },
    checkpoint(checkpoint) {
      keepKernels(gpu, folder);
      folder.saveCheckpoint(checkpoint);
    },
  });
  if (folder.hasCheckpoint) {
    const { checkpoint, warning } = folder.loadCheckpoint();
    if (warning) progress.line(`${warning}.`);
    trainer.resume(checkpoint);
    folder.rewindLogs(trainer.position.steps, trainer.position.epoch);
  } else {
    const initial = folder.loadInitial();
    if (initial) await trainer.begin(initial);
    folder.rewindLogs(0, 1);
  }
  trackers = await openTrackers(folder, (line) => progress.line(line));
  const { stop, bestEpoch } = await trainer.run(signal);
  progress.line(trainer.waiting.sentence);
  const { steps } = trainer.position;
  if (stop === 'interrupted') {
    for (const tracker of trackers) await tracker.end(null, steps);
    return false;
  }

  const weights = await trainer.model.stateDict();
  const wallSeconds = folder.epochs.reduce((total, { seconds }) => total + seconds, 0);
  const provenance = provenanceOf(gpu, dataset, config.seed, started, wallSeconds, folder.configHash);
  const origin = originOf(provenance);
  const metadata = { network: JSON.stringify(config.network), origin: JSON.stringify(origin) };
  folder.write('weights.safetensors', writeWeights(weights, metadata));
  const { record, maps, images, predictions } = await evaluate(gpu, trainer.model, dataset, {
    batchSize: config.batchSize,
    epoch: bestEpoch,
  });
  folder.savePredictions(predictions, dataset, origin);
  folder.saveExamples(maps, dataset, origin);
  folder.saveImages(images);
  folder.writeJson('provenance.json', provenance);
  for (const tracker of trackers) await tracker.end(record, steps);
  await folder.finish({ ...record, origin }, origin);
  const { saliency, classification } = record;
  const results = [
    saliency &&
      `KLD ${saliency.mean.kld.toFixed(3)}  PCC ${saliency.mean.pcc.toFixed(3)}  HS ${saliency.mean.hs.toFixed(3)}`,
    classification &&
      `ACC ${classification.accuracy.toFixed(3)}  AUC ${classification.aucHandTill?.toFixed(3) ?? 'n/a'}`,
  ].filter(Boolean);
  progress.line(`${label(config)} ended (${stop}), best epoch ${bestEpoch}; test: ${results.join('  ')}`);
  return true;
}

const label = ({ network, scheme, seed }: TrainConfig) =>
  `${network.name === 'mt-unet' ? scheme.name : `${network.name} ${scheme.name}`} seed ${seed}`;

/** The numbers of a run by the names under which trackers show them. */
import type { EpochRecord, EvaluationRecord, StepRecord } from '../../mtunet/records.ts';

export interface Tracker {
  step(record: StepRecord): void;
  epoch(record: EpochRecord, steps: number): void;
  /** With the evaluation of the best network; without it when the run was interrupted. */
  end(evaluation: EvaluationRecord | null, steps: number): Promise<void>;
}

/** Null is left out. */
export function epochScalars({ train, valid, validAccuracy, learningRate, seconds, ...record }: EpochRecord) {
  return known({
    'epoch/train/loss': train.loss,
    'epoch/train/saliency_loss': train.saliencyLoss,
    'epoch/train/class_loss': train.classLoss,
    'epoch/valid/loss': valid.loss,
    'epoch/valid/saliency_loss': valid.saliencyLoss,
    'epoch/valid/class_loss': valid.classLoss,
    'epoch/valid/accuracy': validAccuracy,
    'epoch/sigma/saliency': record.saliencySigma,
    'epoch/sigma/class': record.classSigma,
    'epoch/learning_rate': learningRate,
    'epoch/seconds': seconds,
  });
}

export function stepScalars(record: StepRecord) {
  return known({
    'step/loss': record.loss,
    'step/saliency_loss': record.saliencyLoss,
    'step/class_loss': record.classLoss,
    'step/sigma/saliency': record.saliencySigma,
    'step/sigma/class': record.classSigma,
    'step/learning_rate': record.learningRate,
    'step/effective_rate/saliency': record.effectiveSaliencyRate,
    'step/effective_rate/class': record.effectiveClassRate,
  });
}

export function testScalars({ saliency, classification }: EvaluationRecord) {
  return known({
    'test/kld': saliency?.mean.kld,
    'test/pcc': saliency?.mean.pcc,
    'test/hs': saliency?.mean.hs,
    'test/accuracy': classification?.accuracy,
    'test/auc_hand_till': classification?.aucHandTill,
    'test/auc_micro': classification?.aucMicro,
  });
}

function known(values: Readonly<Record<string, number | null | undefined>>): Record<string, number> {
  return Object.fromEntries(
    Object.entries(values).filter(
      (entry): entry is [string, number] => typeof entry[1] === 'number' && Number.isFinite(entry[1]),
    ),
  );
}

/**
 * Progress of a training run: one line that is redrawn on a terminal, a plain line an epoch elsewhere.
 */
import type { TrainConfig } from '../mtunet/config.ts';
import type { EpochRecord, StepRecord } from '../mtunet/records.ts';

const BAR = 20;
const REDRAW_MS = 100;

export class TrainProgressLine {
  private readonly label: string;
  private readonly stream: NodeJS.WriteStream;
  private started = performance.now();
  private firstStep: number | null = null;
  private drawnAt = 0;

  constructor(label: string, stream: NodeJS.WriteStream = process.stderr) {
    this.label = label;
    this.stream = stream;
  }

  step(record: StepRecord, { stepsPerEpoch, epochs }: { stepsPerEpoch: number; epochs: number }): void {
    if (this.firstStep === null) {
      // The first step compiles the kernels where that was not done before; the estimate counts from the second.
      this.firstStep = record.step;
      this.started = performance.now();
    }
    if (!this.stream.isTTY || performance.now() - this.drawnAt < REDRAW_MS) return;
    this.drawnAt = performance.now();
    const total = stepsPerEpoch * epochs;
    const done = record.step / total;
    const measured = record.step - this.firstStep;
    const left = measured > 0 ? (((performance.now() - this.started) / measured) * (total - record.step)) / 1000 : null;
    const bar = '#'.repeat(Math.round(done * BAR)).padEnd(BAR, '.');
    this.redraw(
      `${this.label} [${bar}] epoch ${record.epoch}/${epochs}  ${losses(record)}  ${left === null ? '' : `${duration(left)} left`}`,
    );
  }

  epoch(record: EpochRecord, { epochs }: TrainConfig): void {
    const { train, valid, validAccuracy, best, reset } = record;
    const accuracy = validAccuracy === null ? '' : `  acc ${validAccuracy.toFixed(2)}`;
    const notes = `${best ? '  best' : ''}${reset ? '  rate cut, back to the best epoch' : ''}`;
    this.line(
      `${this.label} epoch ${record.epoch}/${epochs}  train ${taskLosses(train)}  valid ${taskLosses(valid)}${accuracy}` +
        `  ${sigmas(record)}  lr ${Number(record.learningRate.toPrecision(2))}  ${record.seconds.toFixed(1)} s${notes}`,
    );
  }

  /** A line that stays. */
  line(text: string): void {
    if (this.stream.isTTY) this.stream.write(`\r\u001b[K${text}\n`);
    else this.stream.write(`${text}\n`);
  }

  private redraw(text: string): void {
    const width = this.stream.columns ?? 80;
    this.stream.write(`\r\u001b[K${text.length >= width ? `${text.slice(0, width - 2)}…` : text}`);
  }
}

type Sigmas = { readonly saliencySigma: number | null; readonly classSigma: number | null };

function losses(record: StepRecord): string {
  return `loss ${record.loss.toFixed(3)}  ${taskLosses(record)}  ${sigmas(record)}`;
}

function taskLosses({ saliencyLoss, classLoss }: { saliencyLoss: number | null; classLoss: number | null }): string {
  return [saliencyLoss !== null && `Ls ${saliencyLoss.toFixed(3)}`, classLoss !== null && `Lc ${classLoss.toFixed(3)}`]
    .filter(Boolean)
    .join(' ');
}

function sigmas({ saliencySigma, classSigma }: Sigmas): string {
  return [
    saliencySigma !== null && `σs ${saliencySigma.toFixed(3)}`,
    classSigma !== null && `σc ${classSigma.toFixed(3)}`,
  ]
    .filter(Boolean)
    .join(' ');
}

export function duration(seconds: number): string {
  const whole = Math.round(seconds);
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, '0')} s`;
}

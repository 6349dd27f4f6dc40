/** Trains two runs in turn, away from the page. */
import { z } from 'zod';
import type { ChestDataset } from '../../data/dataset.ts';
import { syntheticChests } from '../../data/synthetic.ts';
import { type Gpu, openGpu } from '../../engine/index.ts';
import { resolveConfig } from '../../mtunet/config.ts';
import { preparePipelines } from '../../mtunet/pipelines.ts';
import { readWeightFile } from '../../mtunet/weight-file.ts';
import { deviations, fitWeights, overlaid } from '../../mtunet/weight-fit.ts';
import { fittingDict } from '../../mtunet/weight-prefix.ts';
import { gradientCheck, keepCodes, operations, stagesOf } from './inside.ts';
import { type Follow, LiveRun, type Moment } from './live-run.ts';
import type { EpochRow, FailureKind, Film, Frame, FromWorker, StepRow, ToWorker } from './protocol.ts';
import { overridesOf, type Settings, type Size } from './settings.ts';

// The content security policy forbids code from strings.
z.config({ jitless: true });

const MOMENTS = 80;
const FRAME_MS = 120;

interface Session {
  readonly settings: Settings;
  readonly data: ChestDataset;
  readonly runs: readonly [LiveRun, LiveRun];
  readonly moments: { readonly step: number; readonly of: readonly [Moment, Moment] }[];
  /** Lowest validation loss so far of each run, and where; weighted losses of different sigmas cannot be compared, so the raw sum. */
  readonly best: [Best, Best];
}
interface Best {
  readonly loss: number;
  readonly moment: Moment | null;
}

let gpu: Gpu | null = null;
let session: Session | null = null;
let films: Film[] = [];
let playing = false;
let pauseMs = 0;
let closing = false;

/** What is transferred need not be copied. */
const tell = (message: FromWorker, transfer: Transferable[] = []) => self.postMessage(message, { transfer });

// One thing at a time: messages wait for the step under way.
let queue: Promise<void> = Promise.resolve();
const soon = (work: () => Promise<void>) => {
  queue = queue.then(work).catch(fail);
};

self.onmessage = ({ data }: MessageEvent<ToWorker>) => {
  if (data.kind === 'pause') playing = false;
  soon(() => obey(data));
};

async function obey(message: ToWorker): Promise<void> {
  if (message.kind === 'open') return open(message.settings, message.size);
  if (message.kind === 'speed') {
    pauseMs = message.pauseMs;
    return;
  }
  if (!gpu || !session) return;
  const { runs } = session;
  switch (message.kind) {
    case 'reset':
      return reset(message.settings);
    case 'play':
      if (!playing) {
        playing = true;
        soon(play);
      }
      return;
    case 'pause':
      // A hidden tab is paused, and its device may be taken away meanwhile: then the runs go on from this step.
      await remember();
      return progress([[], []], [[], []], true);
    case 'step':
      playing = false;
      return advance(message.follow, true);
    case 'rate':
      runs[message.run].optimizer.learningRate = message.rate;
      return;
    case 'hold':
      return runs[message.run].hold(message.task, message.sigma);
    case 'return':
      return goBack(message.step);
    case 'break':
      return breakCircle(message.run);
    case 'inspect': {
      const { image } = films[message.film];
      const run = runs[message.run];
      const seen = await operations(gpu, run.model, image, run.config);
      return tell({ kind: 'operations', operations: seen }, [...new Set(seen.map(({ maps }) => maps.buffer))]);
    }
    case 'gradient':
      return tell({ kind: 'gradient', check: await gradientCheck(gpu, message.operation) });
    case 'film':
      films = [...films.slice(0, 3), message.film];
      tell({ kind: 'films', films });
      return progress([[], []], [[], []], true);
    case 'weights':
      return loadWeights(message.bytes);
    case 'lose':
      gpu.device.destroy();
  }
}

async function open(settings: Settings, size: Size | null): Promise<void> {
  if (!navigator.gpu) {
    const failure = self.isSecureContext ? 'no-webgpu' : 'insecure';
    return tell({ kind: 'failure', failure, message: '' });
  }
  gpu = await openGpu().catch((problem: Error) => {
    tell({ kind: 'failure', failure: 'no-adapter', message: problem.message });
    return null;
  });
  if (!gpu) return;
  const opened = gpu;
  keepCodes(opened);
  void opened.device.lost.then(({ message }) => {
    if (!closing && gpu === opened) soon(() => recover(message));
  });
  await reset({ ...settings, size: size ?? (opened.description.software ? 'small' : 'large') });
}

async function reset(settings: Settings, keep: Session | null = null): Promise<void> {
  if (!gpu) return;
  if (!keep && session) for (const run of session.runs) run.dispose();
  const configs = settings.runs.map((run) => resolveConfig('tiny', overridesOf(settings, run)));
  const [{ height, width, synthetic }] = configs;
  const data = keep?.data ?? syntheticChests({ height, width, ...synthetic });
  const [a, b] = configs.map((config) => new LiveRun(gpu!, config, data));
  const best = (): Best => ({ loss: Number.POSITIVE_INFINITY, moment: null });
  session = { settings, data, runs: [a, b], moments: keep?.moments ?? [], best: keep?.best ?? [best(), best()] };
  if (keep) return prepare();
  playing = false;
  // One validation film of each class.
  films = [0, 1, 2].map((label) => data.valid.find((sample) => sample.label === label)!);
  tell({
    kind: 'ready',
    settings,
    adapter: { name: gpu.description.name, software: gpu.description.software },
    films: films.map(({ image, gaze, label }) => ({ image, gaze, label })),
    height,
    width,
    classNames: data.classNames,
    stepsPerEpoch: a.stepsPerEpoch,
    stages: stagesOf(a.model),
  });
  await prepare();
  await remember();
  await progress([[], []], [[], []], true);
}

/** After the page is told that it is ready, before anything is computed. */
async function prepare(): Promise<void> {
  const { runs, data } = session!;
  for (const { config } of runs) await preparePipelines(gpu!, config, data);
}

async function play(): Promise<void> {
  if (!playing) return;
  await advance('both', false);
  if (pauseMs) await new Promise((resolve) => setTimeout(resolve, pauseMs));
  if (playing) soon(play);
}

let unsent: { rows: [StepRow[], StepRow[]]; epochs: [EpochRow[], EpochRow[]] } = { rows: [[], []], epochs: [[], []] };
let sentAt = 0;
let lookedAt = 0;
let lookMs = 0;
let speed = 0;

async function advance(follow: Follow, shown: boolean): Promise<void> {
  const { runs, best } = session!;
  const started = performance.now();
  for (const which of [0, 1] as const) {
    const { row, epoch } = await runs[which].step(follow);
    unsent.rows[which].push(row);
    if (!epoch) continue;
    unsent.epochs[which].push(epoch);
    const loss = (epoch.valid.saliency ?? 0) + (epoch.valid.diagnosis ?? 0);
    if (loss < best[which].loss) best[which] = { loss, moment: await runs[which].moment() };
  }
  const seconds = (performance.now() - started) / 1000;
  speed = speed ? 0.9 * speed + 0.1 / seconds : 1 / seconds;
  if (runs[0].stepsDone % runs[0].stepsPerEpoch === 0) await remember();
  const since = performance.now() - lookedAt;
  // Pictures take a fifth of the time at most, numbers go out as they come.
  if (shown || since > Math.max(FRAME_MS, 4 * lookMs)) await flush(true);
  else if (performance.now() - sentAt > FRAME_MS) await flush(false);
}

async function flush(look: boolean): Promise<void> {
  const { rows, epochs } = unsent;
  unsent = { rows: [[], []], epochs: [[], []] };
  await progress(rows, epochs, look);
  sentAt = performance.now();
}

async function progress(rows: [StepRow[], StepRow[]], epochs: [EpochRow[], EpochRow[]], look: boolean): Promise<void> {
  const { runs, moments } = session!;
  if (unsent.rows[0].length) return flush(look);
  const started = performance.now();
  const frame: Frame | null = look
    ? { step: runs[0].stepsDone, pictures: [await runs[0].look(films), await runs[1].look(films)] }
    : null;
  if (frame) {
    lookedAt = performance.now();
    lookMs = lookedAt - started;
  }
  tell({
    kind: 'progress',
    rows,
    epochs,
    frame,
    moments: moments.map(({ step }) => step),
    playing,
    stepsPerSecond: speed,
  });
}

async function remember(): Promise<void> {
  const { runs, moments } = session!;
  if (moments.at(-1)?.step === runs[0].stepsDone) moments.pop(); // what was changed by hand since counts
  moments.push({ step: runs[0].stepsDone, of: [await runs[0].moment(), await runs[1].moment()] });
  // Beyond the limit every second one goes, so the whole history stays within reach.
  if (moments.length > MOMENTS) moments.splice(0, moments.length, ...moments.filter((_, i) => i % 2 === 0));
}

async function goBack(step: number): Promise<void> {
  const { runs, moments } = session!;
  playing = false;
  unsent = { rows: [[], []], epochs: [[], []] };
  const target = moments.findLast((moment) => moment.step <= step) ?? moments[0];
  runs.forEach((run, i) => {
    run.return(target.of[i]);
  });
  moments.splice(moments.indexOf(target) + 1);
  tell({
    kind: 'returned',
    step: target.step,
    run: 'both',
    note: `Back at step ${target.step}; what came after is forgotten.`,
  });
  await progress([[], []], [[], []], true);
}

/** The weights of the best epoch, a tenth of the rate, and both sigmas held at 1. */
async function breakCircle(which: 0 | 1): Promise<void> {
  const run = session!.runs[which];
  const { moment } = session!.best[which];
  const rate = run.optimizer.learningRate / 10;
  const { stepsDone } = run;
  // The clock goes on, so that both runs stay at the same step.
  if (moment) run.return({ ...moment, steps: stepsDone });
  run.optimizer.learningRate = rate;
  run.hold('saliency', 1);
  run.hold('diagnosis', 1);
  const from = moment ? `the network of step ${moment.steps}, its best so far` : 'the network as it is';
  tell({
    kind: 'returned',
    step: stepsDone,
    run: which,
    note: `Broken: ${from}, both sigmas held at 1, learning rate ${rate.toPrecision(2)}.`,
  });
  await progress([[], []], [[], []], true);
}

async function loadWeights(bytes: ArrayBuffer): Promise<void> {
  const [{ model, config, stepsDone }] = session!.runs;
  const { name } = config.network;
  const wanted = new Set([...model.entries()].map((entry) => entry.name));
  const fit = fitWeights(name, model, readWeightFile(new Uint8Array(bytes), fittingDict(name, wanted)));
  model.loadStateDict(overlaid(await model.stateDict(), fit.state));
  const note = ['Run A now has the weights of the file.', ...deviations(fit)].join(' ');
  tell({ kind: 'returned', step: stepsDone, run: 0, note });
  await progress([[], []], [[], []], true);
}

/** Both runs go on in a new device: from their last snapshot, and without being asked to where they were playing. */
async function recover(message: string): Promise<void> {
  const lost = session;
  const wasPlaying = playing;
  playing = false;
  gpu = null;
  tell({ kind: 'failure', failure: 'lost', message });
  if (!lost) return;
  const opened = await openAgain();
  if (!opened) return;
  gpu = opened;
  keepCodes(opened);
  void opened.device.lost.then(({ message }) => {
    if (!closing && gpu === opened) soon(() => recover(message));
  });
  await reset(lost.settings, lost);
  const last = lost.moments.at(-1);
  await goBack(last?.step ?? 0);
  if (!wasPlaying || ++resumed > MOST_RESUMED) return;
  playing = true;
  soon(play);
}

/** Losses after which the runs wait to be started by hand: a device that is lost at every step is not worth opening for ever. */
const MOST_RESUMED = 3;
let resumed = 0;

/** After a reset of the driver there is no adapter for a while. */
async function openAgain(): Promise<Gpu | null> {
  for (let tries = 1; ; tries++) {
    try {
      return await openGpu();
    } catch (problem) {
      if (tries === TRIES) {
        tell({
          kind: 'failure',
          failure: 'no-adapter',
          message: `${(problem as Error).message} Reload the page to try again.`,
        });
        return null;
      }
      await new Promise((resolve) => setTimeout(resolve, WAIT_MS * tries));
    }
  }
}
const TRIES = 5;
const WAIT_MS = 400;

function fail(problem: Error): void {
  // The loss of the device comes with a report of its own, and recover() asks whether the runs were playing.
  if (!gpu || /lost|destroyed/i.test(problem.message)) return;
  playing = false;
  tell({ kind: 'failure', failure: kindOf(problem), message: problem.message });
}

function kindOf({ name, message }: Error): FailureKind {
  if (/memory/i.test(message)) return 'memory';
  if (/^The loss is/.test(message)) return 'numbers';
  return /Safetensors|Torch|WeightFit|Shape/.test(name) || /^state:|checkpoint/.test(message) ? 'input' : 'other';
}

self.addEventListener('close', () => {
  closing = true;
});

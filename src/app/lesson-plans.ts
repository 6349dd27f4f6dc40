/** The five exercises: a set-up, a question, and what to read from the two runs. */

import type { TaskName } from './live/protocol.ts';
import { initialSettings, PROVOKED, type RunSettings, type Settings } from './live/settings.ts';
import type { State } from './store.ts';

/** What a lesson looks at. */
export type Seen = Pick<State, 'rows' | 'epochs'>;

export interface Lesson {
  readonly title: string;
  readonly setUp: Omit<Settings, 'size'>;
  /** Sigmas that a hand holds from the first step on. */
  readonly held?: readonly { readonly run: 0 | 1; readonly task: TaskName; readonly sigma: number }[];
  readonly steps: number;
  readonly question: string;
  readonly answers: readonly string[];
  /** Index of the answer that theory gives. */
  readonly expected: number;
  readonly why: string;
  /** What to read from the runs, as a sentence. */
  readonly measured: (state: Seen) => string;
  /** Whether the runs say what theory says. */
  readonly holds: (state: Seen) => boolean;
}

const run = (
  scheme: RunSettings['scheme'],
  learningRate = 0.005,
  optimizer: RunSettings['optimizer'] = 'adam',
): RunSettings => ({ scheme, optimizer, learningRate, sigmaRate: 1 });
/** As in the provoked circle. */
const quick = (scheme: RunSettings['scheme']): RunSettings => ({ ...PROVOKED.runs[0], scheme });
const pair = (a: RunSettings, b: RunSettings, more: Partial<Settings> = {}): Omit<Settings, 'size'> => ({
  ...initialSettings,
  ...more,
  runs: [a, b],
});
const last = (state: Seen, which: 0 | 1) => ({ row: state.rows[which].at(-1), epoch: state.epochs[which].at(-1) });
const weightOf = (state: Seen, which: 0 | 1, task: TaskName) => last(state, which).row?.weight[task] ?? Number.NaN;
/** Distance of the sigmas from 1 on the scale of their logarithm, added up. */
const strayed = (state: Seen, which: 0 | 1) => {
  const { saliency, diagnosis } = last(state, which).row!.sigma;
  return Math.abs(Math.log(saliency ?? 1)) + Math.abs(Math.log(diagnosis ?? 1));
};
/** Mean raw loss of a step, saliency and diagnosis together, over the last eight, which are an epoch. */
const recent = (state: Seen, which: 0 | 1) => {
  const rows = state.rows[which].slice(-8);
  return rows.reduce((sum, { raw }) => sum + (raw.saliency ?? 0) + (raw.diagnosis ?? 0), 0) / rows.length;
};
/** Rounding sets two runs of Adam less apart than this; four times the rate sets them apart further within an epoch. */
const SAME = 0.03;
/** Below it the paper's resting place, f(1) = 1/4, gives a weight above 1. */
const QUARTER = 0.25;
/** Weight of a task in each run, on average over the steps before which the loss in run B had been below a quarter nat for ten. */
const onceLow = (state: Seen, task: TaskName) => {
  const losses = state.rows[1].map(({ raw }) => raw[task] ?? 0);
  const low = state.rows[1].flatMap((_, i) => {
    const before = losses.slice(Math.max(0, i - 10), i);
    return before.length === 10 && before.reduce((a, b) => a + b) < 10 * QUARTER ? [i] : [];
  });
  const mean = (which: 0 | 1) =>
    low.reduce((sum, i) => sum + (state.rows[which][i]?.weight[task] ?? Number.NaN), 0) / low.length;
  return { steps: low.length, weights: [mean(0), mean(1)] as const };
};
const told = (value: number | null | undefined) => (value == null ? 'n/a' : value.toPrecision(3));

export const LESSONS: readonly Lesson[] = [
  {
    title: 'Two tasks or one?',
    setUp: pair(run('sum'), run('diagnosis-alone')),
    steps: 80,
    question:
      'Run A learns saliency and diagnosis, run B diagnosis alone, from the same first weights. Will the diagnosis losses of the two be the same?',
    answers: ['The same: the heads are separate', 'Different: the encoder is shared'],
    expected: 1,
    why: 'Both gradients flow through the shared encoder, so each task changes the features of the other. Whether that helps depends on the data and on the seed: try several before you believe either.',
    measured: (state) =>
      `Diagnosis on validation films: A ${told(last(state, 0).epoch?.valid.diagnosis)}, B ${told(last(state, 1).epoch?.valid.diagnosis)} nats.`,
    holds: (state) => last(state, 0).epoch?.valid.diagnosis !== last(state, 1).epoch?.valid.diagnosis,
  },
  {
    title: 'Where does sigma go?',
    setUp: pair(run('mtls1', 0.02), run('mtls1', 0.002)),
    steps: 80,
    question:
      'Both runs learn both sigmas; A has ten times the learning rate of B. In which run do the sigmas stray further from 1?',
    answers: ['In A', 'In B', 'Equally: the resting place depends on L only'],
    expected: 0,
    why: 'The resting place depends on L only, but the way there takes time: Adam changes ln σ by about one learning rate a step. In B sigma lags far behind its loss. See “Sigma chases its resting place”.',
    measured: (state) =>
      `σ of saliency and diagnosis: A ${told(last(state, 0).row?.sigma.saliency)} and ${told(last(state, 0).row?.sigma.diagnosis)}, B ${told(last(state, 1).row?.sigma.saliency)} and ${told(last(state, 1).row?.sigma.diagnosis)}.`,
    holds: (state) => strayed(state, 0) > strayed(state, 1),
  },
  {
    title: 'Learn twelve films by heart',
    setUp: PROVOKED,
    // At 200 the loss is about 1/4 nat, where the weight is 1; on which side depends on the adapter's rounding.
    steps: 320,
    question:
      'Twelve films, no dropout. MTLS1 with quick sigmas (A) against fixed sigmas (B). What does the weight of saliency do in A as its training loss goes towards zero?',
    answers: ['It falls: the task is solved', 'It stays at 1', 'It grows'],
    expected: 2,
    why: 'σ follows the loss down and the weight is 1/σ². The task that is already solved by heart is asked for ever more loudly: the vicious circle.',
    measured: (state) =>
      `Weight of saliency: A ${told(last(state, 0).row?.weight.saliency)}, B ${told(last(state, 1).row?.weight.saliency)}; its loss in A is ${told(last(state, 0).epoch?.train.saliency)} nats on training and ${told(last(state, 0).epoch?.valid.saliency)} on validation films.`,
    holds: (state) => weightOf(state, 0, 'saliency') > Math.max(1, weightOf(state, 1, 'saliency')),
  },
  {
    title: 'Fix one sigma',
    // Few films and quick sigmas: with more, the loss of diagnosis does not fall that far in a minute.
    setUp: { ...PROVOKED, runs: [quick('mtls2'), quick('mtls3')] },
    steps: 200,
    question:
      'Twelve films, no dropout. MTLS2 (A) learns only the sigma of saliency, MTLS3 (B) only that of diagnosis. Which run gives more weight to diagnosis while its loss is below 0.25 nats?',
    answers: ['MTLS2', 'MTLS3'],
    expected: 1,
    why: 'A fixed sigma of 1 means a weight of 1. A learnt one rests below 1 when L < f(1) = 1/4, so its weight goes above 1. Above that loss it is the other way round. Check it in the explorer.',
    measured: (state) => {
      const { steps, weights } = onceLow(state, 'diagnosis');
      return steps
        ? `At ${steps} steps the loss of B had been below a quarter nat for ten. There diagnosis weighs, on average, A ${told(weights[0])}, B ${told(weights[1])}.`
        : 'The loss of B was never below a quarter nat for ten steps.';
    },
    // A batch that is still hard throws the quick sigma back, so the weight of a single step says little.
    holds: (state) => {
      const [a, b] = onceLow(state, 'diagnosis').weights;
      return b > a;
    },
  },
  {
    title: 'Does Adam care?',
    setUp: pair(run('mtls1'), run('sum')),
    held: [
      { run: 0, task: 'saliency', sigma: 0.5 },
      { run: 0, task: 'diagnosis', sigma: 0.5 },
    ],
    // Later on rounding leads the two runs apart.
    steps: 24,
    question:
      'In A a hand holds both sigmas at 0.5, so that both losses count four times; in B they count once. All else is the same, and both runs use Adam. Which run learns faster?',
    answers: ['A: its gradients are four times as long', 'Neither', 'B: A steps too far'],
    expected: 1,
    why: 'Adam divides the gradient by its own running size, so a factor on the whole of it cancels, and both runs take nearly the same steps. What counts under Adam is the ratio of the two weights, and that where both gradients meet, in the shared part of the network. Plain gradient descent steps four times as far: choose sgd in both runs, hold the sigmas of A at 0.5, and compare.',
    measured: (state) => {
      const [a, b] = [recent(state, 0), recent(state, 1)];
      return `Weights in A ${told(weightOf(state, 0, 'saliency'))}, in B ${told(weightOf(state, 1, 'saliency'))}; both raw losses together, over the last steps: A ${told(a)}, B ${told(b)} nats.`;
    },
    holds: (state) => weightOf(state, 0, 'saliency') > 3.9 && Math.abs(recent(state, 0) / recent(state, 1) - 1) < SAME,
  },
];

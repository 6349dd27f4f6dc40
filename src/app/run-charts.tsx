/** The charts of a run, in pairs that are drawn in turn. Both runs share their scales, so that a difference is a difference. */
import { equilibriumSigma } from '../mtunet/equilibrium.ts';
import { Chart, type Point, type Series, thin } from './chart.tsx';
import { Later, useStore } from './later.tsx';
import type { StepRow, TaskName } from './live/protocol.ts';
import type { State, Store } from './store.ts';

interface OfRun {
  readonly store: Store;
  readonly run: 0 | 1;
}
const TASKS = ['saliency', 'diagnosis'] as const;

export const RunCharts = ({ store, run }: OfRun) => (
  <div class="charts pairs">
    {[Losses, Sigmas, Rates].map((Pair) => (
      <Later key={Pair.name}>
        <Pair store={store} run={run} />
      </Later>
    ))}
  </div>
);

/** What is drawn of both runs: however long they are, it costs the same. */
function drawnOf({ rows, epochs }: State) {
  const drawn = { rows: rows.map((list) => thin(list)), epochs: epochs.map((list) => thin(list)) };
  const last = Math.max(20, ...drawn.rows.map((list) => list.at(-1)?.step ?? 0));
  return { ...drawn, xRange: [0, last] as const };
}

/** The highest value of either run, at least `least`. */
const highest = <T,>(lists: readonly (readonly T[])[], of: (one: T) => readonly (number | null)[], least: number) =>
  lists.flat().reduce((top, one) => Math.max(top, ...of(one).map((value) => value ?? 0)), least);

const points = <T extends { readonly step: number }>(list: readonly T[], of: (one: T) => number | null): Point[] =>
  list.flatMap((one) => {
    const value = of(one);
    return value === null ? [] : [[one.step, value] as const];
  });

function Losses({ store, run }: OfRun) {
  const state = useStore(store);
  const { rows, epochs, xRange } = drawnOf(state);
  return (
    <div class="charts">
      {TASKS.map((task) => {
        const [train, valid] = (['train', 'valid'] as const).map((of) => points(epochs[run], (row) => row[of][task]));
        const top = Math.max(
          highest(rows, ({ raw }) => [raw[task]], 1),
          highest(epochs, (row) => [row.valid[task]], 1),
        );
        return (
          <Chart
            key={task}
            title={task === 'saliency' ? 'Saliency loss' : 'Diagnosis loss'}
            x="step"
            y="nats, raw"
            xRange={xRange}
            yRange={[0, Math.min(6, top)]}
            cursor={state.shown}
            shade={[train, valid]}
            series={[
              { name: '', look: `faint ${task}`, points: points(rows[run], ({ raw }) => raw[task]) },
              { name: 'train', look: task, points: train },
              { name: 'validation', look: `${task} dashed`, points: valid },
            ]}
          />
        );
      })}
    </div>
  );
}

/** A line for each task. */
const lines = (rows: readonly StepRow[], of: (row: StepRow, task: TaskName) => number | null): Series[] =>
  TASKS.map((task) => ({ name: task, look: task, points: points(rows, (row) => of(row, task)) }));

function Sigmas({ store, run }: OfRun) {
  const state = useStore(store);
  const { rows, xRange } = drawnOf(state);
  const top = highest(rows, ({ sigma }) => [sigma.saliency, sigma.diagnosis], 1.2) * 1.05;
  return (
    <div class="charts">
      <Chart
        title="Sigma"
        x="step"
        y="σ"
        series={lines(rows[run], ({ sigma }, task) => sigma[task])}
        xRange={xRange}
        yRange={[0, top]}
        cursor={state.shown}
      />
      <Chase state={state} run={run} />
    </div>
  );
}

const CURVE = Array.from({ length: 100 }, (_, i): Point => [i * 0.025, equilibriumSigma(i * 0.025)]);

/** Sigma against its loss, on the curve where it would rest. */
function Chase({ state, run }: { state: State; run: 0 | 1 }) {
  const rows = state.shown === null ? state.rows[run] : state.rows[run].filter(({ step }) => step <= state.shown!);
  const trail = (task: TaskName): Point[] => {
    let smooth: number | null = null;
    return rows.flatMap(({ raw, sigma }): Point[] => {
      const [loss, at] = [raw[task], sigma[task]];
      if (loss === null || at === null) return [];
      smooth = smooth === null ? loss : 0.85 * smooth + 0.15 * loss;
      return [[Math.min(2.5, smooth), at]];
    });
  };
  const trails = TASKS.map((task) => ({ name: task, look: task, points: trail(task) }));
  return (
    <Chart
      title="Sigma chases its resting place"
      x="L (nats, smoothed)"
      y="σ"
      xRange={[0, 2.5]}
      yRange={[0, 2.8]}
      series={[{ name: 'σ̂(L)', look: 'curve', points: CURVE }, ...trails]}
      dots={trails.flatMap(({ look, points }) => (points.length ? [{ at: points[points.length - 1], look }] : []))}
    />
  );
}

const product = (a: number | null, b: number | null) => (a === null || b === null ? null : a * b);
const rateOf = ({ weight, rate }: StepRow, task: TaskName) => product(weight[task], rate);
const weightedOf = ({ weight, raw }: StepRow, task: TaskName) => product(weight[task], raw[task]);

function Rates({ store, run }: OfRun) {
  const state = useStore(store);
  const { rows, epochs, xRange } = drawnOf(state);
  // Validation losses under the weights of the step at which they were measured.
  const validation = TASKS.map((task) => ({
    name: `${task}, validation`,
    look: `${task} dashed`,
    unkeyed: true,
    points: points(epochs[run], ({ step, valid }) =>
      product(valid[task], rowAt(state.rows[run], step)?.weight[task] ?? null),
    ),
  }));
  const top = (of: typeof rateOf, least: number) => highest(rows, (row) => TASKS.map((task) => of(row, task)), least);
  return (
    <div class="charts">
      <Chart
        title="Effective rate"
        x="step"
        y="r / σ²"
        series={lines(rows[run], rateOf)}
        xRange={xRange}
        yRange={[0, top(rateOf, 1e-5) * 1.05]}
        cursor={state.shown}
      />
      <Chart
        title="Weighted loss, dashed: validation"
        x="step"
        y="L / σ²"
        series={[...lines(rows[run], weightedOf), ...validation]}
        xRange={xRange}
        yRange={[0, Math.min(6, top(weightedOf, 1))]}
        cursor={state.shown}
      />
    </div>
  );
}

/** Steps grow along the rows. */
function rowAt(rows: readonly StepRow[], step: number): StepRow | undefined {
  let [low, high] = [0, rows.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (rows[middle].step < step) low = middle + 1;
    else high = middle;
  }
  return rows[low]?.step === step ? rows[low] : undefined;
}

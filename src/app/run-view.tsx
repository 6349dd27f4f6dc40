/** One of the two runs: its settings, its pictures, its charts. Both runs share their scales, so that a difference is a difference. */
import { equilibriumSigma } from '../mtunet/equilibrium.ts';
import { Chart, type Point, thin } from './chart.tsx';
import { FilmView } from './film.tsx';
import { Later } from './later.tsx';
import type { StepRow, TaskName } from './live/protocol.ts';
import { CHOICES, type Choice, LEARNS, OPTIMIZERS, type RunSettings } from './live/settings.ts';
import type { MapName } from './pictures.ts';
import type { State, Store } from './store.ts';

const NAMES = ['A', 'B'] as const;
const SIGMA_RATES = [1, 3, 10, 30];

export function RunView({ store, state, run, colours }: { store: Store; state: State; run: 0 | 1; colours: MapName }) {
  const { settings, films, height, width, classNames } = state;
  const live = state.mode === 'live';
  const mine = settings.runs[run];
  const set = (part: Partial<RunSettings>) => {
    const runs = settings.runs.map((one, i) =>
      i === run ? { ...one, ...part } : one,
    ) as unknown as State['settings']['runs'];
    return { ...settings, runs };
  };
  const name = NAMES[run];
  const pictures = store.frame?.pictures[run] ?? [];
  const last = shownRow(state, run);
  return (
    <section class={`run run-${name}`} aria-labelledby={`run-${name}`}>
      <header>
        <h3 id={`run-${name}`}>
          <span class="letter">{name}</span> {CHOICES[mine.scheme]}
        </h3>
        <div class="controls">
          <label class="wide">
            Scheme
            <select
              disabled={!live}
              value={mine.scheme}
              id={`scheme-${name}`}
              onChange={(e) => store.reset(set({ scheme: e.currentTarget.value as Choice }))}
            >
              {Object.entries(CHOICES).map(([key, text]) => (
                <option key={key} value={key}>
                  {text}
                </option>
              ))}
            </select>
          </label>
          <label>
            Optimizer
            <select
              disabled={!live}
              value={mine.optimizer}
              id={`optimizer-${name}`}
              onChange={(e) => store.reset(set({ optimizer: e.currentTarget.value as RunSettings['optimizer'] }))}
            >
              {OPTIMIZERS.map((key) => (
                <option key={key} value={key}>
                  {key}
                </option>
              ))}
            </select>
          </label>
          <label>
            Learning rate <output>{mine.learningRate.toPrecision(2)}</output>
            <input
              type="range"
              min="-5"
              max="-0.5"
              step="0.1"
              disabled={!live}
              id={`rate-${name}`}
              value={Math.log10(mine.learningRate)}
              aria-valuetext={mine.learningRate.toPrecision(2)}
              onInput={(e) => {
                const learningRate = Number((10 ** Number(e.currentTarget.value)).toPrecision(2));
                store.change({ settings: set({ learningRate }) });
                store.send({ kind: 'rate', run, rate: learningRate });
              }}
            />
          </label>
          {LEARNS[mine.scheme] && (
            <label>
              Sigmas learn at
              <select
                disabled={!live}
                id={`sigma-rate-${name}`}
                value={mine.sigmaRate}
                onChange={(e) => store.reset(set({ sigmaRate: Number(e.currentTarget.value) }))}
              >
                {[...new Set([...SIGMA_RATES, mine.sigmaRate])].map((times) => (
                  <option key={times} value={times}>
                    {times} × rate
                  </option>
                ))}
              </select>
            </label>
          )}
          {(['saliency', 'diagnosis'] as const).map((task) => (
            <HoldSigma
              key={task}
              store={store}
              run={run}
              task={task}
              scheme={mine.scheme}
              now={last?.sigma[task] ?? null}
              live={live}
            />
          ))}
        </div>
      </header>
      <div class="films">
        {films.map(({ image, gaze, label }, i) => {
          const picture = pictures[i];
          const truth = label === null ? 'your film' : classNames[label];
          return (
            <div class="example" key={i}>
              <div class="pair">
                <div>
                  <span class="cap">gaze</span>
                  <FilmView
                    image={image}
                    map={gaze}
                    height={height}
                    width={width}
                    colours={colours}
                    label={`Film, ${truth}, with the gaze of its reader`}
                  />
                </div>
                <div>
                  <span class="cap">predicted</span>
                  <FilmView
                    image={image}
                    map={picture?.saliency ?? null}
                    height={height}
                    width={width}
                    colours={colours}
                    label={`Run ${name}: the same film with the predicted saliency`}
                  />
                </div>
              </div>
              <Probabilities classes={picture?.classes ?? null} names={classNames} label={label} truth={truth} />
            </div>
          );
        })}
      </div>
      <Later>
        <Charts state={state} run={run} />
      </Later>
    </section>
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

export function shownRow({ rows, shown }: State, run: 0 | 1) {
  return shown === null ? rows[run].at(-1) : rows[run].findLast(({ step }) => step <= shown);
}

function Probabilities({
  classes,
  names,
  label,
  truth,
}: {
  classes: Float32Array | null;
  names: readonly string[];
  label: number | null;
  truth: string;
}) {
  return (
    <div class="classes">
      <p class="truth">
        truth: <b>{truth}</b>
      </p>
      {names.map((name, i) => {
        const share = classes ? classes[i] : 0;
        return (
          <div class={i === label ? 'bar right' : 'bar'} key={name}>
            <span>{name}</span>
            <svg viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">
              <rect class="track" width="100" height="8" />
              <rect class="fill" width={100 * share} height="8" />
            </svg>
            <span class="value">{classes ? `${Math.round(100 * share)} %` : 'n/a'}</span>
          </div>
        );
      })}
    </div>
  );
}

function HoldSigma({
  store,
  run,
  task,
  scheme,
  now,
  live,
}: {
  store: Store;
  run: 0 | 1;
  task: TaskName;
  scheme: Choice;
  now: number | null;
  live: boolean;
}) {
  if (!LEARNS[scheme]?.includes(task)) return null;
  const name = `σ of ${task}`;
  const value = now ?? 1;
  return (
    <label title="Move it to hold this sigma; double-click to let go">
      {name} <output>{value.toPrecision(3)}</output>
      <input
        type="range"
        min="-2.5"
        max="1.5"
        step="0.02"
        disabled={!live}
        id={`sigma-${task}-${NAMES[run]}`}
        value={Math.log(value)}
        aria-valuetext={`${value.toPrecision(3)}; double-click or Escape lets go`}
        onInput={(e) => store.send({ kind: 'hold', run, task, sigma: Math.exp(Number(e.currentTarget.value)) })}
        onDblClick={() => store.send({ kind: 'hold', run, task, sigma: null })}
        onKeyDown={(e) => e.key === 'Escape' && store.send({ kind: 'hold', run, task, sigma: null })}
      />
    </label>
  );
}

function Charts({ state, run }: { state: State; run: 0 | 1 }) {
  const { shown } = state;
  // However long the runs are, drawing them costs the same.
  const [rows, epochs] = [state.rows.map((list) => thin(list)), state.epochs.map((list) => thin(list))];
  const last = Math.max(20, ...rows.map((list) => list.at(-1)?.step ?? 0));
  const xRange = [0, last] as const;
  const both = rows.flat();
  const loss = (task: TaskName) => {
    const pick = (list: readonly { step: number; of: number | null }[]): Point[] =>
      list.flatMap(({ step, of }) => (of === null ? [] : [[step, of] as const]));
    const train = pick(epochs[run].map(({ step, train }) => ({ step, of: train[task] })));
    const valid = pick(epochs[run].map(({ step, valid }) => ({ step, of: valid[task] })));
    const all = [...both.map(({ raw }) => raw[task]), ...epochs.flat().map(({ valid }) => valid[task])].filter(
      (value) => value !== null,
    );
    const top = Math.min(
      6,
      all.reduce((a, b) => Math.max(a, b), 1),
    );
    return (
      <Chart
        title={task === 'saliency' ? 'Saliency loss' : 'Diagnosis loss'}
        x="step"
        y="nats, raw"
        xRange={xRange}
        yRange={[0, top]}
        cursor={shown}
        shade={[train, valid]}
        series={[
          {
            name: '',
            look: `faint ${task}`,
            points: pick(rows[run].map(({ step, raw }) => ({ step, of: raw[task] }))),
          },
          { name: 'train', look: task, points: train },
          { name: 'validation', look: `${task} dashed`, points: valid },
        ]}
      />
    );
  };
  const lines = (
    value: (row: State['rows'][0][number], task: TaskName) => number | null,
    name: (task: TaskName) => string,
  ) =>
    (['saliency', 'diagnosis'] as const).map((task) => ({
      name: name(task),
      look: task,
      points: rows[run].flatMap((row): Point[] => {
        const of = value(row, task);
        return of === null ? [] : [[row.step, of]];
      }),
    }));
  const sigmas = lines(
    ({ sigma }, task) => sigma[task],
    (task) => task,
  );
  const rates = lines(
    ({ weight, rate }, task) => (weight[task] === null ? null : rate * weight[task]),
    (task) => task,
  );
  const weighted = lines(
    ({ weight, raw }, task) => (weight[task] === null || raw[task] === null ? null : weight[task] * raw[task]),
    (task) => task,
  );
  // Validation losses under the weights of the step at which they were measured.
  const weightedValid = (['saliency', 'diagnosis'] as const).map((task) => ({
    name: `${task}, validation`,
    look: `${task} dashed`,
    unkeyed: true,
    points: epochs[run].flatMap(({ step, valid }): Point[] => {
      const weight = rowAt(state.rows[run], step)?.weight[task];
      return valid[task] === null || weight == null ? [] : [[step, weight * valid[task]]];
    }),
  }));
  const highest = (value: (row: State['rows'][0][number]) => readonly (number | null)[], least: number) =>
    both.reduce((top, row) => Math.max(top, ...value(row).map((one) => one ?? 0)), least);
  const top = highest(({ sigma }) => [sigma.saliency, sigma.diagnosis], 1.2) * 1.05;
  const rateTop =
    highest(({ weight, rate }) => [rate * (weight.saliency ?? 0), rate * (weight.diagnosis ?? 0)], 1e-5) * 1.05;
  return (
    <div class="charts">
      {loss('saliency')}
      {loss('diagnosis')}
      <Chart title="Sigma" x="step" y="σ" series={sigmas} xRange={xRange} yRange={[0, top]} cursor={shown} />
      <Chase state={state} run={run} />
      <Chart
        title="Effective rate"
        x="step"
        y="r / σ²"
        series={rates}
        xRange={xRange}
        yRange={[0, rateTop]}
        cursor={shown}
      />
      <Chart
        title="Weighted loss, dashed: validation"
        x="step"
        y="L / σ²"
        series={[...weighted, ...weightedValid]}
        xRange={xRange}
        yRange={[
          0,
          Math.min(
            6,
            highest(
              ({ weight, raw }) => [
                (weight.saliency ?? 0) * (raw.saliency ?? 0),
                (weight.diagnosis ?? 0) * (raw.diagnosis ?? 0),
              ],
              1,
            ),
          ),
        ]}
        cursor={shown}
      />
    </div>
  );
}

/** Sigma against its loss, on the curve where it would rest. */
function Chase({ state, run }: { state: State; run: 0 | 1 }) {
  const curve = Array.from({ length: 100 }, (_, i): Point => [i * 0.025, equilibriumSigma(i * 0.025)]);
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
  const trails = (['saliency', 'diagnosis'] as const).map((task) => ({ name: task, look: task, points: trail(task) }));
  return (
    <Chart
      title="Sigma chases its resting place"
      x="L (nats, smoothed)"
      y="σ"
      xRange={[0, 2.5]}
      yRange={[0, 2.8]}
      series={[{ name: 'σ̂(L)', look: 'curve', points: curve }, ...trails]}
      dots={trails.flatMap(({ look, points }) => (points.length ? [{ at: points[points.length - 1], look }] : []))}
    />
  );
}

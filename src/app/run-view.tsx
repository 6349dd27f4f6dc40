/** One of the two runs: its settings, its pictures, its charts. */
import { Later, useStore } from './later.tsx';
import type { TaskName } from './live/protocol.ts';
import { CHOICES, type Choice, LEARNS, OPTIMIZERS, type RunSettings } from './live/settings.ts';
import { RunCharts } from './run-charts.tsx';
import { RunFilms } from './run-films.tsx';
import type { State, Store } from './store.ts';

const NAMES = ['A', 'B'] as const;
const SIGMA_RATES = [1, 3, 10, 30];

export function RunView({ store, run }: { store: Store; run: 0 | 1 }) {
  const name = NAMES[run];
  return (
    <section class={`run run-${name}`} aria-labelledby={`run-${name}`}>
      <Later>
        <Head store={store} run={run} />
      </Later>
      <Later>
        <RunFilms store={store} run={run} />
      </Later>
      <RunCharts store={store} run={run} />
    </section>
  );
}

function Head({ store, run }: { store: Store; run: 0 | 1 }) {
  const state = useStore(store);
  const { settings } = state;
  const live = state.mode === 'live';
  const mine = settings.runs[run];
  const set = (part: Partial<RunSettings>) => {
    const runs = settings.runs.map((one, i) =>
      i === run ? { ...one, ...part } : one,
    ) as unknown as State['settings']['runs'];
    return { ...settings, runs };
  };
  const name = NAMES[run];
  const last = shownRow(state, run);
  return (
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
  );
}

export function shownRow({ rows, shown }: State, run: 0 | 1) {
  return shown === null ? rows[run].at(-1) : rows[run].findLast(({ step }) => step <= shown);
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

/** The bench: what both runs share, the clock, the timeline, and the runs side by side. */
import { useState } from 'preact/hooks';
import { exportCsv, exportJson, exportPng, ownFilm } from './files.ts';
import { Later } from './later.tsx';
import type { Size } from './live/settings.ts';
import { MAPS, type MapName } from './pictures.ts';
import { RunView } from './run-view.tsx';
import type { State, Store } from './store.ts';
import { SEEDS, TRAIN, whole } from './url.ts';

const SPEEDS = { full: 0, medium: 150, slow: 600 } as const;

export function Playground({ store, state }: { store: Store; state: State }) {
  const [colours, setColours] = useState<MapName>('viridis');
  const [speed, setSpeed] = useState<keyof typeof SPEEDS>('full');
  const { settings, playing, adapter, mode } = state;
  const live = mode === 'live';
  const idle = mode === 'starting';
  const step = store.step;
  const shown = state.shown ?? step;
  return (
    <section id="bench" aria-label="Live training">
      <div class="toolbar" role="toolbar" aria-label="Clock">
        <button
          type="button"
          id="play"
          class="primary"
          aria-pressed={playing}
          disabled={idle}
          onClick={() => store.toggle()}
          title="Space"
        >
          <svg class="icon" viewBox="0 0 10 10" aria-hidden="true">
            <path d={playing ? 'M1 0H4V10H1ZM6 0H9V10H6Z' : 'M1 0L10 5L1 10Z'} />
          </svg>
          {playing ? 'Pause' : 'Play'}
        </button>
        <button type="button" id="step" disabled={idle} onClick={() => store.advance()} title="Right arrow">
          Step
        </button>
        <button
          type="button"
          id="step-saliency"
          class="saliency"
          disabled={!live}
          onClick={() => store.send({ kind: 'step', follow: 'saliency' })}
        >
          Step saliency alone
        </button>
        <button
          type="button"
          id="step-diagnosis"
          class="diagnosis"
          disabled={!live}
          onClick={() => store.send({ kind: 'step', follow: 'diagnosis' })}
        >
          Step diagnosis alone
        </button>
        <button type="button" id="reset" disabled={idle} onClick={() => store.reset()} title="R">
          Reset
        </button>
        <span class="counter" id="counter">
          step <b>{shown}</b> · epoch <b>{Math.ceil(shown / state.stepsPerEpoch)}</b>
        </span>
        {adapter && (
          <span class={adapter.software ? 'badge soft' : 'badge'} id="adapter" title={adapter.name}>
            {adapter.software ? 'software adapter: small pictures' : `GPU: ${adapter.name}`}
          </span>
        )}
        {mode === 'recorded' && <span class="badge soft">recorded run</span>}
      </div>
      <div class="timeline">
        <label for="timeline">Timeline</label>
        <input
          id="timeline"
          type="range"
          min="0"
          max={Math.max(1, step)}
          value={shown}
          disabled={idle}
          aria-valuetext={`step ${shown}`}
          onInput={(e) => {
            if (live && playing) store.toggle();
            store.change({ shown: Number(e.currentTarget.value) });
          }}
        />
        <button
          type="button"
          id="return"
          disabled={!live || state.shown === null}
          onClick={() => store.send({ kind: 'return', step: shown })}
        >
          Go on from here
        </button>
      </div>
      <div class="controls shared">
        <label>
          Training films <output>{settings.train}</output>
          <input
            type="range"
            id="train"
            min={TRAIN[0]}
            max={TRAIN[1]}
            step="6"
            value={settings.train}
            disabled={!live}
            onChange={(e) => store.reset({ ...settings, train: Number(e.currentTarget.value) })}
          />
        </label>
        <label>
          Dropout <output>{settings.dropout}</output>
          <input
            type="range"
            id="dropout"
            min="0"
            max="0.75"
            step="0.25"
            value={settings.dropout}
            disabled={!live}
            onChange={(e) => store.reset({ ...settings, dropout: Number(e.currentTarget.value) })}
          />
        </label>
        <label>
          Seed
          <input
            type="number"
            id="seed"
            min={SEEDS[0]}
            max={SEEDS[1]}
            value={settings.seed}
            disabled={!live}
            onChange={(e) => {
              // Also when it is the same again: the field may say something else.
              const seed = whole(e.currentTarget.value, SEEDS);
              e.currentTarget.value = `${seed}`;
              store.reset({ ...settings, seed });
            }}
          />
        </label>
        <label>
          Speed
          <select
            id="speed"
            value={speed}
            disabled={!live}
            onChange={(e) => {
              const chosen = e.currentTarget.value as keyof typeof SPEEDS;
              setSpeed(chosen);
              store.send({ kind: 'speed', pauseMs: SPEEDS[chosen] });
            }}
          >
            <option value="full">full</option>
            <option value="medium">medium</option>
            <option value="slow">slow</option>
          </select>
        </label>
        <label class="wide">
          Pictures
          <select
            id="size"
            value={settings.size}
            disabled={!live}
            onChange={(e) => store.reset({ ...settings, size: e.currentTarget.value as Size })}
          >
            <option value="small">small: 48 × 32, base 4</option>
            <option value="large">large: 96 × 64, base 8</option>
          </select>
        </label>
        <label>
          Colours
          <select id="colours" value={colours} onChange={(e) => setColours(e.currentTarget.value as MapName)}>
            {Object.keys(MAPS).map((name) => (
              <option key={name} value={name}>
                {name === 'jet' ? 'jet (as in the paper)' : name}
              </option>
            ))}
          </select>
        </label>
      </div>
      <div class="runs">
        <Later>
          <RunView store={store} state={state} run={0} colours={colours} />
        </Later>
        <Later>
          <RunView store={store} state={state} run={1} colours={colours} />
        </Later>
      </div>
      <div class="buttons files">
        <span class="quiet">Save as</span>
        <button type="button" onClick={() => exportPng(store, colours)}>
          PNG
        </button>
        <button type="button" onClick={() => exportCsv(state)}>
          CSV
        </button>
        <button type="button" onClick={() => exportJson(state)}>
          JSON
        </button>
        <label class="file">
          Your own image
          <input
            type="file"
            accept="image/*"
            disabled={!live}
            onChange={async (e) => {
              const file = taken(e.currentTarget);
              if (!file) return;
              const film = await ownFilm(file, state).catch((problem: Error) =>
                store.change({ failure: { failure: 'picture', message: problem.message } }),
              );
              if (film) store.send({ kind: 'film', film });
            }}
          />
        </label>
        <label class="file">
          Weights trained in Node
          <input
            type="file"
            accept=".safetensors,.pt,.pth"
            disabled={!live}
            onChange={async (e) => {
              const file = taken(e.currentTarget);
              if (file) store.send({ kind: 'weights', bytes: await file.arrayBuffer() });
            }}
          />
        </label>
        <span class="quiet" id="note">
          {state.note || 'Nothing leaves this machine.'}
        </span>
      </div>
      <p class="hidden" aria-live="polite" id="summary">
        {playing ? '' : summary(state, step)}
      </p>
    </section>
  );
}

/** The chosen file; the field forgets it, so that the same file may be chosen again. */
function taken(field: HTMLInputElement): File | undefined {
  const file = field.files?.[0];
  field.value = '';
  return file;
}

/** For screen readers, whenever the runs pause. */
function summary({ epochs, note }: State, step: number): string {
  const tell = (run: 0 | 1) => {
    const last = epochs[run].at(-1);
    const part = (name: string, value: number | null | undefined) =>
      value == null ? '' : `${name} ${value.toPrecision(3)}`;
    return last
      ? `run ${'AB'[run]}: ${[part('validation saliency loss', last.valid.saliency), part('validation diagnosis loss', last.valid.diagnosis)].filter(Boolean).join(', ')}`
      : '';
  };
  return [`Step ${step}.`, note, tell(0), tell(1)].filter(Boolean).join(' ');
}

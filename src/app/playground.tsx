/** The bench: what both runs share, the clock, the timeline, and the runs side by side. */
import { exportCsv, exportJson, exportPng, ownFilm } from './files.ts';
import { Later, useStore } from './later.tsx';
import { RunView } from './run-view.tsx';
import { Shared } from './shared.tsx';
import type { State, Store } from './store.ts';

export const Playground = ({ store }: { store: Store }) => (
  <section id="bench" aria-label="Live training">
    <Clock store={store} />
    <Later>
      <Shared store={store} />
    </Later>
    <div class="runs">
      <RunView store={store} run={0} />
      <RunView store={store} run={1} />
    </div>
    <Later>
      <Files store={store} />
    </Later>
    <Summary store={store} />
  </section>
);

/** Not a part that may be out of sight: its toolbar stays at the top of the window. */
function Clock({ store }: { store: Store }) {
  const state = useStore(store);
  const { playing, adapter, mode } = state;
  const live = mode === 'live';
  const idle = mode === 'starting';
  const step = store.step;
  const shown = state.shown ?? step;
  return (
    <>
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
    </>
  );
}

function Files({ store }: { store: Store }) {
  const state = useStore(store);
  const live = state.mode === 'live';
  return (
    <div class="buttons files">
      <span class="quiet">Save as</span>
      <button type="button" onClick={() => exportPng(store)}>
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
            if (!file) return;
            const bytes = await file.arrayBuffer();
            store.send({ kind: 'weights', bytes }, [bytes]);
          }}
        />
      </label>
      <span class="quiet" id="note">
        {state.note || 'Nothing leaves this machine.'}
      </span>
    </div>
  );
}

function Summary({ store }: { store: Store }) {
  const state = useStore(store);
  return (
    <p class="hidden" aria-live="polite" id="summary">
      {state.playing ? '' : summary(state, store.step)}
    </p>
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

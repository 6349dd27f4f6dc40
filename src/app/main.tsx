/** The page. */
import { render } from 'preact';
import { useEffect } from 'preact/hooks';
import { Circle } from './circle.tsx';
import { Explorer } from './explorer.tsx';
import { FailureNotice } from './failures.tsx';
import { Inside } from './inside-view.tsx';
import { Later } from './later.tsx';
import { Lessons } from './lessons.tsx';
import { OwnFilms } from './own-films.tsx';
import { Playground } from './playground.tsx';
import { playRecorded } from './recorded.ts';
import { Store, useStore } from './store.ts';
import { fromHash, toHash } from './url.ts';

const store = new Store(fromHash(location.hash));

/** They know nothing of the runs: the same elements each time, so that a step does not draw them again. */
const EXPLORER = (
  <Later>
    <Explorer />
  </Later>
);
const OWN_FILMS = (
  <Later>
    <OwnFilms />
  </Later>
);

/** What does something of its own with the keys. */
const TAKES_KEYS = 'input, select, textarea, button, summary, a, [role=button], [role=region]';

function App() {
  const state = useStore(store);
  useEffect(() => {
    const hash = toHash(state.settings);
    if (state.mode === 'live' && location.hash !== hash) history.replaceState(null, '', hash);
  }, [state.settings, state.mode]);
  return (
    <>
      <a class="skip" href="#bench">
        Skip to the experiment
      </a>
      <header class="hero">
        <p class="kicker">Multi-task learning you can touch</p>
        <h1>Two tasks, one network</h1>
        <p class="lead">
          A radiologist looks at a chest film and says what is wrong. One small network here learns both:{' '}
          <b class="saliency">where to look</b> and <b class="diagnosis">what it is</b>. Two losses pull at the same
          weights. How much should each count, and who decides? Press play: two networks start from the same seed, and
          only the rule that weighs the losses differs.
        </p>
        <nav aria-label="Sections">
          <a href="#bench">Experiment</a>
          <a href="#circle">Vicious circle</a>
          <a href="#explorer">Equilibrium</a>
          <a href="#lessons">Lessons</a>
          <a href="#inside">Look inside</a>
          <a href="#films">Your films</a>
        </nav>
      </header>
      <main>
        <FailureNotice store={store} state={state} />
        <Playground store={store} state={state} />
        <Later>
          <Circle store={store} state={state} />
        </Later>
        {EXPLORER}
        <Later>
          <Lessons store={store} state={state} />
        </Later>
        <Later>
          <Inside store={store} state={state} />
        </Later>
        {OWN_FILMS}
      </main>
      <footer>
        <p>
          The films are synthetic, drawn from a seed: no patient is in this page. The network, MT-UNet, and the schemes
          are those of Zhu, Rohling and Salcudean, “Multi-task UNet: Jointly Boosting Saliency Prediction and Disease
          Classification on Chest X-ray Images”, MIDL 2022. It trains in your browser on WebGPU, by the very code that
          trains it under Node. Keys: space plays and pauses, right arrow takes a step, R resets.
        </p>
      </footer>
    </>
  );
}

addEventListener('keydown', (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
  const { target } = event;
  if (target instanceof Element && target.closest(TAKES_KEYS)) return;
  if (store.state.mode === 'starting') return;
  if (event.key === ' ') store.toggle();
  else if (event.key === 'ArrowRight') store.advance();
  else if (event.key.toLowerCase() === 'r') store.reset();
  else return;
  event.preventDefault();
});
document.addEventListener('visibilitychange', () => {
  if (document.hidden && store.state.playing) store.toggle();
});
addEventListener('hashchange', () => {
  const { mode, settings } = store.state;
  if (mode !== 'live') return;
  if (location.hash.includes('=')) store.reset(fromHash(location.hash));
  // The link to a section has done its work; the address says again what is set.
  else history.replaceState(null, '', toHash(settings));
});

// The worker first: it finds its adapter while the page is drawn.
const asked = new URLSearchParams(location.hash.slice(1)).get('size');
store.start(
  new Worker(new URL('./live/worker.ts', import.meta.url), { type: 'module' }),
  asked ? store.state.settings.size : null,
);
playRecorded(store);
// In a task of its own, after the one that compiled the scripts.
setTimeout(() => {
  render(<App />, document.getElementById('app')!.appendChild(document.createElement('div')));
  document.querySelector('#app > .wait')?.remove();
});

// What is kept for later need not be fetched while the page appears.
if (import.meta.env.OFFLINE && 'serviceWorker' in navigator && isSecureContext) {
  addEventListener('load', () => setTimeout(keepOffline, 2000));
}
function keepOffline() {
  navigator.serviceWorker.register(new URL('./sw.js', location.href), { scope: './' }).catch(() => undefined);
}

/** The page. */
import { render } from 'preact';
import { Circle } from './circle.tsx';
import { Explorer } from './explorer.tsx';
import { FailureNotice } from './failures.tsx';
import { Inside } from './inside-view.tsx';
import { Later } from './later.tsx';
import { Lessons } from './lessons.tsx';
import { Machine } from './machine.tsx';
import { OwnFilms } from './own-films.tsx';
import { Playground } from './playground.tsx';
import { playRecorded } from './recorded.ts';
import { Store } from './store.ts';
import { inTurn } from './turns.ts';
import { fromHash, toHash } from './url.ts';

const store = new Store(fromHash(location.hash));

/** What does something of its own with the keys. */
const TAKES_KEYS = 'input, select, textarea, button, summary, a, [role=button], [role=region]';

const App = () => (
  <>
    <FailureNotice store={store} />
    <Playground store={store} />
    <Later>
      <Circle store={store} />
    </Later>
    <Later>
      <Explorer />
    </Later>
    <Later>
      <Lessons store={store} />
    </Later>
    <Later>
      <Inside store={store} />
    </Later>
    <Later>
      <OwnFilms />
    </Later>
    <Later>
      <Machine store={store} />
    </Later>
  </>
);

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
inTurn(() => {
  const page = document.getElementById('app')!;
  page.replaceChildren();
  render(<App />, page);
});

let told = store.state.settings;
store.subscribe(() => {
  const { settings, mode } = store.state;
  if (mode !== 'live' || settings === told) return;
  told = settings;
  inTurn(() => history.replaceState(null, '', toHash(store.state.settings)));
});

// What is kept for later need not be fetched while the page appears.
if (import.meta.env.OFFLINE && 'serviceWorker' in navigator && isSecureContext) {
  addEventListener('load', () => setTimeout(keepOffline, 2000));
}
function keepOffline() {
  navigator.serviceWorker.register(new URL('./sw.js', location.href), { scope: './' }).catch(() => undefined);
}

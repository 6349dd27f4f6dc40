/** The vicious circle: four boxes that light up as its links hold in run A, a button that provokes it and one that breaks it. */
import { Equation } from './equation.tsx';
import { useStore } from './later.tsx';
import { type Links, links, untilShown } from './links.ts';
import { PROVOKED } from './live/settings.ts';
import type { State, Store } from './store.ts';

export function Circle({ store }: { store: Store }) {
  const state = useStore(store);
  const known = untilShown(state);
  const held = links(known);
  const { task } = held;
  const row = known.rows[0].at(-1);
  const epoch = known.epochs[0].at(-1);
  const number = (value: number | null | undefined, digits = 2) => (value == null ? '–' : value.toPrecision(digits));
  const provoke = () => {
    store.reset({ ...PROVOKED, size: state.settings.size });
    store.send({ kind: 'play' });
  };
  const boxes = [
    { on: held.loss, x: 160, y: 12, title: 'training loss falls', value: `${task} ${number(epoch?.train[task])}` },
    {
      on: held.sigma,
      x: 310,
      y: 112,
      title: 'sigma falls after it',
      value: `σ = ${number(row?.sigma[task], 3)}`,
    },
    {
      on: held.weight,
      x: 160,
      y: 212,
      title: 'the weight grows',
      value: `1/σ² = ${number(row?.weight[task], 3)}`,
    },
    { on: held.gap, x: 10, y: 112, title: 'the task overfits', value: `validation ${number(epoch?.valid[task])}` },
  ];
  return (
    <section id="circle" aria-labelledby="circle-title">
      <h2 id="circle-title">The vicious circle: cause it, then break it</h2>
      <div class="split">
        <svg
          class="circle"
          viewBox="0 0 470 280"
          role="img"
          aria-label={`Vicious circle in run A: ${boxes.map(({ title, value, on }) => `${title}, ${value}, ${on ? 'holds' : 'does not hold'}`).join('; ')}`}
        >
          {['M312 46Q390 54 390 106', 'M390 172Q390 236 318 244', 'M158 244Q80 236 80 176', 'M80 110Q80 54 154 46'].map(
            (d, i) => (
              <path
                key={d}
                class={boxes[i].on ? 'arrow on' : 'arrow'}
                d={d}
                marker-end={boxes[i].on ? 'url(#head-on)' : 'url(#head)'}
              />
            ),
          )}
          <defs>
            {['head', 'head-on'].map((id) => (
              <marker
                key={id}
                id={id}
                viewBox="0 0 8 8"
                refX="5"
                refY="4"
                markerWidth="7"
                markerHeight="7"
                orient="auto"
              >
                <path class={id} d="M0 0L8 4L0 8Z" />
              </marker>
            ))}
          </defs>
          {boxes.map(({ on, x, y, title, value }) => (
            <g key={title} class={on ? 'box on' : 'box'} transform={`translate(${x} ${y})`}>
              <rect width="150" height="58" rx="10" />
              <text class="what" x="75" y="24" text-anchor="middle">
                {title}
              </text>
              <text class="much" x="75" y="45" text-anchor="middle">
                {value}
              </text>
            </g>
          ))}
          <text class={held.closed ? 'verdict on' : 'verdict'} x="235" y="146" text-anchor="middle">
            {held.closed ? 'the circle is closed' : 'open'}
          </text>
        </svg>
        <div>
          <p>Under MTLS1 every loss has a scale of its own, and the scale is learnt with the network:</p>
          <Equation of="mtls1" />
          <p>
            Give the network a handful of films and it will learn them by heart. A training loss falls, its σ follows it
            down, and the loss that needs least help now counts most. Nothing in the formula knows about validation
            films.
          </p>
          <div class="buttons">
            <button type="button" class="danger" onClick={provoke} disabled={state.mode !== 'live'}>
              Provoke the circle
            </button>
            <button
              type="button"
              class="primary"
              onClick={() => store.send({ kind: 'break', run: 0 })}
              disabled={state.mode !== 'live' || !epoch}
            >
              Break it in run A
            </button>
          </div>
          <p class="finding" aria-live="polite">
            {state.note.startsWith('Broken') ? state.note : story(held, { ...state, ...known })}
          </p>
        </div>
      </div>
      <details class="more">
        <summary>What is right about the circle, and what is too simple</summary>
        <ul>
          <li>
            σ follows the <em>level</em> of its loss. It falls whenever the loss falls, also while the network still
            learns something useful; only the fourth box tells that it does harm.
          </li>
          <li>
            σ must be quick enough to follow. At the rate of the weights it lags behind its loss, and the circle hardly
            shows; the button lets the sigmas learn ten times faster. Set that back to the same rate and compare.
          </li>
          <li>
            Overfitting needs no σ: run B, whose sigmas stand still, learns the films by heart as well. What the circle
            adds is a rate that rises while the loss falls, and with it a training that becomes unsteady.
          </li>
          <li>
            r / σ² is the effective rate under plain gradient descent, for parameters that see one loss only. Adam
            divides a constant factor out again, so in the shared part of the network what counts is the <em>ratio</em>{' '}
            of the two weights. Choose sgd and compare.
          </li>
          <li>The circle limits itself: near zero the gradient of the cross-entropy shrinks faster than 1/σ² grows.</li>
          <li>
            A validation loss that is divided by σ² rises when σ falls, even if the network stands still. The charts
            therefore show raw losses; the weighted ones have a chart of their own.
          </li>
          <li>
            Breaking it means: go back to the best epoch, cut the rate to a tenth (the paper's remedy), and hold both
            sigmas at 1 (ours, so that nothing can feed back).
          </li>
        </ul>
      </details>
    </section>
  );
}

function story(held: Links, { epochs, settings }: State): string {
  const [a, b] = [epochs[0].at(-1), epochs[1].at(-1)];
  if (!a || !b)
    return 'Nothing has happened yet. Provoke it: 12 films, no dropout, MTLS1 with quick sigmas in run A against a plain sum in run B.';
  if (held.closed) {
    const { task } = held;
    const gapOf = ({ valid, train }: typeof a) => ((valid[task] ?? 0) - (train[task] ?? 0)).toPrecision(2);
    return `Closed. The ${task} of run A is ${gapOf(a)} nats worse on validation films than on its ${settings.train} training films (run B: ${gapOf(b)}), and its weight still grows.`;
  }
  return held.gap
    ? 'The gap is there, but a link is missing: sigma is not pulling the weight up.'
    : 'Open so far: the validation loss has not left its best value behind.';
}

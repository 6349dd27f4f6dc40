/** The equilibrium of sigma as something to drag (Appendix A). Needs no WebGPU. */
import { useState } from 'preact/hooks';
import { equilibrium, regularizedLoss, releasedEquilibrium } from '../mtunet/equilibrium.ts';
import { Chart, type Point } from './chart.tsx';
import { Equation } from './equation.tsx';
import { Later } from './later.tsx';

const LOSSES = [0.001, 20] as const;
const grid = (low: number, high: number, count = 160) =>
  Array.from({ length: count }, (_, i) => low + ((high - low) * i) / (count - 1));

export function Explorer() {
  const [position, setPosition] = useState(0.5);
  const [released, setReleased] = useState(false);
  const [axis, setAxis] = useState<'sigma' | 'log'>('sigma');
  const [rate, setRate] = useState(0.005);
  const L = LOSSES[0] * (LOSSES[1] / LOSSES[0]) ** position;
  const rest = released ? releasedEquilibrium(L) : equilibrium(L);
  const scale = (sigma: number) => (axis === 'log' ? Math.log(sigma) : sigma);
  const factor = released ? 0.5 : 1;
  const value = (sigma: number) => regularizedLoss(factor * L, sigma);
  const lowest = value(rest.sigma);
  const [low, high] =
    axis === 'log' ? [Math.log(rest.sigma) - 2, Math.log(rest.sigma) + 3] : [rest.sigma * 0.25, rest.sigma * 4];
  const curve = grid(low, high).map((at): Point => [at, value(axis === 'log' ? Math.exp(at) : at)]);
  const restAt = (loss: number) => (released ? releasedEquilibrium(loss) : equilibrium(loss));
  const top = Math.max(2, L * 1.5);
  const inverse = grid(0, top).map((loss): Point => [loss, restAt(loss).sigma]);
  const rates = grid(top / 200, top).map((loss): Point => [loss, rate * restAt(loss).weight]);
  const rateTop = rate * Math.max(4, rest.weight * 1.4);
  return (
    <section id="explorer" aria-labelledby="explorer-title">
      <h2 id="explorer-title">Where does a sigma come to rest?</h2>
      <p>
        Freeze the network for a moment, so that its loss <i>L</i> stands still. The scale σ still moves: the first term
        pushes it up, the logarithm pulls it down, and it rests where the two balance. Drag <i>L</i> and watch the
        resting place follow. A smaller loss means a smaller σ, and a smaller σ means a <em>larger</em> step for the
        network.
      </p>
      <div class="equations">
        <Equation of="regularized" />
        <Equation of="slope" />
        <Equation of="equilibrium" />
        <Equation of="rate" />
      </div>
      <div class="controls">
        <label class="wide">
          Loss L <output>{L.toPrecision(3)} nats</output>
          <input
            type="range"
            min="0"
            max="1"
            step="0.001"
            value={position}
            id="explorer-loss"
            aria-valuetext={`${L.toPrecision(3)} nats`}
            onInput={(e) => setPosition(Number(e.currentTarget.value))}
          />
        </label>
        <label>
          Learning rate r <output>{rate.toPrecision(2)}</output>
          <input
            type="range"
            min="-4"
            max="-1"
            step="0.05"
            value={Math.log10(rate)}
            aria-valuetext={rate.toPrecision(2)}
            onInput={(e) => setRate(10 ** Number(e.currentTarget.value))}
          />
        </label>
        <label>
          Horizontal axis
          <select value={axis} onChange={(e) => setAxis(e.currentTarget.value as 'sigma' | 'log')}>
            <option value="sigma">σ itself</option>
            <option value="log">ln σ, as trained</option>
          </select>
        </label>
        <label>
          Rule
          <select
            value={released ? 'released' : 'paper'}
            onChange={(e) => setReleased(e.currentTarget.value === 'released')}
          >
            <option value="paper">paper: L / σ² + ln(σ+1)</option>
            <option value="released">released code: L / 2σ² + ln(σ+1)</option>
          </select>
        </label>
      </div>
      <Later>
        <div class="charts three">
          <Chart
            title="1. The regularised loss"
            x={axis === 'log' ? 'ln σ' : 'σ'}
            y="ℓ(σ)"
            series={[{ name: 'ℓ', look: 'curve', points: curve }]}
            xRange={[low, high]}
            yRange={[lowest * 0.8, lowest * 2.4]}
            dots={[{ at: [scale(rest.sigma), lowest], look: 'diagnosis', label: `σ̂ = ${rest.sigma.toPrecision(3)}` }]}
          />
          <Chart
            title="2. The resting place"
            x="L (nats)"
            y="σ̂, the inverse of f"
            series={[{ name: 'σ̂', look: 'curve', points: inverse }]}
            xRange={[0, top]}
            yRange={[0, restAt(top).sigma * 1.05]}
            dots={[{ at: [L, rest.sigma], look: 'diagnosis' }]}
          />
          <Chart
            title="3. The effective rate"
            x="L (nats)"
            y="r / σ̂²"
            series={[{ name: 'effective rate', look: 'curve', points: rates }]}
            xRange={[0, top]}
            yRange={[0, rateTop]}
            dots={[{ at: [L, rate * rest.weight], look: 'diagnosis' }]}
          />
        </div>
      </Later>
      <p class="finding" id="explorer-finding" aria-live="polite">
        At L = {L.toPrecision(3)} the scale rests at σ̂ = <b>{rest.sigma.toPrecision(4)}</b>, so this loss is multiplied
        by <b>{rest.weight.toPrecision(4)}</b> and the task learns as if the rate were{' '}
        <b>{(rate * rest.weight).toPrecision(3)}</b>.
      </p>
      <details class="more">
        <summary>Three things that the algebra says, and a picture may hide</summary>
        <ul>
          <li>
            There is exactly one resting place for every L &gt; 0, because f rises everywhere. In σ the curve is not
            convex: far to the right it bends the other way. In ln σ it is convex everywhere.
          </li>
          <li>
            For small losses the paper's weight grows like (2L)<sup>−2/3</sup>, for large ones like 1/(2L). It has no
            limit as L goes to 0: the circle feeds itself, but gently, since the gradient of the loss shrinks faster.
          </li>
          <li>
            σ does not jump to its resting place. Adam moves ln σ by about one learning rate a step, so in real training
            σ lags behind its loss. Look for the lag in the runs above.
          </li>
        </ul>
      </details>
    </section>
  );
}

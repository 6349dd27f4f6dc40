/** The network as it ran: one block an operation, with its shape, its maps, its shader and its time. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { Diagram } from './diagram.tsx';
import { useStore } from './later.tsx';
import type { Operation } from './live/protocol.ts';
import { SIZES } from './live/settings.ts';
import { thousands } from './numbers.ts';
import { paint } from './pictures.ts';
import type { Store } from './store.ts';

const CHECKED = ['softplus', 'conv2d 3 x 3', 'cross-entropy'] as const;

export function Inside({ store }: { store: Store }) {
  const state = useStore(store);
  const [chosen, setChosen] = useState(0);
  const [check, setCheck] = useState<string>(CHECKED[0]);
  const { operations, gradient, mode, stages, settings } = state;
  const parameters = stages.reduce((total, stage) => total + stage.parameters, 0);
  const live = mode === 'live';
  const operation = operations?.[Math.min(chosen, operations.length - 1)];
  const list = useRef<HTMLOListElement>(null);
  useEffect(() => {
    // Of the list alone: the page stays where it is.
    const [box, one] = [list.current, list.current?.children[chosen] as HTMLElement | undefined];
    if (!box || !one) return;
    const [from, to] = [box.getBoundingClientRect(), one.getBoundingClientRect()];
    if (to.top < from.top || to.bottom > from.bottom) box.scrollTop += to.top - from.top;
  }, [chosen]);
  const slowest = operations?.reduce((top, one) => Math.max(top, timeOf(one)), 0) ?? 1;
  return (
    <section id="inside" aria-labelledby="inside-title">
      <h2 id="inside-title">Look inside</h2>
      <p>
        MT-UNet squeezes the film four times by two, then widens it again; at every level the decoder also sees what the
        encoder saw there. The diagnosis reads the bottleneck and the top of the decoder, the saliency the top alone.{' '}
        {parameters > 0 && `Here it has ${thousands(parameters)} parameters.`}
      </p>
      <div class="wider" tabIndex={0} role="region" aria-label="Diagram of the network">
        <Diagram
          size={{
            base: SIZES[settings.size].base,
            height: state.height,
            width: state.width,
            classes: state.classNames.length,
          }}
          stages={stages}
          chosen={operation?.layer || null}
          onChoose={operations && ((parts) => setChosen(lastOf(operations, parts) ?? chosen))}
        />
      </div>
      <div class="buttons">
        {(['A', 'B'] as const).map((name, run) => (
          <button
            type="button"
            key={name}
            id={`inspect-${name}`}
            disabled={!live}
            onClick={() => store.send({ kind: 'inspect', run: run as 0 | 1, film: 1 })}
          >
            Send a film through {name}
          </button>
        ))}
        {!live && <span class="quiet">This part needs WebGPU.</span>}
      </div>
      {operations && operation && (
        <div class="inside">
          <ol class="operations" ref={list}>
            {operations.map((one) => (
              <li key={one.index}>
                <button type="button" aria-pressed={one.index === chosen} onClick={() => setChosen(one.index)}>
                  <b>
                    {one.name}
                    {one.layer && <small> {one.layer}</small>}
                  </b>
                  <span>{one.shape.join(' × ')}</span>
                  <svg viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">
                    <rect class="fill" width={(100 * timeOf(one)) / slowest} height="4" />
                  </svg>
                  <span>{timeOf(one).toFixed(2)} ms</span>
                </button>
              </li>
            ))}
          </ol>
          <div class="detail">
            <h3>
              {operation.name}: {operation.shape.join(' × ')} (channels, rows, columns)
            </h3>
            {operation.layer && (
              <p class="quiet">
                Layer {operation.layer}
                {operation.parameters > 0 && `, ${thousands(operation.parameters)} parameters`}.
              </p>
            )}
            <Maps operation={operation} />
            {operation.kernels.map(({ name, code, ms }, i) => (
              <details key={`${name}${i}`}>
                <summary>
                  {name}: {ms.toFixed(3)} ms, WGSL
                </summary>
                <pre tabIndex={0} role="region" aria-label={`WGSL of ${name}`}>
                  {code}
                </pre>
              </details>
            ))}
          </div>
        </div>
      )}
      <h3>Is the gradient right?</h3>
      <p>
        The backward pass gives a slope by calculus. Two forward passes, a little to either side, give it by
        measurement. They must agree to about three digits in float32.
      </p>
      <div class="controls pair-of-controls">
        <label>
          Operation
          <select value={check} onChange={(e) => setCheck(e.currentTarget.value)}>
            {CHECKED.map((name) => (
              <option key={name} value={name}>
                {name}
              </option>
            ))}
          </select>
        </label>
        <button
          type="button"
          id="gradient-check"
          disabled={!live}
          onClick={() => store.send({ kind: 'gradient', operation: check })}
        >
          Check it now
        </button>
      </div>
      <p class="finding" id="gradient" aria-live="polite">
        {gradient
          ? `${gradient.operation}: backward pass ${gradient.analytic.toPrecision(6)}, finite difference ${gradient.numeric.toPrecision(6)} (h = ${gradient.step}).`
          : 'Not checked yet.'}
      </p>
      <details class="more">
        <summary>What if the GPU goes away?</summary>
        <p>
          A driver reset takes every number on the GPU with it. Snapshots live in ordinary memory, so the runs can come
          back. Try it.
        </p>
        <button type="button" id="lose" class="danger" disabled={!live} onClick={() => store.send({ kind: 'lose' })}>
          Lose the device
        </button>
      </details>
    </section>
  );
}

/** Where a part of the network has come to its result. */
const lastOf = (operations: readonly Operation[], parts: readonly string[]) =>
  operations.findLast(({ layer }) => parts.includes(layer.split('.')[0]))?.index;

const timeOf = ({ kernels }: Operation) => kernels.reduce((total, { ms }) => total + ms, 0);

function Maps({ operation }: { operation: Operation }) {
  const [, rows, columns] = operation.shape;
  const area = rows * columns;
  const count = Math.floor(operation.maps.length / area);
  if (area === 1) return <p class="quiet">{Array.from(operation.maps, (value) => value.toPrecision(3)).join('  ')}</p>;
  return (
    <div class="maps">
      {Array.from({ length: count }, (_, i) => (
        <FeatureMap
          key={i}
          values={operation.maps.subarray(i * area, (i + 1) * area)}
          rows={rows}
          columns={columns}
          label={`channel ${i + 1}`}
        />
      ))}
    </div>
  );
}

function FeatureMap({
  values,
  rows,
  columns,
  label,
}: {
  values: Float32Array;
  rows: number;
  columns: number;
  label: string;
}) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const what = { image: values, map: values, height: rows, width: columns, colours: 'viridis', opacity: 1 } as const;
    return paint(canvas.current, what);
  }, [values, rows, columns]);
  return <canvas ref={canvas} width={columns} height={rows} role="img" aria-label={label} />;
}

/** Check this machine: whether its adapter computes what it should, and how fast, with a report to keep or to attach. */
import { useRef, useState } from 'preact/hooks';
import type { MachineReport } from '../doctor/report.ts';
import type { FromDoctor, ToDoctor } from './doctor-worker.ts';
import { exportReport } from './files.ts';
import type { Store } from './store.ts';

/** About a minute, as `mtunet doctor`. */
const SECONDS = 60;

export function Machine({ store }: { store: Store }) {
  const [running, setRunning] = useState<{ share: number; what: string } | null>(null);
  const [report, setReport] = useState<MachineReport | null>(null);
  const [problem, setProblem] = useState('');
  const worker = useRef<Worker | null>(null);
  const end = () => {
    worker.current?.terminate();
    worker.current = null;
    setRunning(null);
  };
  const begin = () => {
    // Both would share one adapter, and slow each other down.
    if (store.state.playing) store.toggle();
    setReport(null);
    setProblem('');
    setRunning({ share: 0, what: 'opening a device' });
    const started = new Worker(new URL('./doctor-worker.ts', import.meta.url), { type: 'module' });
    worker.current = started;
    started.onmessage = ({ data }: MessageEvent<FromDoctor>) => {
      if (data.kind === 'progress') return setRunning(data);
      if (data.kind === 'report') setReport(data.report);
      else setProblem(data.message);
      end();
    };
    started.onerror = ({ message }) => {
      setProblem(message || 'The check did not start; reload the page.');
      end();
    };
    started.postMessage({ seconds: SECONDS } satisfies ToDoctor);
  };
  return (
    <section id="machine">
      <h2>Check this machine</h2>
      <p>
        Every operation on this browser's adapter against float64, forward and backward, then speeds. It takes about a
        minute, and nothing leaves this machine.
      </p>
      <div class="drop">
        <button type="button" id="check" onClick={running ? end : begin}>
          {running ? 'Stop' : 'Check this machine'}
        </button>
        {running && (
          <label>
            <progress max="1" value={running.share} /> {running.what}
          </label>
        )}
        {report && (
          <button type="button" onClick={() => exportReport(report)}>
            Save the report
          </button>
        )}
      </div>
      <div aria-live="polite">
        {problem && <p class="quiet">The check could not be run: {problem}</p>}
        {report && <Result report={report} />}
      </div>
    </section>
  );
}

function Result({ report: { verdict, summary, operations, speed } }: { report: MachineReport }) {
  const failed = operations.filter(({ passed }) => !passed);
  return (
    <div id="verdict" data-verdict={verdict} class={verdict === 'faulty' ? 'failure' : undefined}>
      <p>{summary}</p>
      {failed.length > 0 && (
        <ul>
          {failed.map(({ name, largest_error, problem, where }) => (
            <li key={name}>
              {name}:{' '}
              {[largest_error !== null && `${largest_error.toPrecision(2)} times the tolerance`, where, problem]
                .filter(Boolean)
                .join('; ')}
            </li>
          ))}
        </ul>
      )}
      <table>
        <caption>Speed: the median of the runs, and their extremes</caption>
        <tbody>
          {speed.map(({ name, value, unit, lowest, highest }) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td>
                {value} {unit}
              </td>
              <td>
                {lowest} to {highest}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

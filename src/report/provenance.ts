/**
 * Where the numbers come from: program, machine, data, seed and configuration, enough to run everything again.
 */
import { type Child, html, join, type Markup } from './html.ts';
import type { RunRecords } from './input.ts';
import { count, duration } from './numbers.ts';

const FACTS: readonly { readonly name: string; readonly of: (run: RunRecords) => string }[] = [
  { name: 'commit', of: ({ provenance }) => provenance.commit ?? 'unknown' },
  { name: 'package', of: ({ provenance }) => provenance.package },
  { name: 'runtime', of: ({ provenance }) => provenance.runtime },
  { name: 'platform', of: ({ provenance }) => provenance.platform },
  {
    name: 'adapter',
    of: ({ provenance: { adapter } }) =>
      `${adapter.name}, ${adapter.backend}${adapter.software ? ', in software on the processor' : ''}`,
  },
  { name: 'driver', of: ({ provenance }) => provenance.adapter.driver },
  {
    name: 'data',
    of: ({ provenance: { data } }) =>
      `${data.name}; ${data.train} + ${data.valid} + ${data.test} films; hash ${data.hash}`,
  },
  { name: 'seed', of: ({ seed }) => String(seed) },
  { name: 'configuration', of: ({ provenance: { config } }) => (config ? `SHA-256 ${config}` : 'no hash kept') },
  { name: 'started', of: ({ provenance }) => provenance.started },
  { name: 'wall time', of: ({ provenance }) => duration(provenance.wallSeconds) },
];

/** A word before every line, so that "unknown" is said of something. */
function facts(pairs: readonly (readonly [string, Child])[]): Markup {
  return html`<dl class="facts">${pairs.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;
}

function rerun({ rerun, seed, provenance: { commit } }: RunRecords): Child {
  if (rerun) return html`<p>To run it again:</p><pre><code>${rerun}</code></pre>`;
  const [program, changes] = (commit ?? '').split('+');
  const checkOut = program
    ? html`check out commit <code>${program}</code>, install the locked packages with <code>npm ci</code>`
    : 'take the version named above (its commit is unknown)';
  return html`<p>To run it again, ${checkOut} and train with the configuration below and seed ${seed}.${
    changes && ' The work tree had changes that the commit does not hold, so the numbers may differ.'
  }</p>`;
}

function runDetails(run: RunRecords, shared: ReadonlySet<string>): Markup {
  const own = FACTS.filter(({ name }) => !shared.has(name));
  const { epochs, steps, evaluation } = run;
  return html`
      <details>
        <summary><span class="run-name">${run.name}</span> <span class="source">${run.scheme}, seed ${run.seed}</span></summary>
        ${facts([
          ...own.map(({ name, of }) => [name, of(run)] as const),
          [
            'trained',
            `${count(epochs.length, 'epoch')}, ${count(steps.length, 'step')}; tested at epoch ${evaluation.epoch}`,
          ],
        ])}
        ${rerun(run)}
        <pre><code>${JSON.stringify(run.config, null, 2)}</code></pre>
      </details>`;
}

export function provenance(runs: readonly RunRecords[], generated: string): Markup {
  const shared = FACTS.filter(({ of }) => runs.every((run) => of(run) === of(runs[0])));
  return html`
    <section id="provenance" aria-labelledby="provenance-heading">
      <h2 id="provenance-heading">Where the numbers come from</h2>
      ${facts([
        ...shared.map(({ name, of }) => [name, of(runs[0])] as const),
        ['report', html`made <time datetime="${generated}">${generated}</time>`],
      ])}
      ${runs.map((run) => runDetails(run, new Set(shared.map(({ name }) => name))))}
      <p class="note">The numbers behind the tables are in <code>results.json</code>, the table itself in <code>results.md</code>, written with this page.</p>
    </section>`;
}

/** Everything that sets these numbers apart from others, in one line. */
export function provenanceLine(runs: readonly RunRecords[], generated: string): string {
  const values = (name: string) => {
    const { of } = FACTS.find((fact) => fact.name === name)!;
    return `${name} ${[...new Set(runs.map(of))].join(' / ')}`;
  };
  return join(
    [
      ...['commit', 'package', 'runtime', 'adapter', 'driver', 'data', 'seed', 'configuration'].map(values),
      `report ${generated}`,
    ],
    '; ',
  ).join('');
}

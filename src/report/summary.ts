/**
 * What the runs say in plain words: what was trained, on what, which scheme did best, and whether that beats not looking.
 */
import { html, type Markup } from './html.ts';
import type { RunRecords, Scheme } from './input.ts';
import * as metrics from './metrics.ts';
import { count, enumerate, fixed, inWords, isNumber } from './numbers.ts';

const unique = <T>(values: readonly T[]): T[] => [...new Set(values)];

/** Only a name that points to a clinical source is taken for one. */
export function isClinical(dataName: string): boolean {
  return (
    !/synthetic/i.test(dataName) && /mimic|physionet|reflacx|egd-cxr|eye[- ]?(gaze|tracking)|clinical/i.test(dataName)
  );
}

/** What the data can and cannot show. */
export function honestLimit(dataName: string): string {
  if (isClinical(dataName)) {
    return 'By its name the data set is clinical; whether its films were prepared as in the paper, this report cannot tell.';
  }
  return (
    'The films, diagnoses and gaze maps are synthetic, drawn by a program: the numbers show how the schemes differ and ' +
    'that the program learns, and say nothing about patients.'
  );
}

function tasks(runs: readonly RunRecords[]): string {
  const saliency = runs.some(({ evaluation }) => evaluation.saliency);
  const diagnosis = runs.some(({ evaluation }) => evaluation.classification);
  const names = [saliency && 'where a reader looks', diagnosis && 'what the diagnosis is'].filter(
    (name) => name !== false,
  );
  return names.length > 0 ? `to say of a chest film ${names.join(' and ')}` : 'without a measured task';
}

function training(schemes: readonly Scheme[]): string {
  const runs = schemes.flatMap((scheme) => scheme.runs);
  const labels = enumerate(schemes.map(({ label }) => label));
  const under = `under ${schemes.length === 1 ? 'the scheme' : `${inWords(schemes.length)} schemes,`} ${labels}`;
  const counts = unique(schemes.map((scheme) => scheme.runs.length));
  const seeds =
    counts.length > 1
      ? `with ${counts.sort((a, b) => a - b).join(' to ')} seeds`
      : `with ${inWords(counts[0])} ${counts[0] === 1 ? 'seed' : 'seeds'}${schemes.length > 1 ? ' each' : ''}`;
  const words = inWords(runs.length);
  return `${words[0].toUpperCase()}${words.slice(1)} ${runs.length === 1 ? 'network was' : 'networks were'} trained ${tasks(runs)}, ${under}, ${seeds}.`;
}

function data(runs: readonly RunRecords[]): string {
  const names = unique(runs.map(({ provenance }) => provenance.data.name));
  const hashes = unique(runs.map(({ provenance }) => provenance.data.hash));
  const { train, valid, test } = runs[0].provenance.data;
  const mixed = hashes.length > 1 ? ' The runs did not all see the same data, so compare them with care.' : '';
  return (
    `Data: ${enumerate(names)}, ${count(train, 'film')} to train on, ${valid} to choose the best epoch, ` +
    `${test} to test. ${unique(names.map(honestLimit)).join(' ')}${mixed}`
  );
}

/** "MTLS3 for KLD (0.712) and HS (0.548); MTLS1 for ACC (0.650)" */
function winners(schemes: readonly Scheme[]): string {
  const won = new Map<string, string[]>();
  for (const metric of metrics.METRICS) {
    const best = metrics.bestSchemes(schemes, metric);
    if (best.length === 0) continue;
    const who = best.length === schemes.length ? 'all alike' : enumerate(best.map(({ label }) => label));
    won.set(who, [...(won.get(who) ?? []), `${metric.label} (${fixed(metrics.aggregate(best[0], metric).median)})`]);
  }
  return [...won].map(([who, which]) => `${who} for ${enumerate(which)}`).join('; ');
}

function ranking(schemes: readonly Scheme[]): string {
  if (schemes.length < 2) return 'With a single scheme there is nothing to rank.';
  const won = winners(schemes);
  if (won === '') return 'No metric is known for two schemes, so none can be called the best.';
  const doubt = schemes.every(({ runs }) => runs.length === 1)
    ? ' With one seed each, a small lead may be luck.'
    : ' A lead smaller than the spread over seeds may be luck.';
  return `Best on the test films: ${won}.${doubt}`;
}

/** "centre bias (mean training gaze)" -> "centre bias" */
export function shortName(name: string): string {
  return name.replace(/\s*\(.*\)\s*$/, '') || name;
}

interface Comparison {
  readonly clause: string;
  readonly beaten: number;
  readonly of: number;
}

function against(scheme: Scheme, key: string): Comparison | null {
  const metric = metrics.metric(key);
  const { median } = metrics.aggregate(scheme, metric);
  if (median === null) return null;
  const rivals = metrics
    .baselineNames(scheme.runs)
    .map((name) => ({ name: shortName(name), value: metrics.aggregateBaseline(scheme.runs, name, metric).median }))
    .filter((rival): rival is { name: string; value: number } => isNumber(rival.value));
  if (rivals.length === 0) return null;
  const say = (some: typeof rivals) => enumerate(some.map(({ name, value }) => `${name} (${fixed(value)})`));
  const beaten = rivals.filter(({ value }) => metrics.isBetter(metric, median, value));
  const unbeaten = rivals.filter(({ value }) => !metrics.isBetter(metric, median, value));
  const parts = [beaten.length > 0 && `beats ${say(beaten)}`, unbeaten.length > 0 && `does not beat ${say(unbeaten)}`];
  const clause = `${metric.label} ${fixed(median)} ${parts.filter((part) => part !== false).join(' but ')}`;
  return { clause, beaten: beaten.length, of: rivals.length };
}

/** Standard error of a share p among n films. */
export function standardError(p: number, n: number): number {
  return Math.sqrt((p * (1 - p)) / n);
}

function againstChance(scheme: Scheme): Comparison | null {
  const { median } = metrics.aggregate(scheme, metrics.metric('accuracy'));
  const chance = metrics.chance(scheme.runs[0]);
  if (median === null || chance === null) return null;
  const { images } = scheme.runs[0].evaluation;
  const clear = images > 0 && median - chance > 2 * standardError(chance, images);
  const verdict = median > chance ? `beats chance (${fixed(chance)})` : `does not beat chance (${fixed(chance)})`;
  const doubt =
    median > chance && !clear ? `, though by less than two standard errors of ${count(images, 'test film')}` : '';
  return { clause: `ACC ${fixed(median)} ${verdict}${doubt}`, beaten: median > chance ? 1 : 0, of: 1 };
}

function verdict(scheme: Scheme): Markup {
  const comparisons = [...['kld', 'pcc', 'hs'].map((key) => against(scheme, key)), againstChance(scheme)].filter(
    (one): one is Comparison => one !== null,
  );
  const beaten = comparisons.reduce((sum, one) => sum + one.beaten, 0);
  const of = comparisons.reduce((sum, one) => sum + one.of, 0);
  if (of === 0) return html`<li><strong>${scheme.label}</strong> has no baseline to be compared with.</li>`;
  const short = beaten === of ? 'beats them all' : beaten === 0 ? 'beats none of them' : `beats ${beaten} of ${of}`;
  return html`<li><strong>${scheme.label} ${short}.</strong> ${comparisons.map(({ clause }) => clause).join('; ')}.</li>`;
}

export function summary(schemes: readonly Scheme[]): Markup {
  const runs = schemes.flatMap((scheme) => scheme.runs);
  const paper =
    'The paper\u2019s numbers come from other films and other readers; they stand in the table for orientation, and are not reproduced here.';
  return html`
    <section id="summary" aria-labelledby="summary-heading">
      <h2 id="summary-heading">In short</h2>
      <p class="lead">${[training(schemes), data(runs), ranking(schemes), paper].join(' ')}</p>
      <h3>Against guesses that never look at the film</h3>
      <ul class="verdicts">${schemes.map(verdict)}</ul>
    </section>`;
}

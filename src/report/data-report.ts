/**
 * What `mtunet data check` found in a prepared folder, as a page: counts, leakage, what is left out, what is wrong, and films with their gaze.
 */
import { contactSheet } from '../data/contact-sheet.ts';
import type { ChestSample } from '../data/dataset.ts';
import { type Child, html, type Markup } from './html.ts';
import { count } from './numbers.ts';
import { page } from './page.ts';
import { pngDataUri } from './png.ts';

export const SPLITS = ['train', 'valid', 'test'] as const;

export interface DataReport {
  readonly name: string;
  readonly height: number;
  readonly width: number;
  /** Films of each class in each split. */
  readonly counts: Record<(typeof SPLITS)[number], Record<string, number>>;
  /** The largest class over the smallest. */
  readonly imbalance: number;
  readonly leakage: { readonly patients: number; readonly films: number };
  readonly calibrationScreens: number;
  /** What files ask for and preparing left undone, and in how many of them. */
  readonly ignored: readonly { readonly what: string; readonly films: number }[];
  readonly skipped: readonly { readonly id: string; readonly reason: string }[];
  readonly problems: readonly string[];
  /** Whether every film's bytes are those that were prepared, and its values such as can be drawn. */
  readonly readable: boolean;
}

export interface Shown {
  readonly samples: readonly ChestSample[];
  readonly height: number;
  readonly width: number;
}

/** @param shown films for pictures, reduced; null where the folder's bytes are not to be trusted */
export function dataPage(report: DataReport, classNames: readonly string[], shown: Shown | null): string {
  const { name, height, width, problems } = report;
  const verdict = problems.length === 0 ? 'No problem was found.' : `${count(problems.length, 'problem')} found.`;
  return page({
    title: name,
    subtitle: `A prepared data set of films of ${height} x ${width}. ${verdict}`,
    sections: [
      { id: 'problems', name: 'Problems', content: list('problems', 'Problems', problems) },
      { id: 'counts', name: 'Films', content: counts(report, classNames) },
      {
        id: 'left-out',
        name: 'Left out',
        content: list(
          'left-out',
          'Left out',
          report.skipped.map(({ id, reason }) => html`<b>${id || 'a row'}</b> ${reason}`),
        ),
      },
      { id: 'films', name: 'Pictures', content: shown && pictures(shown, classNames) },
    ],
    footer: 'Written by mtunet data check. Everything is in this one file.',
  });
}

function list(id: string, heading: string, items: readonly Child[]): Markup {
  return html`
      <section id="${id}">
        <h2>${heading}</h2>
        ${items.length === 0 ? html`<p class="missing">None.</p>` : html`<ul>${items.map((item) => html`<li>${item}</li>`)}</ul>`}
      </section>`;
}

/** In words. */
export const ignoredText = (ignored: DataReport['ignored']): string =>
  ignored.length === 0 ? 'nothing' : ignored.map(({ what, films }) => `${what} of ${count(films, 'film')}`).join('; ');

function counts(
  { counts, imbalance, leakage, ignored, calibrationScreens }: DataReport,
  names: readonly string[],
): Markup {
  const facts = [
    ['balance', `The largest class has ${imbalance.toFixed(2)} times the films of the smallest.`],
    [
      'leakage',
      `${count(leakage.patients, 'patient')} in more than one split; ${count(leakage.films, 'film')} of valid and test of a patient of train.`,
    ],
    ['ignored', `${ignoredText(ignored)}.`],
    ['calibration', `${count(calibrationScreens, 'screen')} among the gaze, left out.`],
  ];
  return html`
      <section id="counts">
        <h2>Films</h2>
        <table class="data">
          <thead><tr><th scope="col">split</th>${names.map((name) => html`<th scope="col" class="right">${name}</th>`)}</tr></thead>
          <tbody>${SPLITS.map((split) => html`<tr><th scope="row">${split}</th>${names.map((name) => html`<td class="right">${counts[split][name]}</td>`)}</tr>`)}</tbody>
        </table>
        <dl class="facts">${facts.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>
      </section>`;
}

function pictures({ samples, height, width }: Shown, classNames: readonly string[]): Markup {
  const tile = (sample: ChestSample) => {
    const what = `Film ${sample.id}, ${classNames[sample.label]}, beside its gaze`;
    const source = pngDataUri(contactSheet([sample], { height, width, columns: 1 }));
    return html`<figure class="tile"><img src="${source}" alt="${what}"><figcaption>${classNames[sample.label]} <small>${sample.id}</small></figcaption></figure>`;
  };
  return html`
      <section id="films">
        <h2>Pictures</h2>
        <p>${count(samples.length, 'film')} spread over the data set, each beside the gaze laid over it.</p>
        <div class="tiles">${samples.map(tile)}</div>
      </section>`;
}

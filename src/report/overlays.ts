/**
 * Where the reader looked and where each scheme says they look, laid over the films; what each scheme says of the film.
 *
 * The page holds every map twice, in the paper's jet and in a colour-blind-safe map, and a radio button hides one by CSS.
 */
import { type ColourMap, jet, viridisLike } from '../data/colour-map.ts';
import type { Example } from '../mtunet/records.ts';
import { type Child, html, type Markup } from './html.ts';
import { type ExampleMaps, groupOf, type RunRecords, type Scheme } from './input.ts';
import { className } from './metrics.ts';
import { fixed, percent } from './numbers.ts';
import { colourBarDataUri, filmDataUri, type Grid } from './png.ts';

interface Shown {
  readonly run: RunRecords;
  readonly example: Example;
  readonly maps: ExampleMaps;
}

/** A film of one data set; ids of two data sets may be equal by chance. */
const keyOf = ({ run, example }: Shown) => `${run.provenance.data.hash}/${example.id}`;

function examplesOf(run: RunRecords): Shown[] {
  const { examples } = run.evaluation;
  if (run.examples.length === 0) return [];
  if (run.examples.length !== examples.length) {
    throw new RangeError(
      `Run ${run.name}: its evaluation lists ${examples.length} examples, but maps were given for ${run.examples.length}.`,
    );
  }
  return examples.map((example, i) => ({ run, example, maps: run.examples[i] }));
}

const COLOURS: readonly { readonly id: string; readonly name: string; readonly colours: ColourMap }[] = [
  { id: 'jet', name: 'jet, as in the paper', colours: jet },
  { id: 'safe', name: 'safe for colour-blind readers', colours: viridisLike },
];

function tile(heading: string, pictures: Child, caption: Child = null): Markup {
  return html`
        <figure class="tile">
          <h4>${heading}</h4>
          ${pictures}
          ${caption && html`<figcaption>${caption}</figcaption>`}
        </figure>`;
}

function mapPictures(film: Grid, map: ArrayLike<number>, alt: string): Child {
  return COLOURS.map(
    ({ id, colours }) =>
      html`<img class="${id}" src="${filmDataUri(film, map, colours)}" width="${film.width}" height="${film.height}" alt="${alt}">`,
  );
}

function saliencyLines({ saliency }: Example): Child {
  if (!saliency) return null;
  const lines = { KLD: saliency.kld, PCC: saliency.pcc, HS: saliency.hs };
  return html`<dl class="scores">${Object.entries(lines).map(([name, value]) => html`<div><dt>${name}</dt><dd>${fixed(value)}</dd></div>`)}</dl>`;
}

function diagnosisLines({ probabilities, label }: Example): Child {
  if (!probabilities) return null;
  const said = probabilities.indexOf(Math.max(...probabilities));
  return html`
          <ul class="classes">${probabilities.map((probability, i) => {
            const share = Math.min(1, Math.max(0, probability)) || 0;
            return html`
            <li class="${i === said && 'said'}"><span class="name">${className(i, probabilities.length)}${i === label && html` <span class="truth" title="true class">\u2713<span class="hidden"> true class</span></span>`}</span> <span class="share">${percent(probability)}</span><span class="bar" style="--share:${share.toFixed(3)}"></span></li>`;
          })}
          </ul>`;
}

function prediction(film: Grid, { label }: Scheme, shown: Shown | undefined): Markup {
  if (!shown) return tile(label, html`<p class="missing">not among its examples</p>`);
  const { example, maps } = shown;
  const pictures =
    maps.prediction && maps.prediction.length > 0 && shown.run.evaluation.saliency !== null
      ? mapPictures(film, maps.prediction, `Film ${example.id} with the saliency that ${label} predicts`)
      : html`<p class="missing">no saliency head</p>`;
  return tile(label, pictures, [saliencyLines(example), diagnosisLines(example)]);
}

function example(schemes: readonly Scheme[], shown: readonly Shown[]): Markup {
  const { run, example, maps } = shown[0];
  const { height, width } = run.evaluation;
  const film: Grid = { values: maps.image, height, width };
  const classes = example.probabilities?.length;
  return html`
      <article class="example">
        <h3>${example.id} <span class="source">${className(example.label, classes)}</span></h3>
        <div class="tiles">
        ${tile('film', html`<img src="${filmDataUri(film)}" width="${width}" height="${height}" alt="${`Chest film ${example.id}`}">`)}
        ${tile('the reader\u2019s gaze', mapPictures(film, maps.gaze, `Film ${example.id} with the reader\u2019s gaze`))}
        ${schemes.map((scheme) =>
          prediction(
            film,
            scheme,
            shown.find(({ run }) => groupOf(run) === scheme.id),
          ),
        )}
        </div>
      </article>`;
}

export function overlays(schemes: readonly Scheme[]): Markup | null {
  // The first seed of each scheme: chosen before anyone saw its maps.
  const shown = schemes.flatMap(({ runs }) => examplesOf(runs[0]));
  if (shown.length === 0) return null;
  const keys = [...new Set(shown.map(keyOf))];
  const several = schemes.some(({ runs }) => runs.length > 1);
  return html`
    <section id="overlays" aria-labelledby="overlays-heading">
      <h2 id="overlays-heading">Where to look</h2>
      <p>
        The reader\u2019s gaze and the predicted saliency over the film, each from its own lowest to its own highest value.
        Look for places that the reader visited and a scheme leaves cold. Beneath: how close the map is (KLD \u2193, PCC \u2191,
        HS \u2191) and what the scheme says of the film; bold is its answer, \u2713 the truth.${several && ' Of several seeds the first is shown.'}
      </p>
      ${COLOURS.map(
        ({ id, name, colours }, i) => html`
      <input type="radio" name="colours" id="colours-${id}"${i === 0 && ' checked'}>
      <label for="colours-${id}">${name} <span class="colour-bar">low <img src="${colourBarDataUri(colours)}" width="96" height="10" alt="to"> high</span></label>`,
      )}
      <div class="examples">${keys.map((key) =>
        example(
          schemes,
          shown.filter((one) => keyOf(one) === key),
        ),
      )}
      </div>
    </section>`;
}

/**
 * How the training went: losses, sigmas and learning rates over epochs, one small plot per scheme on common axes.
 *
 * Colour says the task, in every figure: blue for saliency, vermilion for the class (Okabe and Ito's pair, which
 * colour-blind readers tell apart). With several seeds each has a thin line and their median a thick one.
 */
import { type Child, html, type Markup } from './html.ts';
import type { RunRecords, Scheme } from './input.ts';
import { count, enumerate, isNumber } from './numbers.ts';
import { type PanelOptions, panel, roomy, type Stroke } from './panel.ts';
import * as series from './series.ts';
import { onset, onsets, TASKS, type Task } from './vicious-circle.ts';

const SALIENCY = 'var(--saliency)';
const CLASS = 'var(--class)';
const RATE = 'var(--rate)';
const COLOURS = { saliency: SALIENCY, class: CLASS } as const;

/** A line for each run; several get thin ones and a thick median. */
function strokes(lines: readonly series.Line[], style: Omit<Stroke, 'line'>): Stroke[] {
  if (!series.hasValues(lines)) return [];
  if (lines.length === 1) return [{ line: lines[0], ...style }];
  const { label, ...unlabelled } = style;
  const width = style.width ?? 1.75;
  const thin = lines.map((line) => ({ ...unlabelled, line, width: width / 2, opacity: 0.4 }));
  const median = series.medianLine(lines);
  return median.length > 0 ? [...thin, { ...style, line: median, width: width * 1.25 }] : thin;
}

type Draw = (scheme: Scheme) => { readonly strokes: Stroke[]; readonly dots?: PanelOptions['dots'] };

export interface CurveRow {
  readonly heading: Child;
  readonly name: string;
  readonly yLabel: string;
  readonly logarithmic?: boolean;
  readonly draw: Draw;
  readonly missing: string;
  /** Whose overfitting is marked. */
  readonly tasks: readonly Task[];
}

function bestText({ runs }: Scheme): string {
  const best = [...new Set(runs.map(series.bestEpoch).filter(isNumber))].sort((a, b) => a - b);
  return best.length > 0 ? `; best at epoch ${enumerate(best.map(String))}` : '';
}

/** A scheme and what its plot shows; null where it has no value. */
interface Drawn {
  readonly scheme: Scheme;
  readonly options: PanelOptions | null;
}

/** One plot per scheme, on common axes; null where no scheme has a value. */
export function drawRow(
  schemes: readonly Scheme[],
  { name, yLabel, logarithmic, draw, tasks }: CurveRow,
): Drawn[] | null {
  const drawn = schemes.map((scheme) => ({ scheme, ...draw(scheme) }));
  const extent = series.extent(drawn.flatMap((one) => one.strokes.map(({ line }) => line)));
  if (!extent) return null;
  const lastEpoch = series.lastEpoch(schemes.flatMap(({ runs }) => runs));
  const common = { yLabel, logarithmic, yDomain: roomy(extent, logarithmic), lastEpoch };
  return drawn.map(({ scheme, ...lines }) => ({
    scheme,
    options:
      lines.strokes.length === 0
        ? null
        : {
            ...common,
            ...lines,
            label: `${name} of ${scheme.label} over ${count(lastEpoch, 'epoch')}${bestText(scheme)}`,
            best: scheme.runs.map(series.bestEpoch).filter(isNumber),
            resets: scheme.runs.flatMap(series.resetEpochs),
            onsets: tasks.flatMap((task) => onsetRules(scheme, task)),
          },
  }));
}

/** Where each run begins to overfit; the earliest has the word, and how many runs there are. */
function onsetRules({ runs }: Scheme, task: Task): NonNullable<PanelOptions['onsets']> {
  const found = runs.flatMap(({ epochs }) => onset(epochs, task) ?? []).sort((a, b) => a.epoch - b.epoch);
  const circles = found.filter(({ circle }) => circle).length;
  const share = (n: number) => (runs.length > 1 ? ` ${n} of ${runs.length}` : '');
  const word = circles > 0 ? `circle${share(circles)}` : `overfits${share(found.length)}`;
  const marked = found.findIndex(({ circle }) => circle === circles > 0);
  return found.map(({ epoch }, i) => ({ x: epoch, colour: COLOURS[task], label: i === marked ? word : null }));
}

function row(schemes: readonly Scheme[], of: CurveRow): Child {
  const drawn = drawRow(schemes, of);
  return (
    drawn &&
    html`
    <div class="row"><h4>${of.heading}</h4>
    <div class="panels">${drawn.map(
      ({ scheme, options }) => html`
      <div class="panel">
        <h5>${scheme.label}</h5>
        ${options ? panel(options) : html`<p class="missing">${of.missing}</p>`}
      </div>`,
    )}
    </div></div>`
  );
}

function lossRow(name: series.LossName): CurveRow {
  const saliency = name === 'saliencyLoss';
  const colour = saliency ? SALIENCY : CLASS;
  const bestPoint = (run: RunRecords) => {
    const best = series.bestEpoch(run);
    const point = series.lossLine(run, 'valid', name).find(({ x, y }) => x === best && isNumber(y));
    return point ? [{ ...point, colour }] : [];
  };
  return {
    tasks: [saliency ? 'saliency' : 'class'],
    heading: saliency ? html`Saliency loss <i>L</i><sub>s</sub>` : html`Class loss <i>L</i><sub>c</sub>`,
    name: saliency ? 'Saliency loss' : 'Class loss',
    yLabel: 'loss (nats)',
    missing: saliency ? 'no saliency head' : 'no class head',
    draw: ({ runs }) => ({
      strokes: (['train', 'valid'] as const).flatMap((split) =>
        strokes(
          runs.map((run) => series.lossLine(run, split, name)),
          { colour, dashed: split === 'valid' },
        ),
      ),
      dots: runs.flatMap(bestPoint),
    }),
  };
}

function ratesOf({ runs }: Scheme): series.Rates[] {
  return runs.map((run) => series.rates(run, runs.length === 1 ? 'step' : 'epoch'));
}

function sigmaRow(): CurveRow {
  return {
    tasks: TASKS,
    heading: html`Scales <i>\u03c3</i><sub>s</sub> and <i>\u03c3</i><sub>c</sub>`,
    name: 'Scales sigma of both tasks',
    yLabel: '\u03c3 (no unit)',
    missing: 'no scale was recorded',
    draw: (scheme) => {
      const rates = ratesOf(scheme);
      return {
        strokes: [
          ...strokes(
            rates.map((one) => one.saliencySigma),
            { colour: SALIENCY, label: 'saliency' },
          ),
          ...strokes(
            rates.map((one) => one.classSigma),
            { colour: CLASS, label: 'class' },
          ),
        ],
      };
    },
  };
}

function rateRow(): CurveRow {
  // A logarithmic axis has no place for 0 and below.
  const positive = (line: series.Line) => line.map(({ x, y }) => ({ x, y: y > 0 ? y : Number.NaN }));
  return {
    tasks: [],
    heading: html`Learning rate <i>r</i> and what each task feels of it, <i>r</i>/<i>\u03c3</i>\u00b2`,
    name: 'Learning rate and effective learning rates',
    yLabel: 'rate (per step, log scale)',
    logarithmic: true,
    missing: 'no rate was recorded',
    draw: (scheme) => {
      const rates = ratesOf(scheme);
      const of = (name: keyof series.Rates) => rates.map((one) => positive(one[name]));
      return {
        strokes: [
          ...strokes(of('learningRate'), { colour: RATE, width: 5 }),
          ...strokes(of('saliencyRate'), { colour: SALIENCY, label: 'saliency' }),
          ...strokes(of('classRate'), { colour: CLASS, label: 'class' }),
        ],
      };
    },
  };
}

export const curveRows = {
  losses: [lossRow('saliencyLoss'), lossRow('classLoss')],
  scales: [sigmaRow(), rateRow()],
} as const;

const keyLine = (colour: string, text: string, extra: Child = null) => html`
  <span class="key"><svg xmlns="http://www.w3.org/2000/svg" width="28" height="10" aria-hidden="true"><path d="M1,5H27" style="stroke:var(--${colour})"${extra} /></svg> ${text}</span>`;
const DASH = html` stroke-dasharray="5,4"`;
const THICK = html` stroke-width="5"`;
const keySign = (sign: string, text: string) =>
  html`<span class="key"><span aria-hidden="true">${sign}</span> ${text}</span>`;

function figure(
  schemes: readonly Scheme[],
  { rows, key, caption }: { rows: readonly Child[]; key: readonly Child[]; caption: Child },
): Child {
  if (rows.every((one) => one === null)) return null;
  return html`
    <figure class="curves${schemes.length === 1 && ' alone'}">
      <p class="keys">${key}</p>
      <div class="rows">${rows}</div>
      <figcaption>${caption}</figcaption>
    </figure>`;
}

/** "Overfitting starts: MTLS1 seed 1, class, epoch 12 (a vicious circle)." */
function onsetText(schemes: readonly Scheme[]): string {
  const found = schemes.flatMap(({ label, runs }) =>
    runs.flatMap(({ epochs, seed }) =>
      onsets(epochs).map(
        ({ task, epoch, circle }) =>
          `${label}${runs.length > 1 ? ` seed ${seed}` : ''}, ${task}, epoch ${epoch}${circle ? ' (a vicious circle: the weight grows, too)' : ''}`,
      ),
    ),
  );
  return found.length > 0
    ? `Where overfitting starts, by the rule that a validation loss then rises by a fifth while the training loss falls by a tenth: ${found.join('; ')}.`
    : 'By the rule that a validation loss rises by a fifth while the training loss falls by a tenth, no run overfits.';
}

export function curves(schemes: readonly Scheme[]): Markup {
  const runs = schemes.flatMap((scheme) => scheme.runs);
  const seeds = schemes.some((scheme) => scheme.runs.length > 1)
    ? ' Thin lines are single seeds, the thick one is their median as far as all of them ran.'
    : '';
  const bestAndResets = [
    keySign('\u22ee', 'best epoch'),
    runs.some((run) => series.resetEpochs(run).length > 0) && keySign('\u25bc', 'rate cut, back to the best epoch'),
  ];
  const shared = schemes.length > 1 ? ' Plots of one quantity share their axes.' : '';
  const figures = [
    figure(schemes, {
      rows: curveRows.losses.map((one) => row(schemes, one)),
      key: [
        keyLine('ink', 'training'),
        keyLine('ink', 'validation', DASH),
        keySign('\u25cf', 'best network'),
        bestAndResets,
      ],
      caption: html`Raw losses, not divided by <i>\u03c3</i>\u00b2. Look for overfitting: a dashed line that turns up while
        the solid one beneath it goes on falling.${shared}${seeds} ${onsetText(schemes)}`,
    }),
    figure(schemes, {
      rows: curveRows.scales.map((one) => row(schemes, one)),
      key: [
        keyLine('saliency', 'saliency'),
        keyLine('class', 'class'),
        keyLine('rate', 'r itself', THICK),
        bestAndResets,
      ],
      caption: html`Look for the loop that the paper describes: a loss that falls draws its <i>\u03c3</i> down, and
        <i>r</i>/<i>\u03c3</i>\u00b2 up. A scale that a scheme fixes stays at 1, and its task learns at <i>r</i> itself.${shared}${seeds}`,
    }),
  ];
  const drawn = figures.some((one) => one !== null);
  return html`
    <section id="training" aria-labelledby="training-heading">
      <h2 id="training-heading">How the training went</h2>
      ${drawn ? figures : html`<p class="missing">No epoch was recorded, so there is nothing to draw.</p>`}
    </section>`;
}

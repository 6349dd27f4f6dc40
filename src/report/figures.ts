/** The figures of an experiment: every training by every measure, curves over epochs, films with their maps. */
import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';
import { jet } from '../data/colour-map.ts';
import { curveRows, drawRow } from './curves.ts';
import { type Figure, type FigurePart, figureSvg } from './figure.ts';
import { groupByScheme, type RunRecords, type Scheme } from './input.ts';
import { className } from './metrics.ts';
import { fixed, isNumber, median } from './numbers.ts';
import { HEIGHT, panel, roomy, WIDTH } from './panel.ts';
import { filmDataUri, type Grid } from './png.ts';
import type { Row, VerdictInput } from './verdicts/input.ts';
import { type Measure, measure } from './verdicts/measures.ts';

export interface FigureFile {
  readonly id: string;
  readonly svg: string;
}

export function experimentFigures(input: VerdictInput, show: readonly ('curves' | 'overlays')[]): FigureFile[] {
  const schemes = groupByScheme(input.rows.flatMap(({ runs }) => runs));
  return [
    measuresFigure(input),
    ...(show.includes('curves') ? [curvesFigure(input.title, schemes)] : []),
    ...(show.includes('overlays') ? [overlaysFigure(input.title, schemes)] : []),
  ]
    .filter((figure): figure is Figure => figure !== null && figure.rows.length > 0)
    .map((figure) => ({ id: figure.id, svg: figureSvg(figure) }));
}

const DOTS = { width: 330, left: 130, row: 26, top: 34, bottom: 34 };
const COLUMNS = 3;
const TICKS = 3;

const extentOf = (points: readonly { readonly value: number }[]): [number, number] => [
  Math.min(...points.map(({ value }) => value)),
  Math.max(...points.map(({ value }) => value)),
];

/** Dots are trainings, the bar their median. */
function dots({ label, better, of }: Measure, rows: readonly Row[]): FigurePart | null {
  const points = rows.flatMap(({ name, runs }) =>
    runs
      .map((run) => ({ name, value: of(run) }))
      .filter((point): point is { name: string; value: number } => isNumber(point.value)),
  );
  if (points.length === 0) return null;
  const medians = rows.flatMap(({ name }) => {
    const value = median(points.filter((point) => point.name === name).map(({ value }) => value));
    return value === null ? [] : [{ name, value }];
  });
  const height = DOTS.top + rows.length * DOTS.row + DOTS.bottom;
  const { document } = parseHTML('<!doctype html><html><body></body></html>');
  const svg = Plot.plot({
    document,
    width: DOTS.width,
    height,
    marginLeft: DOTS.left,
    marginTop: DOTS.top,
    marginBottom: DOTS.bottom,
    marginRight: 46,
    style: { fontSize: '11px' },
    x: {
      label: `${label}${better ? `, ${better} is better` : ''}`,
      labelArrow: 'none',
      domain: roomy(extentOf(points)),
      ticks: TICKS,
      tickFormat: (value: number) => String(Number(value.toPrecision(4))),
    },
    y: { label: null, domain: rows.map(({ name }) => name), tickSize: 0 },
    marks: [
      Plot.gridX({ strokeOpacity: 0.12, ticks: TICKS }),
      Plot.dot(points, { x: 'value', y: 'name', r: 3.5, fill: 'var(--saliency)', fillOpacity: 0.45 }),
      Plot.tickX(medians, { x: 'value', y: 'name', stroke: 'var(--class)', strokeWidth: 2, inset: 4 }),
      // In the margin: beside the bar it would lie on dots.
      Plot.text(medians, {
        y: 'name',
        text: (point: { value: number }) => fixed(point.value),
        frameAnchor: 'right',
        textAnchor: 'start',
        dx: 6,
        fontSize: 10,
      } as Plot.TextOptions),
    ],
  });
  svg.querySelector('style')?.remove();
  return { svg: svg.outerHTML, width: DOTS.width, height };
}

function measuresFigure({ title, rows, measures }: VerdictInput): Figure | null {
  const parts = measures.map((key) => dots(measure(key), rows)).filter((part) => part !== null);
  if (parts.length === 0) return null;
  const across = Math.min(COLUMNS, parts.length);
  const lines = Array.from({ length: Math.ceil(parts.length / across) }, (_, i) =>
    parts.slice(i * across, (i + 1) * across),
  );
  return {
    id: 'measures',
    title,
    columns: Array.from({ length: across }, () => ''),
    rows: lines.map((line) => ({ heading: '', parts: Array.from({ length: across }, (_, i) => line[i] ?? null) })),
    notes: ['Each dot is a training, each bar and number the median of its row; axes do not begin at 0.'],
  };
}

function curvesFigure(title: string, schemes: readonly Scheme[]): Figure {
  const rows = [...curveRows.losses, ...curveRows.scales].flatMap((row) => {
    const drawn = drawRow(schemes, row);
    if (!drawn) return [];
    const parts = drawn.map(({ options }) =>
      options ? { svg: panel(options).text, width: WIDTH, height: HEIGHT } : null,
    );
    return [{ heading: row.name, parts }];
  });
  const several = schemes.some(({ runs }) => runs.length > 1);
  return {
    id: 'curves',
    title,
    columns: schemes.map(({ label }) => label),
    rows,
    notes: [
      'Blue: saliency; vermilion: class; grey: the plain rate. Losses are raw, solid in training, dashed in validation; dotted uprights are best epochs, triangles resets.',
      `A coloured upright with a word is where overfitting starts: the validation loss then rises by a fifth while the training loss falls by a tenth; a circle where the weight grows, too.${several ? ' Thin lines are single seeds, the thick one their median.' : ''}`,
    ],
  };
}

const TILE = 150;

function picture(film: Grid, map: ArrayLike<number> | undefined, caption: string): FigurePart {
  const height = Math.round((TILE * film.height) / film.width);
  const uri = filmDataUri(film, map, map && jet);
  return {
    svg: `<svg width="${TILE}" height="${height + 16}"><image href="${uri}" width="${TILE}" height="${height}" preserveAspectRatio="none"/><text x="0" y="${height + 12}" font-size="10" fill="var(--quiet)">${caption}</text></svg>`,
    width: TILE,
    height: height + 16,
  };
}

/** A row a film: the film, the reader's gaze, and what the first seed of every row predicts. */
function overlaysFigure(title: string, schemes: readonly Scheme[]): Figure | null {
  const shown = schemes.map(({ runs }) => runs[0]).filter(({ evaluation }) => evaluation.saliency);
  if (shown.length === 0) return null;
  const [first] = shown;
  const { height, width } = first.evaluation;
  const predictionOf = (run: RunRecords, id: string) => {
    const i = run.evaluation.examples.findIndex((example) => example.id === id);
    const maps = run.examples[i];
    if (!maps?.prediction?.length) return null;
    return { map: maps.prediction, kld: run.evaluation.examples[i].saliency?.kld };
  };
  return {
    id: 'overlays',
    title,
    columns: ['film', 'gaze', ...schemes.filter(({ runs }) => shown.includes(runs[0])).map(({ label }) => label)],
    rows: first.evaluation.examples.map(({ id, label, probabilities }, i) => {
      const maps = first.examples[i];
      const film: Grid = { values: maps.image, height, width };
      return {
        heading: `${id}, ${className(label, probabilities?.length)}`,
        parts: [
          picture(film, undefined, ''),
          picture(film, maps.gaze, 'the reader'),
          ...shown.map((run) => {
            const found = predictionOf(run, id);
            return found && picture(film, found.map, `KLD ${fixed(found.kld)}`);
          }),
        ],
      };
    }),
    notes: ['Jet, as in the paper: each map from its own lowest value (blue) to its own highest (red).'],
  };
}

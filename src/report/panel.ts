/**
 * One small plot as an SVG that follows the page: text in currentColor, lines in the page's CSS variables.
 */
import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';
import { integerTicks, logTicks, scientific } from './axis.ts';
import { escapeText, html, type Markup, trusted } from './html.ts';
import { isNumber } from './numbers.ts';
import type { Line } from './series.ts';

export interface Stroke {
  readonly line: Line;
  /** A CSS colour, for example var(--saliency). */
  readonly colour: string;
  readonly dashed?: boolean;
  readonly width?: number;
  readonly opacity?: number;
  /** Written at the line's end. */
  readonly label?: string;
}

export interface PanelOptions {
  /** Read aloud, and shown when the pointer rests on the plot. */
  readonly label: string;
  readonly strokes: readonly Stroke[];
  /** With its unit. */
  readonly yLabel: string;
  readonly yDomain: readonly [number, number];
  readonly logarithmic?: boolean;
  readonly lastEpoch: number;
  readonly best?: readonly number[];
  readonly resets?: readonly number[];
  /** Rules across the plot with a word at their top, for example where overfitting starts. */
  readonly onsets?: readonly { readonly x: number; readonly colour: string; readonly label: string | null }[];
  /** Dots on lines, for example where the best network was. */
  readonly dots?: readonly { readonly x: number; readonly y: number; readonly colour: string }[];
}

export const WIDTH = 340;
export const HEIGHT = 220;
const MARGIN = { top: 30, right: 16, rightWithLabels: 58, bottom: 36, left: 50 };
const LABEL_GAP = 13;
/** About so many, at round places. */
const LINEAR_TICKS = 5;

/** A little air above and below; for a single value, a range around it. */
export function roomy([low, high]: readonly [number, number], logarithmic = false): [number, number] {
  if (logarithmic) {
    const factor = high / low < 1.5 ? 2 : (high / low) ** 0.06;
    return [low / factor, high * factor];
  }
  const air = high > low ? (high - low) * 0.06 : Math.max(Math.abs(high) * 0.1, 0.1);
  return [low >= 0 ? Math.max(0, low - air) : low - air, high + air];
}

/** Places for the labels at the lines' ends, pushed apart where they would touch. */
function endLabels({ strokes, yDomain: [low, high], logarithmic }: PanelOptions) {
  const scale = (y: number) => (logarithmic ? Math.log(y) : y);
  const height = HEIGHT - MARGIN.top - MARGIN.bottom;
  const down = (y: number) => (height * (scale(high) - scale(y))) / (scale(high) - scale(low));
  const labels = strokes
    .map(({ line, label, colour }) => ({ end: line.findLast(({ y }) => isNumber(y)), label, colour }))
    .filter(({ end, label }) => end && label)
    .map(({ end, label, colour }) => ({ label: label!, colour, x: end!.x, y: end!.y, pixel: down(end!.y) }))
    .sort((a, b) => a.pixel - b.pixel);
  for (let i = 1; i < labels.length; i++) {
    const overlap = LABEL_GAP - (labels[i].pixel - labels[i - 1].pixel);
    if (overlap <= 0) continue;
    labels[i - 1].pixel -= overlap / 2;
    labels[i].pixel += overlap / 2;
  }
  return labels.map((label) => ({ ...label, shift: label.pixel - down(label.y) }));
}

function marks(options: PanelOptions): Plot.Markish[] {
  const { strokes, yDomain, logarithmic, best = [], resets = [], dots = [], onsets = [], lastEpoch } = options;
  return [
    Plot.gridY({ strokeOpacity: 0.12, ticks: logarithmic ? logTicks(...yDomain) : LINEAR_TICKS }),
    best.length > 0 ? Plot.ruleX(best, { strokeOpacity: 0.5, strokeDasharray: '1,3' }) : null,
    ...strokes.flatMap(({ line, colour, dashed, width = 1.75, opacity = 1 }) => {
      const known = line.filter(({ y }) => isNumber(y));
      const style = { x: 'x', y: 'y', stroke: colour, strokeOpacity: opacity };
      return [
        Plot.line(line, { ...style, strokeWidth: width, ...(dashed && { strokeDasharray: '4,3' }) }),
        // A line through one point cannot be seen.
        known.length === 1 ? Plot.dot(known, { ...style, r: 2.5 }) : null,
      ];
    }),
    ...onsets.flatMap(({ x, colour, label }) => [
      Plot.ruleX([x], { stroke: colour, strokeWidth: 1.5, strokeOpacity: label === null ? 0.35 : 0.9 }),
      label === null
        ? null
        : Plot.text([label], {
            ...{ x, y: yDomain[1], dx: x > lastEpoch / 2 ? -4 : 4, dy: 6, fill: colour },
            textAnchor: x > lastEpoch / 2 ? 'end' : 'start',
          }),
    ]),
    resets.length > 0
      ? Plot.dot(resets, {
          x: (epoch) => epoch,
          y: () => yDomain[1],
          dy: -5,
          symbol: 'triangle',
          rotate: 180,
          r: 3,
          fill: 'currentColor',
        })
      : null,
    dots.length > 0 ? Plot.dot(dots, { x: 'x', y: 'y', r: 4, fill: 'colour', stroke: 'var(--paper)' }) : null,
    ...endLabels(options).map(({ label, x, y, shift, colour }) =>
      Plot.text([label], { x: Math.max(x, lastEpoch), y, dx: 5, dy: shift, textAnchor: 'start', fill: colour }),
    ),
  ];
}

/** An SVG of WIDTH x HEIGHT in the page's colours. */
export function panel(options: PanelOptions): Markup {
  const { label, strokes, yLabel, yDomain, logarithmic, lastEpoch } = options;
  const { document } = parseHTML('<!doctype html><html><body></body></html>');
  const svg = Plot.plot({
    document,
    className: 'plot',
    width: WIDTH,
    height: HEIGHT,
    marginTop: MARGIN.top,
    marginRight: strokes.some((stroke) => stroke.label) ? MARGIN.rightWithLabels : MARGIN.right,
    marginBottom: MARGIN.bottom,
    marginLeft: MARGIN.left,
    style: { fontSize: '11px' },
    x: { domain: [0, Math.max(1, lastEpoch)], label: 'epoch', ticks: integerTicks(lastEpoch), tickFormat: String },
    y: {
      domain: yDomain,
      label: yLabel,
      type: logarithmic ? 'log' : 'linear',
      ...(logarithmic ? { ticks: logTicks(...yDomain), tickFormat: scientific } : { ticks: LINEAR_TICKS }),
    },
    // Colours are CSS as they stand, not categories.
    color: { type: 'identity' },
    marks: marks(options),
  });
  // The page's own style sheet says what this one would say once per plot.
  svg.querySelector('style')?.remove();
  const markup = svg.outerHTML.replace(/^<svg /, '');
  const start = markup.indexOf('>') + 1;
  // linkedom leaves < and > in attributes as they are, so whatever may come from data is written here, not by it.
  const opening = `<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="${escapeText(label)}" ${markup.slice(0, start)}`;
  return html`${trusted(opening)}<title>${label}</title>${trusted(markup.slice(start))}`;
}

/** Sigma over epochs beside the sigma at which it would rest, as an SVG file of its own. */
import type { LagRow } from '../mtunet/equilibrium-lag.ts';
import { panel, roomy, type Stroke } from './panel.ts';
import { extent, type Line } from './series.ts';

const STYLE =
  '<style>svg { --saliency: #0072b2; --class: #c94f00; --paper: #ffffff; color: #22262b; background: #ffffff; font-family: sans-serif; }</style>';

/** Solid: sigma. Dashed: the sigma at rest for the epoch's mean training loss. */
export function equilibriumPlot(rows: readonly LagRow[]): string {
  const strokes = (['saliency', 'diagnosis'] as const).flatMap((task): Stroke[] => {
    const own = rows.filter((row) => row.task === task);
    const line = (read: (row: LagRow) => number): Line => own.map((row) => ({ x: row.epoch, y: read(row) }));
    const colour = task === 'saliency' ? 'var(--saliency)' : 'var(--class)';
    const name = task === 'saliency' ? 'saliency' : 'class';
    if (own.length === 0) return [];
    return [
      { line: line(({ sigma }) => sigma), colour, label: name },
      { line: line(({ equilibrium }) => equilibrium), colour, dashed: true, label: 'at rest' },
    ];
  });
  const markup = String(
    panel({
      label: 'Sigma of each task over epochs (solid), and the sigma at which it would rest (dashed)',
      strokes,
      yLabel: '\u03c3 (no unit)',
      yDomain: roomy(extent(strokes.map(({ line }) => line)) ?? [0, 1]),
      lastEpoch: Math.max(...rows.map(({ epoch }) => epoch)),
    }),
  );
  const start = markup.indexOf('>') + 1;
  return `${markup.slice(0, start)}${STYLE}${markup.slice(start)}\n`;
}

/** A line chart with a text table of the same numbers. */
import { useState } from 'preact/hooks';
import { short } from './numbers.ts';

export type Point = readonly [number, number];
export interface Series {
  readonly name: string;
  /** saliency, diagnosis, curve, faint-...: a class of the style sheet. */
  readonly look: string;
  readonly points: readonly Point[];
  /** In the table, but not in the key: the title tells what it is. */
  readonly unkeyed?: boolean;
}

interface ChartProps {
  readonly title: string;
  readonly x: string;
  readonly y: string;
  readonly series: readonly Series[];
  readonly xRange: readonly [number, number];
  readonly yRange: readonly [number, number];
  /** Two lines between which the plot is shaded wherever the second is above the first. */
  readonly shade?: readonly [readonly Point[], readonly Point[]];
  /** A vertical line. */
  readonly cursor?: number | null;
  readonly dots?: readonly { readonly at: Point; readonly look: string; readonly label?: string }[];
}

const [W, H, LEFT, RIGHT, TOP, BOTTOM] = [340, 180, 38, 8, 20, 28];
/** Where lines are drawn, with room for half of their width. */
const PLOT = { x: LEFT - 1, y: TOP - 1, width: W - LEFT - RIGHT + 2, height: H - TOP - BOTTOM + 2 };
const TABLE_ROWS = 12;
const POINTS = 300;

export function Chart({ title, x, y, series, xRange, yRange, shade, cursor, dots = [] }: ChartProps) {
  const px = (value: number) => LEFT + ((value - xRange[0]) / (xRange[1] - xRange[0] || 1)) * (W - LEFT - RIGHT);
  const py = (value: number) => {
    const share = (value - yRange[0]) / (yRange[1] - yRange[0] || 1);
    // What lies outside is cut off; how far outside would not be seen.
    return H - BOTTOM - Math.min(2, Math.max(-1, share)) * (H - TOP - BOTTOM);
  };
  const line = (points: readonly Point[]) =>
    points.map(([a, b], i) => `${i ? 'L' : 'M'}${tenths(px(a))} ${tenths(py(b))}`).join('');
  const drawn = series.map((one) => ({ ...one, points: thin(one.points) }));
  return (
    <figure class="chart">
      <figcaption>
        <strong>{title}</strong>
        <span class="key">
          {series
            .filter(({ name, unkeyed }) => name && !unkeyed)
            .map(({ name, look }) => (
              <span key={name}>
                <svg viewBox="0 0 18 6" class="swatch" aria-hidden="true">
                  <path d="M0 3H18" class={`line ${look}`} />
                </svg>
                {name}
              </span>
            ))}
        </span>
      </figcaption>
      <svg viewBox={`0 0 ${W} ${H}`} role="img" aria-label={`${title}: ${summary(series)}`}>
        {ticks(yRange).map((value) => (
          <g key={value}>
            <path class="grid" d={`M${LEFT} ${py(value)}H${W - RIGHT}`} />
            <text class="tick" x={LEFT - 5} y={py(value) + 3.5} text-anchor="end">
              {short(value)}
            </text>
          </g>
        ))}
        {ticks(xRange).map((value) => (
          <text key={value} class="tick" x={px(value)} y={H - BOTTOM + 13} text-anchor="middle">
            {short(value)}
          </text>
        ))}
        <text class="axis" x={W - RIGHT} y={H - 3} text-anchor="end">
          {x}
        </text>
        <text class="axis" x={2} y={10}>
          {y}
        </text>
        <svg {...PLOT} aria-hidden="true" viewBox={Object.values(PLOT).join(' ')}>
          {shade && shade[0].length > 1 && <path class="gap" d={gapPath(shade[0], shade[1], px, py)} />}
          {drawn.map(({ name, look, points }) => (
            <path key={name + look} class={`line ${look}`} d={line(points)} />
          ))}
        </svg>
        {cursor != null && <path class="cursor" d={`M${px(cursor)} ${TOP}V${H - BOTTOM}`} />}
        {dots.map(({ at, look, label }) => (
          <g key={look + label}>
            <circle class={`dot ${look}`} cx={px(at[0])} cy={py(at[1])} r="4.5" />
            {label && (
              <text class="label" x={px(at[0])} y={py(at[1]) + 16} text-anchor="middle">
                {label}
              </text>
            )}
          </g>
        ))}
      </svg>
      <Table title={title} x={x} y={y} series={series} />
    </figure>
  );
}

/** Made when it is opened: a dozen closed tables would be half of the page's work at every step. */
function Table({ title, x, y, series }: Pick<ChartProps, 'title' | 'x' | 'y' | 'series'>) {
  const [open, setOpen] = useState(false);
  return (
    <details onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        Table<span class="hidden"> of {title}</span>
      </summary>
      {open && (
        <div class="scroll" tabIndex={0} role="region" aria-label={`Table of ${title}`}>
          <table>
            <thead>
              <tr>
                <th scope="col">line</th>
                <th scope="col">{x}</th>
                <th scope="col">{y}</th>
              </tr>
            </thead>
            <tbody>
              {series
                .filter(({ name }) => name)
                .flatMap(({ name, points }) =>
                  sampled(points, TABLE_ROWS).map(([a, b]) => (
                    <tr key={`${name}${a}`}>
                      <th scope="row">{name}</th>
                      <td>{short(a)}</td>
                      <td>{b.toPrecision(4)}</td>
                    </tr>
                  )),
                )}
            </tbody>
          </table>
        </div>
      )}
    </details>
  );
}

function summary(series: readonly Series[]): string {
  const ends = series.filter(({ name, points }) => name && points.length);
  return ends.length
    ? ends
        .map(
          ({ name, points }) =>
            `${name} ${points[0][1].toPrecision(3)} to ${points[points.length - 1][1].toPrecision(3)}`,
        )
        .join(', ')
    : 'no values yet';
}

/** Where `upper` lies above `lower` at the same x. */
function gapPath(
  lower: readonly Point[],
  upper: readonly Point[],
  px: (x: number) => number,
  py: (y: number) => number,
): string {
  const count = Math.min(lower.length, upper.length);
  const there = Array.from(
    { length: count },
    (_, i) => `${tenths(px(upper[i][0]))} ${tenths(py(Math.max(upper[i][1], lower[i][1])))}`,
  );
  const back = Array.from(
    { length: count },
    (_, i) => `${tenths(px(lower[i][0]))} ${tenths(py(lower[i][1]))}`,
  ).reverse();
  return `M${[...there, ...back].join('L')}Z`;
}

function sampled<T>(points: readonly T[], count: number): readonly T[] {
  if (points.length <= count) return points;
  return Array.from({ length: count }, (_, i) => points[Math.round((i * (points.length - 1)) / (count - 1))]);
}
/** As many as a chart can show, the first and the last among them. */
export function thin<T>(points: readonly T[]): readonly T[] {
  return sampled(points, POINTS);
}

/** A coordinate as text, kept: the lines of one frame need ten thousand of them. */
const tenths = (value: number) => {
  const index = Math.round(10 * value);
  written[index] ??= (index / 10).toFixed(1);
  return written[index];
};
const written: Record<number, string> = {};

function ticks([low, high]: readonly [number, number]): number[] {
  const range = high - low || 1;
  const unit = 10 ** Math.floor(Math.log10(range / 3));
  const step = [1, 2, 5, 10].map((times) => times * unit).find((size) => range / size <= 4.5)!;
  const first = Math.ceil(low / step - 1e-9);
  return Array.from({ length: Math.floor(high / step + 1e-9) - first + 1 }, (_, i) => (first + i) * step);
}

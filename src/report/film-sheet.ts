/** A person's own film: where the network looks, and which places speak for its answer, side by side. */
import { jet } from '../data/colour-map.ts';
import { figureSvg } from './figure.ts';
import { className } from './metrics.ts';
import { percent } from './numbers.ts';
import { filmDataUri, type Grid } from './png.ts';

export interface SheetInput {
  readonly name: string;
  readonly film: Grid;
  /** H W; null without that head. */
  readonly saliency: ArrayLike<number> | null;
  readonly classMaps: readonly { readonly label: string; readonly values: ArrayLike<number> }[];
  readonly probabilities: readonly number[] | null;
  readonly target: number | null;
  /** What the reader must know: the run, and what it was trained on. */
  readonly notes: readonly string[];
}

const TILE = 240;
const CAPTION = 20;

export function filmSheet({ name, film, saliency, classMaps, probabilities, target, notes }: SheetInput): string {
  const height = Math.round((TILE * film.height) / film.width);
  const tile = (map?: ArrayLike<number>) => ({
    svg: `<svg width="${TILE}" height="${height}"><image href="${filmDataUri(film, map, map && jet)}" width="${TILE}" height="${height}" preserveAspectRatio="none"/></svg>`,
    width: TILE,
    height: height + CAPTION,
  });
  const shown = [
    { label: 'film', part: tile() },
    ...(saliency ? [{ label: 'predicted saliency', part: tile(saliency) }] : []),
    ...classMaps.map(({ label, values }) => ({ label, part: tile(values) })),
  ];
  const answers = probabilities?.map((p, i) => `${className(i, probabilities.length)} ${percent(p)}`).join(', ');
  return figureSvg({
    id: 'prediction',
    title: name,
    columns: shown.map(({ label }) => label),
    rows: [{ heading: '', parts: shown.map(({ part }) => part) }],
    notes: [
      ...(answers ? [`${answers}.`] : []),
      ...(target !== null && probabilities
        ? [
            `Grad-CAM: places that speak for "${className(target, probabilities.length)}" in the maps that the class head pools.`,
          ]
        : []),
      'Each map from its own lowest value (blue) to its own highest (red).',
      ...notes,
    ],
  });
}

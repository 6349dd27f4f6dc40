/** REFLACX's tables in their exact format with invented readings of invented films: no person's data. */
import { join } from 'node:path';
import type { ExampleOptions } from './example-egd.ts';
import { everyNth } from './example-egd.ts';
import { writeWhole } from './whole-file.ts';

export interface InventedLook {
  readonly id: string;
  readonly path: string;
  readonly patient: number;
  readonly label: number;
  /** x0 y0 x1 y1 ..., pixels of the film, 60 a second. */
  readonly points: Float64Array;
}

/** Findings differ between phases, as in the real tables; the graded ones of these two and what is not graded. */
const FINDINGS = {
  1: ['Atelectasis', 'Consolidation', 'Enlarged cardiac silhouette', 'Groundglass opacity', 'Pleural effusion'],
  2: ['Atelectasis', 'Consolidation', 'Enlarged cardiac silhouette', 'Groundglass opacity', 'Pleural abnormality'],
} as const;
const OF_LABEL = [null, 'Enlarged cardiac silhouette', 'Consolidation'];
const FIXATION_COLUMNS =
  'timestamp_start_fixation,timestamp_end_fixation,x_position,y_position,pupil_area_normalized,angular_resolution_x_pixels_per_degree,angular_resolution_y_pixels_per_degree,window_width,window_level,xmin_shown_from_image,ymin_shown_from_image,xmax_shown_from_image,ymax_shown_from_image,xmin_in_screen_coordinates,ymin_in_screen_coordinates,xmax_in_screen_coordinates,ymax_in_screen_coordinates';

/** Phase 1 has a reading of every film, phase 2 a second one of every other film; one is discarded, one shows another finding. */
export function writeReflacx(out: string, looks: readonly InventedLook[], { height, width }: ExampleOptions): void {
  for (const phase of [1, 2] as const) {
    const findings = FINDINGS[phase];
    const header = [
      'id,split,eye_tracking_data_discarded,image,dicom_id,subject_id,image_size_x,image_size_y',
      ...findings,
      'Support devices,Quality issue,Other',
    ].join(',');
    const rows = looks.flatMap((look, i) => {
      if (phase === 2 && i % 2 === 1) return [];
      const reading = `P${phase}00R${String(100000 + i)}`;
      const certainty = findings.map((finding) =>
        finding === OF_LABEL[look.label] ? 4 : i === 9 && finding === 'Atelectasis' ? 5 : 0,
      );
      writeReading(join(out, 'main_data', reading), look, { height, width });
      const image = `physionet.org/files/mimic-cxr/2.0.0/${look.path}`;
      const discarded = phase === 1 && i === 7 ? 'True' : 'False';
      return [
        `${reading},train,${discarded},${image},${look.id},${look.patient},${width}.0,${height}.0,${certainty.join(',')},False,False,"invented, for a test"`,
      ];
    });
    writeWhole(join(out, 'main_data', `metadata_phase_${phase}.csv`), `${[header, ...rows].join('\n')}\n`);
  }
  writeWhole(
    join(out, 'main_data', 'metadata_phase_3.csv'),
    'id,split,eye_tracking_data_discarded,image,dicom_id,subject_id,image_size_x,image_size_y,Consolidation\n',
  );
}

function writeReading(
  folder: string,
  { points, label }: InventedLook,
  { height, width }: { height: number; width: number },
): void {
  const SAMPLES = 20;
  const seconds = (sample: number) => (sample / 60).toFixed(3);
  const degree = (0.036 * height).toFixed(3);
  const fixations = everyNth(points, SAMPLES);
  let rows = `${FIXATION_COLUMNS}\n`;
  for (let i = 0; i < fixations.length / 2; i++)
    rows += `${seconds(SAMPLES * i)},${seconds(SAMPLES * (i + 1) - 2)},${fixations[2 * i]},${fixations[2 * i + 1]},1.0,${degree},${degree},4096,2048,0,0,${width},${height},0,0,1920,1080\n`;
  writeWhole(join(folder, 'fixations.csv'), rows);
  const [x, y] = [0.4 * width, 0.5 * height];
  const ellipse = label === 0 ? '' : `${x},${y},${x + 0.3 * width},${y + 0.25 * height},4,True\n`;
  writeWhole(
    join(folder, 'anomaly_location_ellipses.csv'),
    `xmin,ymin,xmax,ymax,certainty,${OF_LABEL[label] ?? 'Consolidation'}\n${ellipse}`,
  );
}

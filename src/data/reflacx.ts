/**
 * REFLACX's tables (PhysioNet, reflacx-xray-localization 1.0.0): who read which film of MIMIC-CXR, what was found and where they looked.
 */
import type { Ellipse } from './ellipse-map.ts';
import type { Fixation } from './fixation-map.ts';
import { readTable, type TableRow } from './table.ts';

export interface ReflacxReading {
  /** P<phase>00R<six digits>: also the folder of the reading. */
  readonly id: string;
  readonly film: string;
  readonly patient: string;
  /** Below the folder of films, with "/". */
  readonly path: string;
  /** The tracker's data were found unusable. */
  readonly discarded: boolean;
  /** Columns of the original film, rows. */
  readonly width: number;
  readonly height: number;
  /** Certainty of each finding, 0 (absent) to 5, by its name in the phase. */
  readonly findings: Readonly<Record<string, number>>;
}

const FIXED = [
  'id',
  'split',
  'eye_tracking_data_discarded',
  'image',
  'dicom_id',
  'subject_id',
  'image_size_x',
  'image_size_y',
];
/** Not graded by certainty. */
const REMARKS = ['support devices', 'quality issue', 'other'];

/** From this certainty on ("possibly") a finding counts as there, as the authors count. */
export const PRESENT = 3;

const problemAt = (name: string, { line }: TableRow, what: string) =>
  new Error(`${name}, line ${line}: ${what}; correct the row or download the file again.`);

function numberOf(name: string, row: TableRow, column: string): number {
  const text = row.values[column].trim();
  const value = Number(text);
  if (text === '' || !Number.isFinite(value))
    throw problemAt(name, row, `${column} is "${text.slice(0, 40)}", not a number`);
  return value;
}

const flag = (text: string) => /^(true|1|1\.0)$/i.test(text.trim());

/** metadata_phase_<n>.csv; the names of the findings differ between phases and are read from the header. */
export function readReflacxMetadata(name: string, bytes: Uint8Array): ReflacxReading[] {
  return readTable(name, bytes, FIXED).map((row) => {
    const { values } = row;
    const path = /files\/p\d\d\/p\d+\/s\d+\/[\w-]+\.dcm$/.exec(values.image)?.[0];
    if (!path)
      throw problemAt(
        name,
        row,
        `image is "${values.image.slice(0, 100)}", not .../files/pNN/pNNNNNNNN/sNNNNNNNN/<id>.dcm`,
      );
    if (!/^[A-Za-z0-9_-]+$/.test(values.id)) throw problemAt(name, row, `id is "${values.id.slice(0, 40)}"`);
    const graded = Object.keys(values).filter((one) => !FIXED.includes(one) && !REMARKS.includes(one.toLowerCase()));
    const findings = Object.fromEntries(
      graded.map((finding) => [finding, values[finding].trim() === '' ? 0 : numberOf(name, row, finding)]),
    );
    return {
      id: values.id,
      film: values.dicom_id,
      patient: values.subject_id,
      path,
      discarded: flag(values.eye_tracking_data_discarded),
      width: numberOf(name, row, 'image_size_x'),
      height: numberOf(name, row, 'image_size_y'),
      findings,
    };
  });
}

const SHOWN = ['xmin', 'ymin', 'xmax', 'ymax'].map((side) => `${side}_shown_from_image`);
const DEGREES = ['x', 'y'].map((axis) => `angular_resolution_${axis}_pixels_per_degree`);

/** main_data/<id>/fixations.csv */
export function readReflacxFixations(name: string, bytes: Uint8Array): Fixation[] {
  const times = ['timestamp_start_fixation', 'timestamp_end_fixation'];
  return readTable(name, bytes, [...times, 'x_position', 'y_position', ...DEGREES, ...SHOWN]).map((row) => {
    const of = (column: string) => numberOf(name, row, column);
    const [start, end] = times.map(of);
    const [degreeX, degreeY] = DEGREES.map(of);
    const [left, top, right, bottom] = SHOWN.map((column) => Math.round(of(column)));
    if (!(end >= start)) throw problemAt(name, row, `the fixation ends at ${end} s, before it starts at ${start} s`);
    if (!(degreeX > 0 && degreeY > 0))
      throw problemAt(name, row, `one degree has ${degreeX} x ${degreeY} pixels, which must be positive`);
    return {
      x: of('x_position'),
      y: of('y_position'),
      duration: end - start,
      degreeX,
      degreeY,
      shown: { left, top, right, bottom },
    };
  });
}

/** main_data/<id>/anomaly_location_ellipses.csv */
export function readReflacxEllipses(name: string, bytes: Uint8Array): Ellipse[] {
  return readTable(name, bytes, ['xmin', 'ymin', 'xmax', 'ymax', 'certainty']).map((row) => {
    const [left, top, right, bottom, certainty] = ['xmin', 'ymin', 'xmax', 'ymax', 'certainty'].map((column) =>
      numberOf(name, row, column),
    );
    if (!(right > left && bottom > top))
      throw problemAt(name, row, `the ellipse reaches from (${left}, ${top}) to (${right}, ${bottom})`);
    if (!(certainty >= 0 && certainty <= 5)) throw problemAt(name, row, `certainty is ${certainty}, not 0 to 5`);
    return { left, top, right, bottom, certainty };
  });
}

/**
 * REFLACX has no three classes; these are derived. Index into CLASS_NAMES of a film's mean certainties: no finding present: normal; the
 * cardiac silhouette enlarged and no opacity: enlarged heart; consolidation or groundglass opacity and no enlarged heart: pneumonia; null
 * for every other film.
 */
export function reflacxClass(findings: Readonly<Record<string, number>>): number | null {
  const present = Object.keys(findings).filter((finding) => findings[finding] >= PRESENT);
  if (present.length === 0) return 0;
  const heart = present.some((finding) => /enlarged cardiac silhouette/i.test(finding));
  const opacity = present.some((finding) => /consolidation|groundglass/i.test(finding));
  if (heart === opacity) return null;
  return heart ? 1 : 2;
}

/** The mean certainty of each finding over readings; a reading whose phase does not know a finding says nothing on it. */
export function meanFindings(readings: readonly Pick<ReflacxReading, 'findings'>[]): Record<string, number> {
  const names = new Set(readings.flatMap(({ findings }) => Object.keys(findings)));
  return Object.fromEntries(
    [...names].map((name) => {
      const told = readings.map(({ findings }) => findings[name]).filter((value) => value !== undefined);
      return [name, told.reduce((a, b) => a + b, 0) / told.length];
    }),
  );
}

/**
 * EGD-CXR and MIMIC-CXR in their exact format with invented content: synthetic chests, gaze that the generator draws, no person's data.
 */
import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { randomStream } from '../data/counter-random.ts';
import { writeDicom } from '../data/dicom-writer.ts';
import { drawFinding } from '../data/finding.ts';
import { drawPerson } from '../data/person.ts';
import { drawPositioning } from '../data/positioning.ts';
import { radiograph } from '../data/radiograph.ts';
import { scanpath } from '../data/scanpath.ts';
import { type InventedLook, writeReflacx } from './example-reflacx.ts';
import { writeWhole } from './whole-file.ts';

const MASTER_COLUMNS =
  'dicom_id,path,study_id,patient_id,stay_id,gender,anchor_age,image_top_pad,image_bottom_pad,image_left_pad,image_right_pad,dx1,dx1_icd,dx2,dx2_icd,dx3,dx3_icd,dx4,dx4_icd,dx5,dx5_icd,dx6,dx6_icd,dx7,dx7_icd,dx8,dx8_icd,dx9,dx9_icd,normal_reports,Normal,CHF,pneumonia,consolidation,enlarged_cardiac_silhouette,linear__patchy_atelectasis,lobar__segmental_collapse,not_otherwise_specified_opacity___pleural__parenchymal_opacity__,pleural_effusion_or_thickening,pulmonary_edema__hazy_opacity,normal_anatomically,elevated_hemidiaphragm,hyperaeration,vascular_redistribution,atelectasis__chx,cardiomegaly__chx,consolidation__chx,edema__chx,enlarged_cardiomediastinum__chx,fracture__chx,lung_lesion__chx,lung_opacity__chx,no_finding__chx,pleural_effusion__chx,pleural_other__chx,pneumonia__chx,pneumothorax__chx,support_devices__chx,cxr_exam_indication'.split(
    ',',
  );
export const GAZE_HEADER =
  'SESSION_ID,MEDIA_ID,DICOM_ID,CNT,Time (in secs),TIMETICK(f=10000000),FPOGX,FPOGY,FPOGS,FPOGD,FPOGID,FPOGV,BPOGX,BPOGY,BPOGV,LPCX,LPCY,LPD,LPS,LPV,RPCX,RPCY,RPD,RPS,RPV,BKID,BKDUR,BKPMIN,LPMM,LPMMV,RPMM,RPMMV,SACCADE_MAG,SACCADE_DIR,VID_FRAME,X_ORIGINAL,Y_ORIGINAL';

/** Films are drawn smaller and each pixel repeated. */
const REPEAT = 4;

export interface ExampleOptions {
  readonly films: number;
  readonly seed: number;
  readonly height: number;
  readonly width: number;
  /** Size that eye_gaze.csv is filled up to with rows of the same films; 0: one reading of each. */
  readonly gazeBytes: number;
}

export interface ExampleFolders {
  readonly egd: string;
  readonly mimic: string;
  readonly reflacx: string;
  readonly gazeBytes: number;
}

export function writeExample(out: string, options: ExampleOptions): ExampleFolders {
  const { films, seed } = options;
  const [egd, mimic, reflacx] = ['egd', 'mimic', 'reflacx'].map((name) => join(out, name));
  const ids = Array.from({ length: films }, (_, i) => inventedId(seed, i));
  const rows: string[] = [];
  const readings: string[] = [];
  const fixations: string[] = [];
  const looks: InventedLook[] = [];
  for (const [i, id] of ids.entries()) {
    const label = i % 3;
    const patient = 10000000 + (i % 7 === 6 ? i - 3 : i); // now and then a second film of a person
    const path = `files/p10/p${patient}/s${50000000 + i}/${id}.dcm`;
    const { dicom, points } = inventedFilm(i, label, options);
    writeWhole(join(mimic, path), dicom);
    rows.push(masterRow({ id, path, patient, study: 50000000 + i, label }));
    readings.push(gazeRows(i, id, points, options));
    fixations.push(gazeRows(i, id, everyNth(points, SAMPLES_PER_FIXATION), options));
    looks.push({ id, path, patient, label, points });
    if (i % 20 === 0) readings.push(gazeRows(i, id.slice(0, -5), points.subarray(0, 20), options)); // a calibration screen
  }
  writeWhole(join(egd, 'master_sheet.csv'), `${MASTER_COLUMNS.join(',')}\n${rows.join('\n')}\n`);
  writeWhole(join(egd, 'fixations.csv'), `${GAZE_HEADER}\n${fixations.join('')}`);
  writeReflacx(reflacx, looks, options);
  const gazeBytes = writeGaze(join(egd, 'eye_gaze.csv'), readings, options.gazeBytes);
  return { egd, mimic, reflacx, gazeBytes };
}

/** A reading of 60 samples a second as fixations of a third of a second, the last sample of each. */
const SAMPLES_PER_FIXATION = 20;

export function everyNth(points: Float64Array, n: number): Float64Array {
  const count = Math.floor(points.length / 2 / n);
  return Float64Array.from({ length: 2 * count }, (_, i) => points[2 * (n * (i >> 1) + n - 1) + (i & 1)]);
}

function inventedId(seed: number, film: number): string {
  const random = randomStream(seed, `id/${film}`);
  return Array.from({ length: 5 }, () =>
    random
      .integer(2 ** 32)
      .toString(16)
      .padStart(8, '0'),
  ).join('-');
}

function inventedFilm(film: number, label: number, { seed, height, width }: ExampleOptions) {
  const small = { height: Math.floor(height / REPEAT), width: Math.floor(width / REPEAT) };
  const stream = (part: string) => randomStream(seed, `${part}/${film}`);
  const finding = drawFinding(stream('finding'), drawPerson(stream('person')), label);
  const positioning = drawPositioning(stream('positioning'), small);
  const image = radiograph(finding, positioning, { ...small, random: stream('radiograph') });
  const points = scanpath(finding, positioning, { height: small.height, random: stream('scanpath') }).map((v) =>
    Math.trunc(v * REPEAT),
  );
  const pixels = new Uint8Array(height * width * 2);
  const view = new DataView(pixels.buffer);
  for (let row = 0; row < height; row++) {
    const from = Math.min(small.height - 1, Math.floor(row / REPEAT)) * small.width;
    for (let column = 0; column < width; column++) {
      const value = image[from + Math.min(small.width - 1, Math.floor(column / REPEAT))];
      view.setUint16(2 * (row * width + column), Math.round(value * 4095), true);
    }
  }
  return { dicom: writeDicom({ height, width, bits: 12, allocated: 16, photometric: 'MONOCHROME2', pixels }), points };
}

function masterRow({
  id,
  path,
  patient,
  study,
  label,
}: {
  id: string;
  path: string;
  patient: number;
  study: number;
  label: number;
}): string {
  const told: Record<string, string | number> = {
    dicom_id: id,
    path,
    study_id: study,
    patient_id: patient,
    gender: study % 2 ? 'F' : 'M',
    anchor_age: '50 - 60',
    dx1: '"Invented, for a test"',
    Normal: label === 0 ? 1 : 0,
    CHF: label === 1 ? 1 : 0,
    pneumonia: label === 2 ? 1 : 0,
    cxr_exam_indication: '"Invented ""indication"",\nover two lines ___"',
  };
  return MASTER_COLUMNS.map((column) => told[column] ?? 0).join(',');
}

function gazeRows(session: number, id: string, points: Float64Array, { height, width }: ExampleOptions): string {
  let rows = '';
  for (let i = 0; i < points.length; i += 2) {
    const seconds = (i / 120).toFixed(6);
    const [x, y] = [(points[i] / width).toFixed(5), (points[i + 1] / height).toFixed(5)];
    rows += `${session},${session % 30},${id},${i / 2},${seconds},${123456789012 + 83333 * i}.0,${x},${y},${seconds},0.15000,${i / 20 + 1},1,${x},${y},1,0.40000,0.50000,16.00000,1.00000,1,0.60000,0.50000,16.50000,1.00000,1,0,0.00000,10,3.00000,1,3.10000,1,0.0,0.0,0.0,${points[i]},${points[i + 1]}\n`;
  }
  return rows;
}

/** In pieces, because a file of hundreds of megabytes does not fit a string. */
function writeGaze(path: string, readings: readonly string[], atLeast: number): number {
  mkdirSync(dirname(path), { recursive: true });
  const file = openSync(path, 'w');
  try {
    let bytes = writeSync(file, `${GAZE_HEADER}\n`);
    do for (const reading of readings) bytes += writeSync(file, reading);
    while (bytes < atLeast);
    return bytes;
  } finally {
    closeSync(file);
  }
}

/** REFLACX's tables with invented rows: findings by their own names, what counts as which class, and sentences for what is wrong. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  meanFindings,
  readReflacxEllipses,
  readReflacxFixations,
  readReflacxMetadata,
  reflacxClass,
} from '../../src/data/reflacx.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const image =
  'physionet.org/files/mimic-cxr/2.0.0/files/p10/p10000001/s50000001/00000000-11111111-22222222-33333333-44444444.dcm';
const metadata =
  'id,split,eye_tracking_data_discarded,image,dicom_id,subject_id,image_size_x,image_size_y,Consolidation,Enlarged cardiac silhouette,Support devices,Other';
const row = (more = '4,0,True,"two, things"', path = image) =>
  `P102R000001,train,False,${path},00000000-11111111-22222222-33333333-44444444,10000001,2544.0,3056.0,${more}`;
const readings = (...rows: string[]) => readReflacxMetadata('m.csv', bytes([metadata, ...rows].join('\n')));

it('reads who read what', () => {
  expect(readings(row())).toEqual([
    {
      id: 'P102R000001',
      film: '00000000-11111111-22222222-33333333-44444444',
      patient: '10000001',
      path: 'files/p10/p10000001/s50000001/00000000-11111111-22222222-33333333-44444444.dcm',
      discarded: false,
      width: 2544,
      height: 3056,
      findings: { Consolidation: 4, 'Enlarged cardiac silhouette': 0 },
    },
  ]);
  expect(() => readings(row('sure,0,True,'))).toThrow('m.csv, line 2: Consolidation is "sure", not a number');
  expect(() => readings(row(undefined, '../../etc/passwd'))).toThrow(/m.csv, line 2: image is "..\/..\/etc\/passwd"/);
  expect(() => readings(row(undefined, 'files/p10/p10000001/s50000001/../../../x.dcm'))).toThrow(/line 2: image is/);
});

it('derives three classes, and none for other findings', () => {
  const of = (heart: number, opacity: number, other: number) =>
    reflacxClass({ 'Enlarged cardiac silhouette': heart, 'Groundglass opacity': opacity, Pneumothorax: other });
  expect([of(0, 2, 2), of(3, 0, 5), of(0, 4, 0), of(3, 3, 0), of(0, 0, 3)]).toEqual([0, 1, 2, null, null]);
  const mean = meanFindings([{ findings: { a: 4, b: 1 } }, { findings: { a: 1 } }]);
  expect(mean).toEqual({ a: 2.5, b: 1 });
});

const fixations =
  'timestamp_start_fixation,timestamp_end_fixation,x_position,y_position,pupil_area_normalized,angular_resolution_x_pixels_per_degree,angular_resolution_y_pixels_per_degree,window_width,window_level,xmin_shown_from_image,ymin_shown_from_image,xmax_shown_from_image,ymax_shown_from_image,xmin_in_screen_coordinates,ymin_in_screen_coordinates,xmax_in_screen_coordinates,ymax_in_screen_coordinates';

it('reads fixations and ellipses, and tells the line of what is wrong', () => {
  const read = (values: string) => readReflacxFixations('f.csv', bytes(`${fixations}\n${values}\n`));
  const good = '0.5,0.75,100.5,-3,1,90,91,4096,2048,0,10,2544,3046,0,0,1920,1080';
  expect(read(good)).toEqual([
    {
      x: 100.5,
      y: -3,
      duration: 0.25,
      degreeX: 90,
      degreeY: 91,
      shown: { left: 0, top: 10, right: 2544, bottom: 3046 },
    },
  ]);
  expect(() => read(good.replace('0.75', '0.25'))).toThrow('f.csv, line 2: the fixation ends at 0.25 s, before');
  expect(() => read(good.replace(',90,', ',0,'))).toThrow('one degree has 0 x 91 pixels');
  expect(() => read(good.replace('100.5', 'NaN'))).toThrow('line 2: x_position is "NaN", not a number');
  const ellipse = (values: string) =>
    readReflacxEllipses('e.csv', bytes(`xmin,ymin,xmax,ymax,certainty,Consolidation\n${values}\n`));
  expect(ellipse('10,20,30,50,4,True')).toEqual([{ left: 10, top: 20, right: 30, bottom: 50, certainty: 4 }]);
  expect(() => ellipse('30,20,10,50,4,True')).toThrow('e.csv, line 2: the ellipse reaches from (30, 20) to (10, 50)');
  expect(() => ellipse('10,20,30,50,9,True')).toThrow('certainty is 9, not 0 to 5');
});

it('answers any text with rows or with a sentence that begins with the name', () => {
  const field = fc.oneof(
    fc.constantFrom('', 'NaN', '"', 'P1', image, '1', '-1', '1e999', '"a\nb"', 'ü', '\r', ','),
    fc.string({ unit: 'binary', maxLength: 8 }),
  );
  const table = (columns: number) =>
    fc.array(fc.array(field, { minLength: columns - 1, maxLength: columns + 1 }), { maxLength: 4 });
  const heads = [metadata, fixations, 'xmin,ymin,xmax,ymax,certainty'];
  const readers = [readReflacxMetadata, readReflacxFixations, readReflacxEllipses];
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 2 }).chain((kind) => fc.tuple(fc.constant(kind), table(heads[kind].split(',').length))),
      ([kind, rows]) => {
        try {
          readers[kind]('t.csv', bytes([heads[kind], ...rows.map((one) => one.join(','))].join('\n')));
        } catch (error) {
          expect((error as Error).message).toMatch(/^t\.csv(, line \d+)?: .*[.?]$/s);
        }
      },
    ),
    { numRuns: 500 },
  );
});

/** The streamed table against any cut of its bytes, and sentences for what is wrong in it. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { calibrationScreens, readMasterSheet } from '../../src/data/egd.ts';
import { GazeTable } from '../../src/data/gaze-table.ts';
import { readTable } from '../../src/data/table.ts';

const bytes = (text: string) => new TextEncoder().encode(text);

function read(text: string | Uint8Array, pieces = 1e9): GazeTable {
  const table = new GazeTable('eye_gaze.csv');
  const all = typeof text === 'string' ? bytes(text) : text;
  for (let at = 0; at < all.length; at += pieces) table.push(all.subarray(at, at + pieces));
  table.end();
  return table;
}

const quoted = (text: string) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

it('reads what was written, wherever the pieces are cut', () => {
  const row = fc.record({
    id: fc.constantFrom('a', 'b', 'with "quotes"', 'over\ntwo, lines', 'ü'),
    other: fc.string({ unit: 'grapheme' }).map(quoted),
    x: fc.oneof(fc.integer({ min: -5, max: 5000 }), fc.double({ noNaN: true, noDefaultInfinity: true })),
    y: fc.integer({ min: -99999999999, max: 99999999999 }),
  });
  const end = fc.constantFrom('\n', '\r\n');
  fc.assert(
    fc.property(fc.array(row), end, fc.integer({ min: 1, max: 50 }), fc.boolean(), (rows, eol, pieces, closed) => {
      const lines = rows.map(({ id, other, x, y }) => [quoted(id), other, x, y].join(','));
      const table = read(['DICOM_ID,other,X_ORIGINAL,Y_ORIGINAL', ...lines].join(eol) + (closed ? eol : ''), pieces);
      expect(table.rows).toBe(rows.length);
      for (const id of new Set(rows.map((one) => one.id)))
        expect([...table.byId.get(id)!.values]).toEqual(
          rows.filter((one) => one.id === id).flatMap(({ x, y }) => [x + 0 || 0, y]),
        );
    }),
    { numRuns: 500 },
  );
});

it.each([
  ['', /the file is empty/],
  ['DICOM_ID,X_ORIGINAL\n', /line 1: the column "Y_ORIGINAL" is missing.*DICOM_ID, X_ORIGINAL/],
  ['DICOM_ID,X_ORIGINAL,Y_ORIGINAL\na,1\n', /line 2: the row has 2 fields, the header 3/],
  ['DICOM_ID,X_ORIGINAL,Y_ORIGINAL\n"a\nb",1,2\na,NaN,2\n', /line 4: X_ORIGINAL is "NaN", not a number/],
  ['DICOM_ID,X_ORIGINAL,Y_ORIGINAL\na,,2\n', /line 2: X_ORIGINAL is ""/],
  ['DICOM_ID,X_ORIGINAL,Y_ORIGINAL\n"a,1,2\n', /line 2: the file ends inside a quoted field/],
])('refuses %j', (text, sentence) => {
  expect(() => read(text)).toThrow(sentence);
});

it('refuses what is not UTF-8, in both readers', () => {
  const latin = Uint8Array.of(...bytes('DICOM_ID,X_ORIGINAL,Y_ORIGINAL\n'), 0xfc, ...bytes(',1,2\n'));
  expect(() => read(latin)).toThrow(/line 2: the text is not UTF-8/);
  expect(() => readTable('t.csv', latin, [])).toThrow(/t.csv: the text is not UTF-8/);
});

const id = '00000000-11111111-22222222-33333333-44444444';
const header = 'dicom_id,path,patient_id,Normal,CHF,pneumonia,cxr_exam_indication';
const path = `files/p10/p10000001/s50000001/${id}.dcm`;

it('reads a master sheet with quoted newlines, and tells the line of what is wrong', () => {
  const sheet = (rows: string) => readMasterSheet('master_sheet.csv', bytes(`${header}\n${rows}`));
  const first = `${id},${path},1,0,1,0,"one, ""two""\nthree"`;
  expect(sheet(first)).toEqual([{ id, patient: '1', label: 1, path }]);
  expect(() => sheet(`${first}\n${first}`)).toThrow(/line 4: dicom_id .* occurs a second time/);
  expect(() => sheet(first.replace(',0,1,0,', ',0,1,1,'))).toThrow(/line 2: Normal, CHF, pneumonia are 0, 1, 1/);
  expect(() => sheet(first.replace('files/p10', '../p10'))).toThrow(/line 2: path is "\.\.\/p10/);
  expect(() => sheet(first.replace(id, id.slice(0, 39)))).toThrow(/line 2: dicom_id/);
  expect(() => sheet(`${id},${path}\n`)).toThrow(/line 2/);
});

it('takes an id of another length for a calibration screen', () => {
  expect(calibrationScreens([id, id.slice(0, 39)])).toEqual([id.slice(0, 39)]);
});

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
  ['', /is empty/],
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
  expect(() => readTable('t.csv', latin, [])).toThrow(/t.csv, line 2: the text is not UTF-8/);
  const bad: string[] = [];
  const more = Uint8Array.of(...latin, ...bytes('b,3,4\n'));
  expect(readTable('t.csv', more, [], ({ reason }) => bad.push(reason))).toEqual([
    { line: 3, values: { DICOM_ID: 'b', X_ORIGINAL: '3', Y_ORIGINAL: '4' } },
  ]);
  expect(bad).toEqual(['t.csv, line 2: the text is not UTF-8; save the table as UTF-8.']);
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

it('leaves out whole rows and lists them, where that is asked for', () => {
  const bad: string[] = [];
  const table = new GazeTable('g.csv', undefined, ({ id, reason }) => bad.push(`${id}: ${reason}`));
  table.push(bytes('DICOM_ID,X_ORIGINAL,Y_ORIGINAL\na,1,2\nb,3,NaN\n'));
  table.push(Uint8Array.of(0xfc, ...bytes(',1,2\na,5,6\n"c",7\n')));
  table.end();
  expect([...table.byId].map(([id, { values }]) => [id, ...values])).toEqual([['a', 1, 2, 5, 6]]);
  expect(table.rows).toBe(2);
  expect(bad).toEqual([
    expect.stringMatching(/^b: g.csv, line 3: Y_ORIGINAL is "NaN"/),
    expect.stringMatching(/^: g.csv, line 4: the text is not UTF-8/),
    expect.stringMatching(/^c: g.csv, line 6: the row has 2 fields, the header 3/),
  ]);
  // What cannot be told from the rows after it ends the reading all the same.
  table.push(bytes('"open,1,2\n'));
  expect(() => table.end()).toThrow(/ends inside a quoted field/);
  const open = bytes(`${header}\n${id},${path},1,0,1,0,"open\n`);
  expect(() => readMasterSheet('m.csv', open, () => {})).toThrow(/m.csv, line \d+: Quote Not Closed/);
});

/** Rows of a master sheet in any order of columns, with a free text that may hold anything. */
const sheets = () => {
  const hex = (length: number) =>
    fc
      .array(fc.constantFrom(...'0123456789abcdef'), { minLength: length, maxLength: length })
      .map((digits) => digits.join(''));
  const row = fc.record({
    id: fc.array(hex(8), { minLength: 5, maxLength: 5 }).map((groups) => groups.join('-')),
    patient: fc.nat(99999999).map(String),
    label: fc.nat(2),
    path: fc.array(fc.stringMatching(/^[a-z0-9]{1,9}$/), { minLength: 1, maxLength: 4 }),
    text: fc.string({ unit: 'grapheme' }).map((text) => text.replaceAll('\r', '')),
    wrong: fc.constantFrom(null, null, null, 'id', 'label', 'path', 'patient', 'fields'),
  });
  return fc.record({
    rows: fc.uniqueArray(row, { selector: ({ id }) => id, maxLength: 8 }),
    columns: fc.shuffledSubarray(header.split(','), { minLength: 7 }),
    eol: fc.constantFrom('\n', '\r\n'),
    bom: fc.constantFrom('', '\ufeff'),
  });
};

it('reads every sound row of a master sheet, and tells each bad one by its line', () => {
  fc.assert(
    fc.property(sheets(), ({ rows, columns, eol, bom }) => {
      const bad: { readonly line: number; readonly id: string }[] = [];
      let line = 2;
      const lines = rows.map(({ id, patient, label, path, text, wrong }) => {
        const flags = [0, 1, 2].map((i) => Number(i === label || (wrong === 'label' && i === (label + 1) % 3)));
        const cells: Record<string, string | number> = {
          dicom_id: wrong === 'id' ? id.slice(1) : id,
          path: [...(wrong === 'path' ? ['..'] : ['files']), ...path, `${id}.dcm`].join('/'),
          patient_id: wrong === 'patient' ? '' : patient,
          cxr_exam_indication: `"${text.replaceAll('"', '""')}"`,
        };
        ['Normal', 'CHF', 'pneumonia'].forEach((name, i) => {
          cells[name] = flags[i];
        });
        if (wrong) bad.push({ line, id: wrong === 'fields' ? '' : String(cells.dicom_id) });
        line += 1 + (text.match(/\n/g)?.length ?? 0);
        return columns.map((name) => cells[name]).join(',') + (wrong === 'fields' ? ',more' : '');
      });
      const file = bytes(bom + [columns.join(','), ...lines, ''].join(eol));
      const sound = rows
        .filter(({ wrong }) => !wrong)
        .map(({ id, patient, label, path }) => ({ id, patient, label, path: `files/${path.join('/')}/${id}.dcm` }));
      const skipped: { readonly id: string; readonly reason: string }[] = [];
      expect(readMasterSheet('m.csv', file, (row) => skipped.push(row))).toEqual(sound);
      expect(skipped.map(({ id }) => id).sort()).toEqual(bad.map(({ id }) => id).sort());
      for (const { reason } of skipped) expect(reason).toMatch(/^m\.csv, line \d+: [^\n]*(correct the row|download)/);
      if (bad.length === 0) expect(readMasterSheet('m.csv', file)).toEqual(sound);
      else expect(() => readMasterSheet('m.csv', file)).toThrow(/^m\.csv, line \d+: /);
      if (bad.length === 1 && bad[0].id) expect(skipped[0].reason).toContain(`line ${bad[0].line}:`);
    }),
    { numRuns: 300, seed: 5 },
  );
});

it('takes an id of another length for a calibration screen', () => {
  expect(calibrationScreens([id, id.slice(0, 39)])).toEqual([id.slice(0, 39)]);
});

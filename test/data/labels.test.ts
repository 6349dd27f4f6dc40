import { expect, test } from 'vitest';
import { labelWarnings, nearDuplicates, trimmed } from '../../src/data/labels.ts';

test.each([
  ['CHF ', 'CHF'],
  ['\tCHF\r', 'CHF'],
  ['\u00a0CHF\u2003', 'CHF'],
  ['\ufeffCHF\u200b', 'CHF'],
  ['  \u00a0 ', ''],
  ['enlarged heart', 'enlarged heart'],
  ['e\u0301', '\u00e9'],
])('%j is the label %j', (text, label) => {
  expect(trimmed(text)).toBe(label);
});

test('labels that differ in case, blanks, punctuation or accents alone are told', () => {
  const labels = [
    'CHF',
    'chf',
    'C.H.F.',
    'Normal',
    'no finding',
    'No_Finding',
    'opacité',
    'opacite',
    'grade 1',
    'grade 2',
  ];
  expect(nearDuplicates(labels)).toEqual([
    ['CHF', 'chf', 'C.H.F.'],
    ['no finding', 'No_Finding'],
    ['opacité', 'opacite'],
  ]);
  expect(labelWarnings(labels)[0]).toMatch(/the labels "CHF" and "chf" and "C\.H\.F\." are 3 classes; .*\.$/);
  expect(nearDuplicates(['+', '-', '1', '2', 'a', 'b'])).toEqual([]);
});

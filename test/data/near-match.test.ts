import { expect, test } from 'vitest';
import { missingGaze, nearMatches } from '../../src/data/near-match.ts';

const id = '884bdcd6-be2f8b9e-3c9b67e5-6f9ad7bb-83459037';
const other = '78d5bd13-41c2cf85-c75e2009-34acbebc-092a5345';

test.each([
  ['cut short', id.slice(0, 35), id],
  ['cut by one digit', id.slice(0, -1), id],
  ['too long', `${id}-1`, id],
  ['in upper case', id.toUpperCase(), id],
  ['with an ending', `${id}.dcm`, id],
  ['with blanks', ` ${id} `, id],
  ['below a folder', `films/chest-0001.png`, 'chest-0001.png'],
  ['without its ending', 'chest-0001', 'chest-0001.png'],
  ['without its beginning', id.slice(9), id],
])('an id %s is found', (_, near, wanted) => {
  expect(nearMatches(wanted, [other, near])).toEqual([near]);
  expect(missingGaze(wanted, 'fixations.csv', [other, near])).toContain(`"${near}"`);
});

test('ids of other films are not', () => {
  expect(nearMatches(id, [other, id, '884', ''])).toEqual([]);
  expect(missingGaze(id, 'fixations.csv', [other])).toBe(
    'fixations.csv has no row for it; add its rows, or leave the film out of the table of films',
  );
});

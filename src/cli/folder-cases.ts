/** Cases of anyone's own folder: a table of labels, a table of gaze points, films of any kind that is read. */
import { GazeTable } from '../data/gaze-table.ts';
import { readTable } from '../data/table.ts';
import type { BadRows } from './bad-rows.ts';
import { Failure } from './failure.ts';
import { type GazeNeeds, gazeValues, readingOf } from './gaze-readings.ts';
import type { SourceCase } from './prepare-data.ts';
import { readPieces, readWhole } from './source-files.ts';

interface FolderTables {
  readonly labels: string;
  readonly gaze: string;
  /** Names of the columns file, label, patient, x, y and duration where they are others. */
  readonly columns: Readonly<Record<string, string>>;
  readonly needs: GazeNeeds;
  /** Where bad rows of both tables go; null: the first one is thrown. */
  readonly badRows: BadRows | null;
}

/** Without a column of patients, each film is a patient of its own. Classes are the labels in alphabetical order. */
export async function readFolderCases(
  folder: string,
  { labels, gaze, columns, needs, badRows }: FolderTables,
): Promise<{ cases: SourceCase[]; classNames: string[] }> {
  const { file = 'file', label = 'label', patient = 'patient', x = 'x', y = 'y', duration = 'duration' } = columns;
  const skip = badRows?.of(labels);
  const seen = new Set<string>();
  const rows = readTable(labels, readWhole(labels), [file, label], skip).filter(({ line, values }) => {
    const id = values[file];
    if (id !== '' && !seen.has(id)) return seen.add(id);
    const reason = `${labels}, line ${line}: ${file} is "${id}", but each film needs one row and a name.`;
    if (!skip) throw new Failure(reason);
    skip({ id, reason });
    return false;
  });
  if (rows.length === 0) throw new Failure(`${labels} names no film; add a row for each file of ${folder}.`);
  const classNames = [...new Set(rows.map(({ values }) => values[label]))].sort();
  if (classNames.length < 2)
    throw new Failure(`${labels}: the only label is "${classNames[0]}"; at least two classes are needed.`);
  const table = new GazeTable(gaze, { id: file, values: gazeValues([x, y], duration, needs) }, badRows?.of(gaze));
  await readPieces(gaze, (piece) => table.push(piece));
  table.end();
  const cases = rows.map(({ values }) => {
    const id = values[file];
    return {
      id,
      patient: values[patient] || id,
      label: classNames.indexOf(values[label]),
      path: id,
      readings: [readingOf(table.byId.get(id), needs)],
    };
  });
  return { cases, classNames };
}

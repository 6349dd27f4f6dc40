/** Cases of anyone's own folder: a table of labels, a table of gaze points, films of any kind that is read. */
import { GazeTable, NumberList } from '../data/gaze-table.ts';
import { trimmed } from '../data/labels.ts';
import { missingGaze } from '../data/near-match.ts';
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
  const rows = readTable(labels, readWhole(labels), [file, label], skip).flatMap(({ line, values }) => {
    const id = trimmed(values[file]);
    const row = { id, label: trimmed(values[label]), patient: trimmed(values[patient] ?? '') || id };
    const reason = problemOf(row, seen.has(id));
    if (!reason) {
      seen.add(id);
      return [row];
    }
    const sentence = `${labels}, line ${line}: ${reason}`;
    if (!skip) throw new Failure(`${sentence} Or leave out bad rows with --skip-bad.`);
    skip({ id, reason: sentence });
    return [];
  });
  if (rows.length === 0) throw new Failure(`${labels} names no film; add a row for each file of ${folder}.`);
  const classNames = [...new Set(rows.map((row) => row.label))].sort();
  if (classNames.length < 2)
    throw new Failure(`${labels}: the only label is "${classNames[0]}"; at least two classes are needed.`);
  const samples = new GazeTable(
    gaze,
    { id: file, values: gazeValues([x, y], duration, needs) },
    badRows?.of(gaze, 'a row of'),
  );
  await readPieces(gaze, (piece) => samples.push(piece));
  samples.end();
  const byId = byTrimmedId(samples.byId);
  const cases = rows.map(({ id, patient, label }) => ({
    id,
    patient,
    label: classNames.indexOf(label),
    path: id,
    readings: [readingOf(byId.get(id), needs)],
    ...(!byId.has(id) && { missingGaze: missingGaze(id, gaze, byId.keys()) }),
  }));
  return { cases, classNames };
}

function problemOf({ id, label }: { id: string; label: string }, isSecond: boolean): string | null {
  if (id === '') return 'the row names no film; write the file that it speaks of.';
  if (label === '') return `${id} has no label; write its class, or leave the row out.`;
  return isSecond ? `${id} has a row already; each film needs one.` : null;
}

/** Rows of ids that differ in the blanks around them are one film's. */
function byTrimmedId(byId: ReadonlyMap<string, NumberList>): ReadonlyMap<string, NumberList> {
  if ([...byId.keys()].every((id) => id === trimmed(id))) return byId;
  const joined = new Map<string, NumberList>();
  for (const [id, list] of byId) {
    const known = joined.get(trimmed(id)) ?? new NumberList();
    for (const value of list.values) known.append(value);
    joined.set(trimmed(id), known);
  }
  return joined;
}

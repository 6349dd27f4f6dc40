/**
 * EGD-CXR's master_sheet.csv: which film, whose, and what is wrong (DOI 10.13026/qfdz-zr67).
 */
import { readTable, type SkipRow, type TableRow } from './table.ts';

export interface CaseRow {
  readonly id: string;
  readonly patient: string;
  /** Index into CLASS_NAMES. */
  readonly label: number;
  /** Of the film, relative to the folder of films, with "/". */
  readonly path: string;
}

/** Five groups of eight hexadecimal digits. Shorter ids are calibration screens. */
export const DICOM_ID_LENGTH = 44;

/** In the order of CLASS_NAMES: the paper's "enlarged heart" is the column CHF. */
const CLASS_COLUMNS = ['Normal', 'CHF', 'pneumonia'] as const;

/** @param skip where bad rows go; without it the first one is thrown */
export function readMasterSheet(name: string, bytes: Uint8Array, skip?: SkipRow): CaseRow[] {
  const seen = new Set<string>();
  return readTable(name, bytes, ['dicom_id', 'path', 'patient_id', ...CLASS_COLUMNS], skip).flatMap((row) => {
    try {
      return [caseOf(name, row, seen)];
    } catch (error) {
      if (!skip) throw error;
      skip({ id: row.values.dicom_id, reason: (error as Error).message });
      return [];
    }
  });
}

function caseOf(name: string, { line, values }: TableRow, seen: Set<string>): CaseRow {
  const problem = (what: string) =>
    new Error(`${name}, line ${line}: ${what}; correct the row or download the file again.`);
  const id = values.dicom_id;
  if (id.length !== DICOM_ID_LENGTH || !/^[0-9a-f-]+$/.test(id))
    throw problem(`dicom_id is "${id.slice(0, 60)}", not ${DICOM_ID_LENGTH} hexadecimal digits and hyphens`);
  if (seen.has(id)) throw problem(`dicom_id ${id} occurs a second time`);
  const flags = CLASS_COLUMNS.map((column) => Number(values[column]));
  const label = flags.indexOf(1);
  if (flags.filter((flag) => flag === 1).length !== 1 || flags.some((flag) => flag !== 0 && flag !== 1))
    throw problem(`${CLASS_COLUMNS.join(', ')} are ${flags.join(', ')}, but exactly one must be 1 and the others 0`);
  if (!/^[\w.-]+(\/[\w.-]+)+\.dcm$/.test(values.path) || values.path.split('/').includes('..'))
    throw problem(`path is "${values.path.slice(0, 100)}", not files/pNN/pNNNNNNNN/sNNNNNNNN/<id>.dcm`);
  if (values.patient_id === '') throw problem('patient_id is empty');
  seen.add(id);
  return { id, patient: values.patient_id, label, path: values.path };
}

/** Gaze ids that are calibration screens; never matched to a film by their beginning. */
export function calibrationScreens(ids: Iterable<string>): string[] {
  return [...ids].filter((id) => id.length !== DICOM_ID_LENGTH);
}

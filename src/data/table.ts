/** Small tables whole: rows by column name, with the line on which each begins. */
import { CsvError, parse } from 'csv-parse/browser/esm/sync';
import { refuseForeignFile } from './foreign-file.ts';

export interface TableRow {
  /** 1 is the header. */
  readonly line: number;
  readonly values: Readonly<Record<string, string>>;
}

/** Takes a row that is left out: whose, where that can be told, and the sentence that says what is wrong. */
export type SkipRow = (row: { readonly id: string; readonly reason: string }) => void;

/**
 * @param name of the file, for messages
 * @param required columns that must be there
 * @param skip where bad rows go; without it the first one is thrown
 * @throws Error naming file, line and remedy
 */
export function readTable(name: string, bytes: Uint8Array, required: readonly string[], skip?: SkipRow): TableRow[] {
  refuseForeignFile(name, bytes);
  const foreign = (line: number) => `${name}, line ${line}: the text is not UTF-8; save the table as UTF-8.`;
  const badLine = firstForeignLine(bytes);
  if (badLine !== null && !skip) throw new Error(foreign(badLine));
  const text = new TextDecoder().decode(bytes);
  const sentence = ({ lines, message }: CsvError) =>
    `${name}, line ${lines ?? 1}: ${message}; correct the row or download the file again.`;
  let records: { record: Record<string, string>; info: { lines: number } }[];
  let header: string[] = [];
  try {
    records = parse(text, {
      bom: true,
      info: true,
      skip_empty_lines: true,
      skip_records_with_error: skip !== undefined,
      on_skip: (error) => {
        if (!error) return;
        // Nobody can tell how many rows an open quote has swallowed.
        if (error.code === 'CSV_QUOTE_NOT_CLOSED') throw error;
        skip?.({ id: '', reason: sentence(error) });
      },
      columns: (names: string[]) => {
        header = names;
        return names;
      },
    }) as never;
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    throw new Error(sentence(error));
  }
  const missing = required.filter((column) => !header.includes(column));
  if (missing.length > 0) {
    throw new Error(
      `${name}, line 1: the column "${missing[0]}" is missing, the file has: ${header.slice(0, 60).join(', ')}; is it the right file?`,
    );
  }
  // The parser counts the lines up to the end of a record.
  const rows = records.map(({ record, info }) => ({
    line: info.lines - Object.values(record).reduce((sum, value) => sum + (value.match(/\n/g)?.length ?? 0), 0),
    values: record,
  }));
  if (badLine === null) return rows;
  return rows.filter(({ line, values }) => {
    const isForeign = Object.values(values).some((value) => value.includes(REPLACEMENT));
    if (isForeign) skip?.({ id: '', reason: foreign(line) });
    return !isForeign;
  });
}

/** What a decoder puts in the place of bytes that are no UTF-8. */
const REPLACEMENT = '\ufffd';

function firstForeignLine(bytes: Uint8Array): number | null {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  for (let line = 1, from = 0; from < bytes.length; line++) {
    const end = bytes.indexOf(10, from);
    const to = end < 0 ? bytes.length : end + 1;
    try {
      decoder.decode(bytes.subarray(from, to));
    } catch {
      return line;
    }
    from = to;
  }
  return null;
}

/** Small tables whole: rows by column name, with the line on which each begins. */
import { CsvError, parse } from 'csv-parse/browser/esm/sync';

export interface TableRow {
  /** 1 is the header. */
  readonly line: number;
  readonly values: Readonly<Record<string, string>>;
}

/**
 * @param name of the file, for messages
 * @param required columns that must be there
 * @throws Error naming file, line and remedy
 */
export function readTable(name: string, bytes: Uint8Array, required: readonly string[]): TableRow[] {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new Error(`${name}: the text is not UTF-8; save the table as UTF-8.`);
  }
  let records: { record: Record<string, string>; info: { lines: number } }[];
  let header: string[] = [];
  try {
    records = parse(text, {
      bom: true,
      info: true,
      skip_empty_lines: true,
      columns: (names: string[]) => {
        header = names;
        return names;
      },
    }) as never;
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    throw new Error(`${name}, line ${error.lines ?? 1}: ${error.message}; correct the row or download the file again.`);
  }
  const missing = required.filter((column) => !header.includes(column));
  if (missing.length > 0) {
    throw new Error(
      `${name}, line 1: the column "${missing[0]}" is missing, the file has: ${header.slice(0, 60).join(', ')}; is it the right file?`,
    );
  }
  // The parser counts the lines up to the end of a record.
  return records.map(({ record, info }) => ({
    line: info.lines - Object.values(record).reduce((sum, value) => sum + (value.match(/\n/g)?.length ?? 0), 0),
    values: record,
  }));
}

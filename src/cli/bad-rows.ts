/** Rows of tables that --skip-bad leaves out: each is listed, of very many the first and their number. */
import type { SkipRow } from '../data/table.ts';
import { note } from './messages.ts';

/** Of one table; a damaged one of millions of rows must not fill memory and index with sentences. */
const LISTED = 100;

export interface Bad {
  readonly id: string;
  readonly reason: string;
}

export class BadRows {
  private readonly tables = new Map<string, { readonly listed: Bad[]; count: number }>();

  /** null where nothing may be left out: the first bad row then ends the work. */
  static listed(skipBad = false): BadRows | null {
    return skipBad ? new BadRows() : null;
  }

  /** Takes the bad rows of the table at `path`. what: a row is a film of its own, or one of many rows of a film that stays. */
  of(path: string, what: 'film' | 'a row of' = 'film'): SkipRow {
    const table = { listed: [] as Bad[], count: 0 };
    this.tables.set(path, table);
    return (left) => {
      table.count++;
      const row =
        what === 'film' ? left : { ...left, reason: `${left.reason} This row of gaze is left out, the film stays.` };
      if (table.listed.length === LISTED) return;
      table.listed.push(row);
      note(
        `left out ${what === 'film' ? row.id || 'a row' : `a row of ${row.id || 'an unreadable id'}`}: ${row.reason}`,
      );
    };
  }

  get list(): Bad[] {
    return [...this.tables].flatMap(([path, { listed, count }]) =>
      count > listed.length
        ? [...listed, { id: '', reason: `${path}: ${count - listed.length} more rows cannot be read.` }]
        : listed,
    );
  }
}

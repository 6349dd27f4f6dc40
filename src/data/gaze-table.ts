/**
 * Gaze samples out of a table of hundreds of megabytes, in bounded memory: the bytes are scanned once, only the few columns that are asked
 * for are decoded.
 *
 * The table is CSV as RFC 4180 has it (quoted fields may hold commas, quotes and line ends), UTF-8, with a header. A well-kept parser makes
 * an object or an array of strings of every row, which is several times too slow for the 37 columns of eye_gaze.csv.
 */
import { refuseForeignFile } from './foreign-file.ts';
import type { SkipRow } from './table.ts';

export interface GazeColumns {
  readonly id: string;
  /** Columns of numbers to keep: x and y in pixels of the original film first. */
  readonly values: readonly string[];
}

/** Columns of EGD-CXR's eye_gaze.csv and fixations.csv. */
export const egdColumns: GazeColumns = { id: 'DICOM_ID', values: ['X_ORIGINAL', 'Y_ORIGINAL'] };

/** The kept numbers of the rows that share an id, row after row, growing. */
export class NumberList {
  private numbers = new Float64Array(64);
  private used = 0;

  append(value: number): void {
    if (this.used === this.numbers.length) {
      const larger = new Float64Array(2 * this.used);
      larger.set(this.numbers);
      this.numbers = larger;
    }
    this.numbers[this.used++] = value;
  }

  /** A view. */
  get values(): Float64Array {
    return this.numbers.subarray(0, this.used);
  }
}

const [COMMA, QUOTE, LF, CR] = [44, 34, 10, 13];
const LONGEST_ROW = 1 << 20;

/** Where the columns are, and how many a row has. */
interface Places {
  readonly id: number;
  readonly values: readonly number[];
  readonly count: number;
}

export class GazeTable {
  readonly byId = new Map<string, NumberList>();
  rows = 0;
  private readonly name: string;
  private readonly columns: GazeColumns;
  private readonly decoder = new TextDecoder('utf-8', { fatal: true });
  private places: Places | null = null;
  private rest = new Uint8Array(0);
  private line = 1;
  private began = false;
  private lastId = '';
  private lastBytes = new Uint8Array(0);
  private lastList: NumberList | null = null;
  private readonly numbers: Float64Array;
  private readonly skip: SkipRow | null;

  /**
   * @param name of the file, for messages
   * @param skip where bad rows go; without it the first one is thrown
   */
  constructor(name: string, columns: GazeColumns = egdColumns, skip: SkipRow | null = null) {
    this.name = name;
    this.columns = columns;
    this.numbers = new Float64Array(columns.values.length);
    this.skip = skip;
  }

  /** The next bytes of the file; a row may go on in the next call. */
  push(chunk: Uint8Array): void {
    const bytes = this.rest.length === 0 ? chunk : joined(this.rest, chunk);
    if (!this.places && bytes.length > 0) refuseForeignFile(this.name, bytes);
    this.began ||= bytes.length > 0;
    const consumed = this.scan(bytes);
    this.rest = bytes.slice(consumed);
    if (this.rest.length > LONGEST_ROW)
      throw this.problem(`a row is longer than ${LONGEST_ROW} bytes; is a quote left open?`);
  }

  /** After the last byte. */
  end(): void {
    const last = this.rest;
    if (last.length > 0) {
      this.rest = new Uint8Array(0);
      const consumed = this.scan(joined(last, Uint8Array.of(LF)));
      if (consumed === 0) throw this.problem('the file ends inside a quoted field; download it again.');
    }
    if (this.places) return;
    if (!this.began) refuseForeignFile(this.name, last);
    throw this.problem('there is no header; the first line names the columns.');
  }

  /** Reads whole rows and returns how many bytes they took. */
  private scan(bytes: Uint8Array): number {
    let consumed = 0;
    const ends: number[] = [];
    let quoted = false;
    let lines = 0;
    for (let i = 0; i < bytes.length; i++) {
      const byte = bytes[i];
      if (byte > COMMA) continue;
      if (byte === QUOTE) quoted = !quoted;
      else if (byte === LF) {
        lines++;
        if (quoted) continue;
        ends.push(bytes[i - 1] === CR && i > consumed ? i - 1 : i);
        this.row(bytes, consumed, ends);
        this.line += lines;
        lines = 0;
        ends.length = 0;
        consumed = i + 1;
      } else if (byte === COMMA && !quoted) ends.push(i);
    }
    return consumed;
  }

  private row(bytes: Uint8Array, start: number, ends: readonly number[]): void {
    if (ends.length === 1 && ends[0] === start) return; // an empty line
    if (!this.places) {
      this.places = this.header(ends.map((end, i) => this.text(bytes, i === 0 ? start : ends[i - 1] + 1, end)));
      return;
    }
    try {
      this.sample(bytes, start, ends, this.places);
    } catch (error) {
      if (!this.skip) throw error;
      this.skip({ id: this.idOf(bytes, start, ends, this.places), reason: (error as Error).message });
    }
  }

  /** Appends the numbers of a row, all or none. */
  private sample(bytes: Uint8Array, start: number, ends: readonly number[], places: Places): void {
    const { id, values, count } = places;
    if (ends.length !== count)
      throw this.problem(
        `the row has ${ends.length} fields, the header ${count}; correct the row or download the file again.`,
      );
    const begin = (i: number) => (i === 0 ? start : ends[i - 1] + 1);
    for (let v = 0; v < values.length; v++) {
      const field = values[v];
      this.numbers[v] = this.number(bytes, begin(field), ends[field], this.columns.values[v]);
    }
    this.select(bytes, begin(id), ends[id]);
    for (let v = 0; v < values.length; v++) this.lastList!.append(this.numbers[v]);
    this.rows++;
  }

  /** Of a bad row, where it can be read; else nothing. */
  private idOf(bytes: Uint8Array, start: number, ends: readonly number[], { id }: Places): string {
    if (id >= ends.length) return '';
    try {
      return this.text(bytes, id === 0 ? start : ends[id - 1] + 1, ends[id]);
    } catch {
      return '';
    }
  }

  private header(names: string[]): Places {
    names[0] = names[0].replace(/^\uFEFF/, '');
    const place = (name: string) => {
      const at = names.indexOf(name);
      if (at < 0)
        throw this.problem(
          `the column "${name}" is missing, the file has: ${names.slice(0, 50).join(', ')}; is it the right file?`,
        );
      return at;
    };
    return { id: place(this.columns.id), values: this.columns.values.map(place), count: names.length };
  }

  /** Neighbouring rows mostly share their id: decode it only when its bytes change. */
  private select(bytes: Uint8Array, begin: number, end: number): void {
    const last = this.lastBytes;
    let same = this.lastList !== null && last.length === end - begin;
    for (let i = 0; same && i < last.length; i++) same = last[i] === bytes[begin + i];
    if (same) return;
    this.lastBytes = bytes.slice(begin, end);
    this.lastId = this.text(bytes, begin, end);
    this.lastList = this.byId.get(this.lastId) ?? new NumberList();
    this.byId.set(this.lastId, this.lastList);
  }

  /** Whole numbers, which the coordinates mostly are, without a string. */
  private number(bytes: Uint8Array, begin: number, end: number, column: string): number {
    const negative = bytes[begin] === 45;
    let value = 0;
    for (let i = negative ? begin + 1 : begin; i < end; i++) {
      const digit = bytes[i] - 48;
      if (digit < 0 || digit > 9 || end - begin > 12) return this.decimal(bytes, begin, end, column);
      value = 10 * value + digit;
    }
    if (end - begin === (negative ? 1 : 0)) return this.decimal(bytes, begin, end, column);
    return negative ? -value : value;
  }

  private decimal(bytes: Uint8Array, begin: number, end: number, column: string): number {
    const text = this.text(bytes, begin, end).trim();
    const value = Number(text);
    if (text === '' || !Number.isFinite(value))
      throw this.problem(
        `${column} is "${text.slice(0, 40)}", not a number; correct the row or download the file again.`,
      );
    return value;
  }

  private text(bytes: Uint8Array, begin: number, end: number): string {
    let text: string;
    try {
      text = this.decoder.decode(bytes.subarray(begin, end));
    } catch {
      throw this.problem('the text is not UTF-8; save the table as UTF-8.');
    }
    return text.startsWith('"') && text.endsWith('"') && text.length > 1
      ? text.slice(1, -1).replaceAll('""', '"')
      : text;
  }

  private problem(what: string): Error {
    return new Error(`${this.name}, line ${this.line}: ${what}`);
  }
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer> {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}

/**
 * The header of a safetensors file, read strictly.
 *
 *   {"__metadata__": {string: string, ...}, name: {"dtype": string, "shape": [n, ...], "data_offsets": [begin, end]}, ...}
 *
 * A scanner of its own, because JSON.parse keeps the last of two equal names, sets a prototype for "__proto__", and
 * rounds large integers, all without a word. It knows this one shape of JSON, so it cannot be made to nest deeply.
 */

/** A safetensors file that is damaged, hostile, or not one. The message is one sentence. */
export class SafetensorsError extends Error {
  override readonly name = 'SafetensorsError';
}

/** One entry as it stands in the header; begin and end are bytes from the start of the data. */
export interface HeaderEntry {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

export interface Header {
  /** In the order of the header. */
  readonly entries: ReadonlyMap<string, HeaderEntry>;
  readonly metadata: ReadonlyMap<string, string>;
}

export const METADATA_KEY = '__metadata__';

/** @throws SafetensorsError when the text is not the header of a safetensors file */
export function parseHeader(text: string): Header {
  if (text[0] !== '{') throw new SafetensorsError(`The header is not a JSON object, it starts with ${quote(text)}.`);
  const scanner = new Scanner(text);
  const entries = new Map<string, HeaderEntry>();
  const metadata = new Map<string, string>();
  scanner.object('the header', (name) => {
    if (name === METADATA_KEY) scanner.object(METADATA_KEY, (key) => metadata.set(key, scanner.string()));
    else entries.set(name, parseEntry(scanner, name));
  });
  scanner.end();
  return { entries, metadata };
}

/** A name as an error may show it: quoted, and never longer than a line. */
export function quote(name: string): string {
  return JSON.stringify(name.length > 60 ? `${name.slice(0, 60)}...` : name);
}

function parseEntry(scanner: Scanner, name: string): HeaderEntry {
  let dtype: string | undefined;
  let shape: number[] | undefined;
  let offsets: number[] | undefined;
  scanner.object(`tensor ${quote(name)}`, (key) => {
    if (key === 'dtype') dtype = scanner.string();
    else if (key === 'shape') shape = scanner.integers();
    else if (key === 'data_offsets') offsets = scanner.integers();
    else throw new SafetensorsError(`Tensor ${quote(name)} has an unknown field ${quote(key)}.`);
  });
  if (dtype === undefined || shape === undefined || offsets === undefined) {
    const missing = dtype === undefined ? 'dtype' : shape === undefined ? 'shape' : 'data_offsets';
    throw new SafetensorsError(`Tensor ${quote(name)} has no ${missing}.`);
  }
  if (offsets.length !== 2) {
    throw new SafetensorsError(`Tensor ${quote(name)} has ${offsets.length} data_offsets instead of 2.`);
  }
  return { dtype, shape, begin: offsets[0], end: offsets[1] };
}

class Scanner {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** {"key": value, ...}; `readValue` must consume the value. Refuses a key that occurs twice. */
  object(what: string, readValue: (key: string) => void): void {
    const seen = new Set<string>();
    this.#expect('{');
    if (this.#accept('}')) return;
    do {
      const key = this.string();
      if (seen.has(key)) throw new SafetensorsError(`In ${what} the name ${quote(key)} occurs twice.`);
      seen.add(key);
      this.#expect(':');
      readValue(key);
    } while (this.#accept(','));
    this.#expect('}');
  }

  string(): string {
    this.#expect('"');
    const start = this.#at - 1;
    while (this.#at < this.#text.length && this.#text[this.#at] !== '"')
      this.#at += this.#text[this.#at] === '\\' ? 2 : 1;
    this.#at++;
    let value: string;
    try {
      value = JSON.parse(this.#text.slice(start, this.#at));
    } catch {
      throw new SafetensorsError(`The header has a broken string at character ${start}.`);
    }
    // Half a surrogate pair has no UTF-8: written again, it would become another name.
    if (/\p{Surrogate}/u.test(value)) {
      throw new SafetensorsError(`The header has a string that is not Unicode at character ${start}.`);
    }
    return value;
  }

  /** [n, ...], each a non-negative integer that float64 holds exactly. */
  integers(): number[] {
    const values: number[] = [];
    this.#expect('[');
    if (this.#accept(']')) return values;
    do values.push(this.#integer());
    while (this.#accept(','));
    this.#expect(']');
    return values;
  }

  end(): void {
    this.#skipSpace();
    if (this.#at < this.#text.length) this.#fail('the end');
  }

  #integer(): number {
    this.#skipSpace();
    const number = /[-+.\w]+/y;
    number.lastIndex = this.#at;
    const token = number.exec(this.#text)?.[0];
    if (token === undefined) this.#fail('a number');
    const value = Number(token);
    if (!/^(0|[1-9]\d*)$/.test(token) || !Number.isSafeInteger(value)) {
      throw new SafetensorsError(`The header has the number ${quote(token)} where a count from 0 to 2^53 - 1 belongs.`);
    }
    this.#at += token.length;
    return value;
  }

  #accept(character: string): boolean {
    this.#skipSpace();
    if (this.#text[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  #expect(character: string): void {
    if (!this.#accept(character)) this.#fail(quote(character));
  }

  #skipSpace(): void {
    while (' \t\n\r'.includes(this.#text[this.#at] ?? '?')) this.#at++;
  }

  #fail(wanted: string): never {
    const found = this.#at < this.#text.length ? quote(this.#text[this.#at]) : 'the end';
    throw new SafetensorsError(`The header has ${found} where ${wanted} belongs, at character ${this.#at}.`);
  }
}

/** The arguments of a pickle's operations, read one after the other; none reaches beyond the bytes that are there. */
import { TorchFileError } from './torch-error.ts';
import type { Pickled } from './torch-globals.ts';

export class PickleBytes {
  /** Where the next byte stands. */
  at: number;
  readonly bytes: Uint8Array;
  readonly view: DataView;

  constructor(bytes: Uint8Array, start: number) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.at = start;
  }

  take(count: number): number {
    const { at } = this;
    if (count > this.bytes.length - at) {
      throw new TorchFileError(
        `The pickle wants ${count} bytes at byte ${at}, the file has ${this.bytes.length - at}.`,
      );
    }
    this.at += count;
    return at;
  }

  byte(): number {
    return this.bytes[this.take(1)];
  }

  length32(): number {
    return this.view.getUint32(this.take(4), true);
  }

  length64(): number {
    const length = this.view.getBigUint64(this.take(8), true);
    return Number(length > BigInt(Number.MAX_SAFE_INTEGER) ? Number.MAX_SAFE_INTEGER : length);
  }

  /** As protocol 0 writes it. */
  number(line: string): Pickled {
    if (line === '01') return true;
    if (line === '00') return false;
    if (/^-?\d{1,400}L?$/.test(line)) {
      const value = BigInt(line.replace('L', ''));
      return Number.isSafeInteger(Number(value)) ? Number(value) : value;
    }
    const value = line === 'nan' ? Number.NaN : Number(line.replace('inf', 'Infinity'));
    if (line.trim() === '' || (Number.isNaN(value) && line !== 'nan'))
      throw new TorchFileError(`The pickle has a number that is none at byte ${this.at}.`);
    return value;
  }

  text(length: number): string {
    const start = this.take(length);
    try {
      const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
      return decoder.decode(this.bytes.subarray(start, start + length));
    } catch {
      throw new TorchFileError(`The pickle has a string that is not UTF-8 at byte ${start}.`);
    }
  }

  /** Up to a line feed, which no name of Python's is longer than. */
  line(): string {
    const end = this.bytes.subarray(this.at, this.at + 256).indexOf(0x0a);
    if (end < 0) throw new TorchFileError(`The pickle has a name without an end at byte ${this.at}.`);
    const line = this.text(end);
    this.take(1);
    return line;
  }

  /** Two's complement, little-endian; a number where float64 holds it. */
  long(length: number): number | bigint {
    const start = this.take(length);
    let value = 0n;
    for (let i = length - 1; i >= 0; i--) value = (value << 8n) | BigInt(this.bytes[start + i]);
    if (length > 0) value = BigInt.asIntN(8 * length, value);
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : value;
  }
}

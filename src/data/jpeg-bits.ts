/** The entropy-coded bits of a JPEG scan (ITU-T T.81, F.2.2.5): stuffed zero bytes left out, restart markers checked. */
import type { HuffmanTable } from './jpeg-huffman.ts';

export class BitReader {
  private readonly bytes: Uint8Array;
  private at: number;
  /** The lowest `count` bits are still to be read. */
  private buffer = 0;
  private count = 0;
  /** Zeros that were put in behind the last byte, so that a code can be looked up by 16 bits at the end, too. */
  private padding = 0;

  constructor(bytes: Uint8Array, at: number) {
    this.bytes = bytes;
    this.at = at;
  }

  /** @throws Error, a clause, where the bits are no code or have ended */
  symbol(table: HuffmanTable): number {
    if (this.count < 16) this.fill();
    const code = table.codes[(this.buffer >>> (this.count - 16)) & 0xffff];
    this.take(code >>> 8);
    if (code === 0) throw new Error(`the bits before byte ${this.at} are no Huffman code`);
    return code & 255;
  }

  /** length: 1 to 16. */
  bits(length: number): number {
    if (this.count < length) this.fill();
    const value = (this.buffer >>> (this.count - length)) & ((1 << length) - 1);
    this.take(length);
    return value;
  }

  /** Leaves the bits that fill up the last byte and steps over the restart marker RSTm. */
  restart(m: number): void {
    let at = this.marker();
    while (this.bytes[at + 1] === 0xff) at++;
    const found = this.bytes[at + 1];
    if (found !== 0xd0 + m)
      throw new Error(
        `the restart marker ${m} is missing at byte ${at}${found === undefined ? '' : `: there is the marker ff${found.toString(16)}`}`,
      );
    this.at = at + 2;
    this.count = 0;
    this.padding = 0;
  }

  private take(length: number): void {
    this.count -= length;
    if (this.count < this.padding) throw new Error(`the scan ends early, at byte ${this.at}`);
  }

  /** At least 25 bits. */
  private fill(): void {
    const { bytes } = this;
    while (this.count <= 24) {
      let byte = 0;
      if (this.at >= bytes.length || (bytes[this.at] === 0xff && bytes[this.at + 1] !== 0)) this.padding += 8;
      else {
        byte = bytes[this.at];
        this.at += byte === 0xff ? 2 : 1;
      }
      this.buffer = (this.buffer << 8) | byte;
      this.count += 8;
    }
  }

  /** Where the next marker stands; whole bytes before it that nobody asked for are passed over. */
  private marker(): number {
    const { bytes } = this;
    for (let at = bytes.indexOf(0xff, this.at); at >= 0 && at + 1 < bytes.length; at = bytes.indexOf(0xff, at + 2))
      if (bytes[at + 1] !== 0) return at;
    return bytes.length;
  }
}

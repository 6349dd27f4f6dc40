/** A Huffman table of a JPEG (ITU-T T.81, annex C), as a look-up by the next 16 bits. */
export class HuffmanTable {
  /** By 16 bits: the length of the code that they begin with, in bits 8 to 12, and its symbol; 0 where no code fits. */
  readonly codes = new Uint16Array(65536);

  /** counts: codes of 1 to 16 bits; symbols: in the order of their codes. @throws Error, a clause, for counts that no code can have */
  constructor(counts: Uint8Array, symbols: Uint8Array) {
    let next = 0; // the next code, at the top of 16 bits
    let place = 0;
    for (let length = 1; length <= 16; length++) {
      const span = 1 << (16 - length);
      for (let i = 0; i < counts[length - 1]; i++) {
        if (next + span > 65536) throw new Error(`a Huffman table has too many codes of ${length} bits`);
        this.codes.fill((length << 8) | symbols[place++], next, next + span);
        next += span;
      }
    }
  }
}

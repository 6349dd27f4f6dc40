/**
 * FNV-1a, 64 bit: h = (h xor byte) * 0x100000001b3 modulo 2^64, held as two 32-bit halves because BigInt is slow.
 *
 * Floats are hashed by their bit pattern, least significant byte first, whatever the byte order of the machine.
 */
import type { ChestSample } from './dataset.ts';

export interface Fingerprint {
  text(value: string): void;
  integer(value: number): void;
  floats(values: Float32Array): void;
  /** 16 hex digits. */
  digest(): string;
}

export function fingerprint(): Fingerprint {
  let low = 0x84222325;
  let high = 0xcbf29ce4;
  const byte = (value: number): void => {
    const mixed = (low ^ value) >>> 0;
    const product = mixed * 0x1b3; // below 2^41: exact
    high = (Math.imul(high, 0x1b3) + (mixed << 8) + Math.floor(product / 4294967296)) >>> 0;
    low = product >>> 0;
  };
  const word = (value: number): void => {
    byte(value & 255);
    byte((value >>> 8) & 255);
    byte((value >>> 16) & 255);
    byte(value >>> 24);
  };
  return {
    text(value) {
      for (const one of new TextEncoder().encode(value)) byte(one);
    },
    integer: word,
    floats(values) {
      const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
      for (let i = 0; i < bits.length; i++) word(bits[i]);
    },
    digest: () => high.toString(16).padStart(8, '0') + low.toString(16).padStart(8, '0'),
  };
}

/** Hash of the size, of which split a sample is in, and of every byte of every sample, in order. */
export function fingerprintSplits(
  height: number,
  width: number,
  splits: Readonly<Record<string, readonly ChestSample[]>>,
): string {
  const print = fingerprint();
  print.integer(height);
  print.integer(width);
  for (const [name, samples] of Object.entries(splits)) {
    print.text(`${name}\n`);
    for (const sample of samples) {
      print.text(`${sample.id}\n${sample.patient}\n`);
      print.integer(sample.label);
      print.floats(sample.image);
      print.floats(sample.gaze);
    }
  }
  return print.digest();
}

/**
 * From the stored values of a DICOM frame to a film: the bits in use, signs (PS3.5, 8.1.1), rescale slope and intercept (PS3.3, C.11.1),
 * padding (PS3.3, C.7.5.1.1.2), polarity.
 */
import { type Film, type FilmDetails, fullRange } from './film.ts';

export interface StoredFormat {
  readonly height: number;
  readonly width: number;
  /** 8 or 16 */
  readonly allocated: number;
  readonly stored: number;
  readonly highBit: number;
  readonly signed: boolean;
  readonly inverted: boolean;
  readonly rescale: FilmDetails['rescale'];
  /** Of the element, not yet signed. */
  readonly padding: readonly [number, number] | null;
}

/** What signs and padding have left of a frame. */
interface Stored {
  readonly values: Uint16Array | Int32Array;
  /** Null where no value is padding. */
  readonly isPadding: Uint8Array | null;
  /** Over the picture without padding; 0 and 0 where there is nothing else. */
  readonly least: number;
  readonly largest: number;
}

const MOST = 65535;

/** frame: values of `allocated` bits. */
export function filmOfFrame(
  frame: Uint16Array,
  format: StoredFormat,
  about: Omit<FilmDetails, 'values' | 'isPadding'>,
): Film {
  const { height, width, stored: bits, inverted } = format;
  const stored = storedValues(frame, format);
  const { slope, intercept } = format.rescale ?? { slope: 1, intercept: 0 };
  const { pixels, range, modality } = greyValues(stored, slope, intercept, inverted);
  const values = () => Float64Array.from(stored.values, (value) => slope * value + intercept);
  return {
    height,
    width,
    pixels,
    bits,
    inverted,
    range,
    modality,
    details: { ...about, isPadding: stored.isPadding, values },
  };
}

function storedValues(frame: Uint16Array, format: StoredFormat): Stored {
  const { stored, highBit, signed } = format;
  const shift = highBit + 1 - stored;
  const mask = 2 ** stored - 1;
  const sign = signed ? 2 ** (stored - 1) : 0;
  const values = signed ? new Int32Array(frame.length) : frame;
  const paddingOf = isPaddingOf(frame, format);
  let [least, largest] = [Infinity, -Infinity];
  for (let i = 0; i < frame.length; i++) {
    const isPadding = paddingOf?.[i];
    const value = (((frame[i] >> shift) & mask) ^ sign) - sign; // two's complement of `stored` bits
    values[i] = value;
    if (isPadding) continue;
    if (value < least) least = value;
    if (value > largest) largest = value;
  }
  return least === Infinity
    ? { values, isPadding: paddingOf, least: 0, largest: 0 }
    : { values, isPadding: paddingOf, least, largest };
}

/** By the stored values, and by whole words: padding can lie outside of the bits that are stored. */
function isPaddingOf(frame: Uint16Array, { allocated, stored, highBit, signed, padding }: StoredFormat) {
  if (!padding) return null;
  const signOf = (bits: number) => (value: number) => (signed && value >= 2 ** (bits - 1) ? value - 2 ** bits : value);
  const asWord = signOf(allocated);
  const asStored = signOf(stored);
  const [from, to] = padding.map(signOf(16)).sort((a, b) => a - b);
  const shift = highBit + 1 - stored;
  const within = (value: number) => value >= from && value <= to;
  let found = false;
  const flags = new Uint8Array(frame.length);
  for (let i = 0; i < frame.length; i++) {
    if (within(asWord(frame[i])) || within(asStored((frame[i] >> shift) & (2 ** stored - 1)))) {
      flags[i] = 1;
      found = true;
    }
  }
  return found ? flags : null;
}

/**
 * Values in steps of the slope, from 0. MONOCHROME1 is turned over about the bits that the values use: 12 bits of a film look the same in 12,
 * in 16 and in 16 signed bits.
 */
function greyValues(
  { values, isPadding, least, largest }: Stored,
  slope: number,
  intercept: number,
  inverted: boolean,
): Pick<Film, 'pixels' | 'range' | 'modality'> {
  const unit = Math.abs(slope);
  const sign = slope / unit;
  const offset = intercept / unit;
  // What a stored value v and its mirror image sum up to: the complement of v is -1 - v, or 2^bits - 1 - v.
  const sum = least < 0 ? -1 : fullRange(largest);
  const lowest = Math.min(sign * least, sign * largest) + offset;
  const lowestTurned = Math.min(sign * (sum - least), sign * (sum - largest)) + offset;
  const up = Math.max(0, -lowest);
  const whole = sign * sum + 2 * offset + up + Math.max(0, -lowestTurned);
  const most = Math.max(sign * least, sign * largest) + offset + up;
  const top = inverted ? Math.max(whole, most) : most;
  const isExact = Number.isInteger(offset) && top <= MOST;
  const scale = isExact ? 1 : MOST / top;
  const range = inverted ? Math.round(whole * scale) : isExact ? Math.max(fullRange(most), 1) : MOST;
  const black = inverted ? range : 0;
  const isPlain = isExact && sign === 1 && offset + up === 0 && !isPadding && values instanceof Uint16Array;
  const pixels = isPlain ? values : new Uint16Array(values.length);
  if (!isPlain)
    for (let i = 0; i < values.length; i++)
      pixels[i] = isPadding?.[i] ? black : Math.min(range, Math.round((sign * values[i] + offset + up) * scale));
  return { pixels, range, modality: { slope: unit / scale, intercept: -up * unit } };
}

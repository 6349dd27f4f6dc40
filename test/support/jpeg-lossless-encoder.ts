/** Writes lossless JPEG (ITU-T T.81, annex H) for tests of the decoder: every predictor, precision, point transform and restart interval. */

export interface LosslessOptions {
  readonly height: number;
  readonly width: number;
  readonly precision: number;
  readonly predictor: number;
  readonly pointTransform?: number;
  /** Lines of a restart interval; 0: none. */
  readonly restartLines?: number;
  /** Fill bytes 0xff before every marker. */
  readonly fill?: number;
  /** The number of lines stands in a DNL segment behind the scan. */
  readonly dnl?: boolean;
  /** More segments before the frame header. */
  readonly segments?: readonly (readonly number[])[];
}

/** 17 categories, codes of 4 to 6 bits: 15 of 4 would be all but one, so that longer ones occur. */
const COUNTS = [0, 0, 0, 14, 2, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
const SYMBOLS = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17];

export function encodeLosslessJpeg(values: ArrayLike<number>, options: LosslessOptions): Uint8Array<ArrayBuffer> {
  const { height, width, precision, predictor, pointTransform = 0, restartLines = 0, fill = 0, dnl = false } = options;
  const word = (value: number) => [value >> 8, value & 255];
  const marker = (code: number) => [...Array(fill).fill(0xff), 0xff, code];
  const segment = (code: number, data: readonly number[]) => [...marker(code), ...word(data.length + 2), ...data];
  const out = [
    0xff,
    0xd8,
    ...(options.segments ?? []).flatMap(([code, ...data]) => segment(code, data)),
    ...segment(0xc4, [0, ...COUNTS, ...SYMBOLS]),
    ...segment(0xc3, [precision, ...word(dnl ? 0 : height), ...word(width), 1, 1, 0x11, 0]),
    ...(restartLines ? segment(0xdd, word(restartLines * width)) : []),
    ...segment(0xda, [1, 1, 0, predictor, 0, pointTransform]),
  ];
  const codes = codesOf(COUNTS);
  let [bits, held] = [0, 0];
  const put = (value: number, length: number) => {
    for (let i = length - 1; i >= 0; i--) {
      bits = (bits << 1) | ((value >> i) & 1);
      if (++held === 8) {
        out.push(bits);
        if (bits === 255) out.push(0);
        [bits, held] = [0, 0];
      }
    }
  };
  const flush = () => {
    while (held) put(1, 1);
  };
  const at = (row: number, column: number) => values[row * width + column] >> pointTransform;
  for (let row = 0; row < height; row++) {
    const isFirst = restartLines ? row % restartLines === 0 : row === 0;
    if (isFirst && row > 0) {
      flush();
      out.push(...marker(0xd0 + ((row / restartLines - 1) & 7)));
    }
    for (let column = 0; column < width; column++) {
      const a = column ? at(row, column - 1) : 0;
      const [b, c] = isFirst ? [0, 0] : [at(row - 1, column), column ? at(row - 1, column - 1) : 0];
      const predicted =
        isFirst && column === 0
          ? 2 ** (precision - pointTransform - 1)
          : isFirst
            ? a
            : column === 0
              ? b
              : [a, b, c, a + b - c, a + ((b - c) >> 1), b + ((a - c) >> 1), (a + b) >> 1][predictor - 1];
      // Modulo 2^16, as a number from -32767 to 32768.
      let difference = (at(row, column) - predicted) & 0xffff;
      if (difference > 32768) difference -= 65536;
      const category = difference === 0 ? 0 : Math.floor(Math.log2(Math.abs(difference))) + 1;
      put(...codes[category]);
      if (category > 0 && category < 16) put(difference > 0 ? difference : difference + 2 ** category - 1, category);
    }
  }
  flush();
  if (dnl) out.push(...segment(0xdc, word(height)));
  out.push(...marker(0xd9));
  return Uint8Array.from(out);
}

/** Code and length by symbol (annex C). */
function codesOf(counts: readonly number[]): [number, number][] {
  const codes: [number, number][] = [];
  let code = 0;
  counts.forEach((count, i) => {
    for (let k = 0; k < count; k++) codes.push([code++, i + 1]);
    code <<= 1;
  });
  return codes;
}

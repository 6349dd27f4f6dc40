/** Colour to grey. */

export interface Luminance {
  readonly values: Uint16Array<ArrayBuffer>;
  /** Whether any pixel has parts that differ. */
  readonly isColour: boolean;
}

/**
 * Luma of Rec. ITU-R BT.709: 0.2126 R + 0.7152 G + 0.0722 B of the values as they are stored, rounded to the nearest integer. Equal parts
 * keep their value. `at` gives component c of pixel i.
 */
export function luminance(count: number, at: (pixel: number, component: 0 | 1 | 2) => number): Luminance {
  const values = new Uint16Array(count);
  let isColour = false;
  for (let i = 0; i < count; i++) {
    const [red, green, blue] = [at(i, 0), at(i, 1), at(i, 2)];
    if (red !== green || green !== blue) isColour = true;
    values[i] = Math.floor((2126 * red + 7152 * green + 722 * blue + 5000) / 10000);
  }
  return { values, isColour };
}

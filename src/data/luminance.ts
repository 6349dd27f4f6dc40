/** Colour to grey. */

/**
 * Luma of Rec. ITU-R BT.709: 0.2126 R + 0.7152 G + 0.0722 B of the values as they are stored, rounded to the nearest integer. Equal parts
 * keep their value. `at` gives component c of pixel i.
 */
export function luminance(
  count: number,
  at: (pixel: number, component: 0 | 1 | 2) => number,
): Uint16Array<ArrayBuffer> {
  const grey = new Uint16Array(count);
  for (let i = 0; i < count; i++)
    grey[i] = Math.floor((2126 * at(i, 0) + 7152 * at(i, 1) + 722 * at(i, 2) + 5000) / 10000);
  return grey;
}

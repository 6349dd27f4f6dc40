/** Stored values over their maximum, as the released code scales: in [0, 1]. */
export function scaledFilm(pixels: Uint16Array): Float32Array {
  let maximum = 0;
  for (const value of pixels) maximum = Math.max(maximum, value);
  return Float32Array.from(pixels, (value) => (maximum > 0 ? value / maximum : 0));
}

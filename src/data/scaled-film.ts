/** Stored values over their maximum, as the released code scales: in [0, 1]. */
export function scaledFilm(pixels: Uint16Array): Float32Array {
  let maximum = 0;
  for (let i = 0; i < pixels.length; i++) if (pixels[i] > maximum) maximum = pixels[i];
  const scaled = new Float32Array(pixels.length); // plain loops: this is on the way of every batch
  if (maximum > 0) for (let i = 0; i < pixels.length; i++) scaled[i] = pixels[i] / maximum;
  return scaled;
}

/** Exif (CIPA DC-008): how a camera held the picture. */

const ORIENTATION = 0x0112;

/**
 * The tag Orientation of a TIFF header and its first directory: 1 is upright, 2 to 8 are turned or mirrored. 1 where it is missing or
 * nonsense.
 */
export function exifOrientation(tiff: Uint8Array): number {
  if (tiff.length < 8) return 1;
  const view = new DataView(tiff.buffer, tiff.byteOffset, tiff.length);
  const little = tiff[0] === 0x49;
  const directory = view.getUint32(4, little);
  if (directory + 2 > tiff.length) return 1;
  const entries = view.getUint16(directory, little);
  for (let i = 0; i < entries; i++) {
    const at = directory + 2 + 12 * i;
    if (at + 12 > tiff.length) break;
    if (view.getUint16(at, little) !== ORIENTATION) continue;
    const value = view.getUint16(at + 8, little);
    return value >= 1 && value <= 8 ? value : 1;
  }
  return 1;
}

/** @throws Error, a clause, for a picture that is to be turned before it is shown */
export function checkUpright(orientation: number): void {
  if (orientation !== 1) throw new Error(`it is stored turned or mirrored, Exif orientation ${orientation}`);
}

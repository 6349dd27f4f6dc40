/** JPEG with 8 bits, baseline or progressive (ITU-T T.81, annexes F and G), as grey; the decoder is loaded with the first one. */
import { jpegHeader } from './jpeg-markers.ts';
import { type Luminance, luminance } from './luminance.ts';

/** A block of 64 pixels takes at least one bit. */
export const JPEG_PIXELS_PER_BYTE = 512;

/** Grey as it is stored, colour as luminance. @throws Error, a clause */
export async function decodeLossyJpeg(bytes: Uint8Array): Promise<Luminance> {
  const { process, precision, components, isRgb } = jpegHeader(bytes);
  if (process > 2 || precision !== 8)
    throw new Error(
      `it is of process SOF${process} with ${precision} bits; baseline and progressive of 8 bits are read`,
    );
  if (components !== 1 && components !== 3)
    throw new Error(`it has ${components} components, CMYK perhaps; grey and colour of three components are read`);
  const { decode } = (await import('jpeg-js')).default;
  const { data, width, height } = decode(bytes, {
    useTArray: true,
    formatAsRGBA: true,
    maxResolutionInMP: 100,
    maxMemoryUsageInMB: 2048,
    // Left to itself it takes red, green and blue for luma and chroma.
    ...(isRgb && { colorTransform: false }),
  });
  return luminance(width * height, (i, c) => data[4 * i + c]);
}

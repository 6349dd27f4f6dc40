/** What a DICOM file says of how to show its picture, and what of it is left undone (PS3.3, C.11.2). */
import type { DicomElements } from './dicom-elements.ts';
import { encodingOf } from './dicom-syntax.ts';
import { VOI_WINDOW, type VoiWindow } from './film.ts';

const TAG = {
  aspect: 0x00280034,
  windowCenter: 0x00281050,
  windowWidth: 0x00281051,
  windowShape: 0x00281056,
  voiTable: 0x00283010,
  presentation: 0x20500020,
} as const;

/** Overlay Bit Position of groups 6000 to 601E (PS3.3, C.9.2), which every overlay has, be it in data of its own or in unused bits. */
const OVERLAYS = Array.from({ length: 16 }, (_, i) => 0x60000102 + 0x20000 * i);

/** The first window of the file; null where there is none that can be applied. */
export function windowOf(elements: DicomElements): VoiWindow | null {
  const [center, width] = [elements.number(TAG.windowCenter), elements.number(TAG.windowWidth)];
  if (center === undefined || width === undefined || !Number.isFinite(center) || !(width > 0)) return null;
  const shape = elements.text(TAG.windowShape) || 'LINEAR';
  if (shape !== 'LINEAR' && shape !== 'LINEAR_EXACT' && shape !== 'SIGMOID') return null;
  if (shape === 'LINEAR' && width < 1) return null; // PS3.3 C.11.2.1.2 forbids it
  return { center, width, shape };
}

/** Where the data set is encoded otherwise than its transfer syntax says. */
export function contradiction({ encoding }: DicomElements, uid: string): string[] {
  const stated = encodingOf(uid);
  if (stated.explicit === encoding.explicit && stated.littleEndian === encoding.littleEndian) return [];
  const found = `${encoding.explicit ? 'explicit' : 'implicit'} ${encoding.littleEndian ? 'little' : 'big'} endian`;
  return [`the stated encoding of the data set, which is ${found}`];
}

/** What a display would do and this program does not. */
export function ignored(elements: DicomElements, photometric: string): string[] {
  const clauses: string[] = [];
  const [center, width] = [elements.text(TAG.windowCenter), elements.text(TAG.windowWidth)];
  if (center || width) clauses.push(`${VOI_WINDOW} (center ${center || 'missing'}, width ${width || 'missing'})`);
  if (elements.has(TAG.voiTable)) clauses.push('VOI LUT');
  if (OVERLAYS.some((tag) => elements.has(tag))) clauses.push('overlay');
  const shape = elements.text(TAG.presentation);
  if (shape && (shape === 'INVERSE') !== (photometric === 'MONOCHROME1'))
    clauses.push(`Presentation LUT Shape ${shape} beside ${photometric}`);
  const aspect = elements.text(TAG.aspect)?.split('\\').map(Number);
  if (aspect && aspect[0] !== aspect[1]) clauses.push(`pixel aspect ratio ${aspect.join(':')}`);
  return clauses;
}

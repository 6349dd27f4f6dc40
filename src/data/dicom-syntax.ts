/** Transfer syntaxes (PS3.5, section 10; PS3.6, annex A): their names, how they encode a data set, and what unpacks those that are not read. */
import type { Encoding } from './dicom-elements.ts';

export const IMPLICIT_LITTLE = '1.2.840.10008.1.2';
export const EXPLICIT_LITTLE = '1.2.840.10008.1.2.1';
export const EXPLICIT_BIG = '1.2.840.10008.1.2.2';
export const DEFLATED = '1.2.840.10008.1.2.1.99';

const GDCM = "GDCM's gdcmconv --raw";
const DCM4CHE = "dcm4che's dcm2dcm";

interface Syntax {
  readonly name: string;
  /** A program that writes such a file without compression. */
  readonly remedy?: string;
}

const SYNTAXES: Readonly<Record<string, Syntax>> = {
  '1.2.840.10008.1.2': { name: 'implicit little endian' },
  '1.2.840.10008.1.2.1': { name: 'explicit little endian' },
  '1.2.840.10008.1.2.2': { name: 'explicit big endian' },
  '1.2.840.10008.1.2.1.99': { name: 'deflated explicit little endian', remedy: "DCMTK's dcmconv +te" },
  '1.2.840.10008.1.2.1.98': { name: 'encapsulated uncompressed explicit little endian' },
  '1.2.840.10008.1.2.8.1': { name: 'deflated image frame' },
  '1.2.840.10008.1.2.5': { name: 'RLE lossless' },
  '1.2.840.10008.1.2.4.50': { name: 'JPEG baseline' },
  '1.2.840.10008.1.2.4.51': { name: 'JPEG extended, 12 bits', remedy: `DCMTK's dcmdjpeg or ${GDCM}` },
  '1.2.840.10008.1.2.4.53': { name: 'JPEG spectral selection, retired', remedy: `DCMTK's dcmdjpeg` },
  '1.2.840.10008.1.2.4.55': { name: 'JPEG progressive, retired', remedy: `DCMTK's dcmdjpeg` },
  '1.2.840.10008.1.2.4.57': { name: 'JPEG lossless' },
  '1.2.840.10008.1.2.4.70': { name: 'JPEG lossless, first-order prediction' },
  '1.2.840.10008.1.2.4.80': { name: 'JPEG-LS lossless', remedy: `DCMTK's dcmdjpls or ${GDCM}` },
  '1.2.840.10008.1.2.4.81': { name: 'JPEG-LS near-lossless', remedy: `DCMTK's dcmdjpls or ${GDCM}` },
  '1.2.840.10008.1.2.4.90': { name: 'JPEG 2000 lossless' },
  '1.2.840.10008.1.2.4.91': { name: 'JPEG 2000' },
  '1.2.840.10008.1.2.4.92': { name: 'JPEG 2000 part 2 lossless', remedy: DCM4CHE },
  '1.2.840.10008.1.2.4.93': { name: 'JPEG 2000 part 2', remedy: DCM4CHE },
  '1.2.840.10008.1.2.4.110': { name: 'JPEG XL lossless', remedy: DCM4CHE },
  '1.2.840.10008.1.2.4.111': { name: 'JPEG XL, recompressed JPEG', remedy: DCM4CHE },
  '1.2.840.10008.1.2.4.112': { name: 'JPEG XL', remedy: DCM4CHE },
  '1.2.840.10008.1.2.4.201': { name: 'high-throughput JPEG 2000 lossless', remedy: DCM4CHE },
  '1.2.840.10008.1.2.4.202': { name: 'high-throughput JPEG 2000 lossless, RPCL', remedy: DCM4CHE },
  '1.2.840.10008.1.2.4.203': { name: 'high-throughput JPEG 2000', remedy: DCM4CHE },
};

const UNCOMPRESSED = new Set([IMPLICIT_LITTLE, EXPLICIT_LITTLE, EXPLICIT_BIG]);
export const isUncompressed = (syntax: string) => UNCOMPRESSED.has(syntax);

const syntaxOf = (uid: string): Syntax | undefined => (Object.hasOwn(SYNTAXES, uid) ? SYNTAXES[uid] : undefined);

export const syntaxName = (uid: string): string =>
  syntaxOf(uid)?.name ?? (/^1\.2\.840\.10008\.1\.2\.4\.10\d/.test(uid) ? 'MPEG video' : 'an unknown transfer syntax');

/** A compressed data set is explicit little endian (PS3.5, A.4). */
export const encodingOf = (syntax: string): Encoding => ({
  explicit: syntax !== IMPLICIT_LITTLE,
  littleEndian: syntax !== EXPLICIT_BIG,
});

/** The refusal of a syntax that is not read. */
export function unreadSyntax(name: string, uid: string): Error {
  const what = `${name}: the transfer syntax ${uid} (${syntaxName(uid)}) is not read`;
  const remedy = syntaxOf(uid)?.remedy;
  if (remedy) return new Error(`${what}; write the file without compression first, with ${remedy}.`);
  if (/^1\.2\.840\.10008\.1\.2\.4\.10\d/.test(uid)) return new Error(`${what}; a single grey picture is needed.`);
  return new Error(`${what}; export the picture again as explicit little endian.`);
}

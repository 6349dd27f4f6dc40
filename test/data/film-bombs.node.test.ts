/** Small films that would unpack to much, or keep a decoder busy for long: refused within a second and a quarter of a gigabyte. */
import { constants, crc32, deflateRawSync, deflateSync } from 'node:zlib';
import { encode as encodePng } from 'fast-png';
import jpeg from 'jpeg-js';
import { expect, it } from 'vitest';
import { writeDicom } from '../../src/data/dicom-writer.ts';
import { readFilm } from '../../src/data/film-file.ts';

const LARGE = 10_000;
/** Bytes, in pieces that are packed once. */
const MUCH = 400e6;
const PIECE = 1e6;
const SECOND = 1e6; // microseconds of this process
const MOST_BYTES = 256 * 2 ** 20;

const picture = new Uint8Array(jpeg.encode({ data: new Uint8Array(8 * 8 * 4).fill(90), width: 8, height: 8 }, 50).data);
const png = encodePng({ height: 8, width: 8, data: new Uint8Array(64), depth: 8, channels: 1 });
const bytesOf = (...parts: (Uint8Array | string)[]) =>
  new Uint8Array(Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : part))));
const word = (value: number) => Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value);
/** MUCH zeros, packed; nobody should come to the end, where a checksum would stand. */
function packed(): Uint8Array {
  const piece = deflateRawSync(new Uint8Array(PIECE), { finishFlush: constants.Z_FULL_FLUSH });
  return bytesOf(...Array(MUCH / PIECE).fill(piece), Uint8Array.of(1, 0, 0, 255, 255));
}
const ZLIB = Uint8Array.of(0x78, 0x9c);
const chunk = (name: string, data: Uint8Array) =>
  bytesOf(word(data.length), name, data, word(crc32(bytesOf(name, data))));
const pngOf = (...chunks: Uint8Array[]) => bytesOf(png.subarray(0, 33), ...chunks, chunk('IEND', Uint8Array.of()));
const small = chunk('IDAT', deflateSync(new Uint8Array(8 * 9)));

/** The same picture with other sides in the first frame header, or `what` put in front of one of its markers. */
const at = (bytes: Uint8Array, marker: number) =>
  bytes.findIndex((byte, i) => byte === 0xff && bytes[i + 1] === marker);
function resized(bytes: Uint8Array, marker: number): Uint8Array {
  const place = at(bytes, marker) + 5;
  const copy = bytes.slice();
  new DataView(copy.buffer).setUint32(place, (LARGE << 16) | LARGE);
  return copy;
}
const before = (bytes: Uint8Array, marker: number, what: Uint8Array) =>
  bytesOf(bytes.subarray(0, at(bytes, marker)), what, bytes.subarray(at(bytes, marker)));
const scan = picture.subarray(at(picture, 0xda), picture.length - 2);
const frameHeader = picture.subarray(at(picture, 0xc0), at(picture, 0xc0) + 19);

/** A DICOM of LARGE x LARGE with a compressed frame that is far too short for it. */
const dicomOf = (syntax: string, pixels: Uint8Array) =>
  writeDicom({ height: LARGE, width: LARGE, bits: 12, allocated: 16, photometric: 'MONOCHROME2', syntax, pixels });
const lossless = picture.map((byte, i) => (picture[i - 1] === 0xff && byte === 0xc0 ? 0xc3 : byte));
const wavelets = bytesOf(word(0xff4fff51), word(0x00290000), word(LARGE), word(LARGE), new Uint8Array(40));
const DEFLATED = '1.2.840.10008.1.2.1.99';

/** The header, then a data set that unpacks to MUCH. */
function deflatedDicom(): Uint8Array {
  const whole = dicomOf(DEFLATED, new Uint8Array(0));
  const firstElement = Buffer.from(whole).indexOf(Uint8Array.of(0x28, 0, 2, 0));
  return bytesOf(whole.subarray(0, firstElement), packed());
}

const bombs: readonly (readonly [string, RegExp, () => Uint8Array])[] = [
  ['PNG, pixels', /unpack to more than \d+ bytes/, () => pngOf(chunk('IDAT', bytesOf(ZLIB, packed())))],
  [
    'PNG, a second header',
    /second header/,
    () => pngOf(bytesOf(word(13), 'IHDR', word(LARGE), word(LARGE), png.subarray(24, 33)), small),
  ],
  ['JPEG, sides', /bytes hold fewer/, () => resized(picture, 0xc0)],
  ['JPEG, a second frame', /second frame header/, () => before(picture, 0xda, resized(frameHeader, 0xc0))],
  [
    'JPEG, scans',
    /more than 64 scans/,
    () => bytesOf(picture.subarray(0, -2), ...Array(20_000).fill(scan), Uint8Array.of(0xff, 0xd9)),
  ],
  ['DICOM, deflated', /1\.2\.1\.99 \(deflated.*\) is not read; write/, deflatedDicom],
  ['DICOM, run lengths', /bytes hold fewer/, () => dicomOf('1.2.840.10008.1.2.5', new Uint8Array(128))],
  ['DICOM, JPEG', /bytes hold fewer/, () => dicomOf('1.2.840.10008.1.2.4.50', resized(picture, 0xc0))],
  ['DICOM, JPEG lossless', /bytes hold fewer/, () => dicomOf('1.2.840.10008.1.2.4.70', resized(lossless, 0xc3))],
  ['DICOM, JPEG 2000', /bytes hold fewer/, () => dicomOf('1.2.840.10008.1.2.4.90', wavelets)],
];

/** Of this process until now, bytes. */
const peak = () => process.resourceUsage().maxRSS * 1024;

it.each(bombs)('%s', async (_, sentence, make) => {
  const bomb = make();
  expect(bomb.length).toBeLessThan(1e6);
  const [memory, began] = [peak(), process.cpuUsage()];
  await expect(readFilm('bomb', bomb)).rejects.toThrow(sentence);
  const { user, system } = process.cpuUsage(began);
  expect(user + system, 'microseconds').toBeLessThan(SECOND);
  expect(peak() - memory, 'bytes').toBeLessThan(MOST_BYTES);
});

it('a colour profile and a text that would unpack to much are not unpacked, and the film is read', async () => {
  const much = bytesOf(ZLIB, packed());
  const bomb = pngOf(chunk('iCCP', bytesOf('x\0\0', much)), chunk('zTXt', bytesOf('x\0\0', much)), small);
  const [memory, began] = [peak(), process.cpuUsage()];
  expect(await readFilm('bomb.png', bomb)).toMatchObject({ height: 8, width: 8 });
  const { user, system } = process.cpuUsage(began);
  expect(user + system, 'microseconds').toBeLessThan(SECOND);
  expect(peak() - memory, 'bytes').toBeLessThan(MOST_BYTES);
});

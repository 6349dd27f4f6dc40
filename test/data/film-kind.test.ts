/** The kind of a file by its first bytes. */
import { expect, it } from 'vitest';
import { FILM_HEADER, filmKind, unreadKind } from '../../src/data/film-kind.ts';

const bytesOf = (text: string, at = 0) => {
  const bytes = new Uint8Array(FILM_HEADER);
  for (let i = 0; i < text.length; i++) bytes[at + i] = text.charCodeAt(i);
  return bytes;
};

it.each([
  ['PNG', bytesOf('\x89PNG\r\n\x1a\n')],
  ['JPEG', bytesOf('\xff\xd8\xff\xe0')],
  ['JPEG', bytesOf('\xff\xd8\xff\xdb')],
  ['DICOM', bytesOf('DICM', 128)],
  ['DICOM', bytesOf('\x02\0\0\0UL\x04\0')], // meta header without a preamble
  ['DICOM', bytesOf('\x08\0\x05\0CS\x0a\0')], // explicit little endian
  ['DICOM', bytesOf('\x08\0\x16\0\x1c\0\0\x001.2.')], // implicit little endian
  ['DICOM', bytesOf('\x08\0\0\0\x04\0\0\0\xba\0\0\0')], // a group length first
  ['DICOM', bytesOf('\0\x08\0\x05CS\0\x0a')], // explicit big endian
])('knows a %s', (kind, bytes) => {
  expect(filmKind(bytes)).toBe(kind);
});

it.each([
  new Uint8Array(0),
  new Uint8Array(600),
  bytesOf('file,x,y\n'),
  bytesOf('{"a": 1}'),
  bytesOf('PK\x03\x04'),
  bytesOf('\x08\0'),
  bytesOf('\x08\0\x16\0\xff\xff\xff\x7f'),
])('takes no other bytes for a film', (bytes) => {
  expect(filmKind(bytes)).toBeNull();
});

it.each([
  [bytesOf('GIF89a'), /^it is a GIF picture; DICOM, PNG and JPEG are read/],
  [bytesOf('BM\x46\0\0\0\0\0\0\0'), /^it is a BMP picture/],
  [bytesOf('II*\0'), /^it is a TIFF picture/],
  [bytesOf('MM\0*'), /^it is a TIFF picture/],
  [bytesOf('RIFF\x10\0\0\0WEBP'), /^it is a WebP picture/],
  [bytesOf('PK\x03\x04'), /^it is a zip archive; unpack it/],
  [bytesOf('\x1f\x8b'), /^it is a gzip archive; unpack it/],
])('names what is not read: %#', (bytes, sentence) => {
  expect(filmKind(bytes)).toBeNull();
  expect(unreadKind(bytes)).toMatch(sentence);
});

it('does not take a text for a bitmap', () => {
  expect(unreadKind(bytesOf('BMI,file,label\n'))).toBeNull();
});

/** DICOM files as programs in the field write them: lengths, delimiters, padding, missing headers, byte orders; read right or refused truthfully. */
import { expect, it } from 'vitest';
import { readFilm } from '../../src/data/film-file.ts';
import {
  ascii,
  attribute,
  concat,
  dicomFile,
  EXPLICIT_BIG,
  EXPLICIT_LITTLE,
  encapsulated,
  IMPLICIT_LITTLE,
  item,
  type TestFile,
  UID,
  UNDEFINED_LENGTH,
  words,
} from '../support/dicom-file.ts';
import { encodeLosslessJpeg } from '../support/jpeg-lossless-encoder.ts';

const [height, width] = [4, 6];
const values = Array.from({ length: height * width }, (_, i) => 5 + 170 * i);
const plain: TestFile = { height, width, pixels: words(values) };
const PIXEL_DATA = 0x7fe00010;
const valuesOf = async (bytes: Uint8Array) => [...(await readFilm('a.dcm', bytes)).details.values()];
const readsRight = async (file: TestFile, what?: string) =>
  expect(await valuesOf(dicomFile(file)), what).toEqual(values);
const refusal = (file: TestFile | Uint8Array) =>
  readFilm('a.dcm', file instanceof Uint8Array ? file : dicomFile(file)).then(
    () => 'read',
    ({ message }: Error) => message,
  );
const text = (tag: number, value: string, vr = 'IS') =>
  attribute(
    tag,
    vr,
    Uint8Array.from(value, (letter) => letter.charCodeAt(0)),
  );
const jpeg = encodeLosslessJpeg(values, { height, width, precision: 12, predictor: 1 });
const even = (bytes: Uint8Array) => (bytes.length % 2 ? concat(bytes, Uint8Array.of(0)) : bytes);
const compressed = (pixels: Uint8Array): TestFile => ({
  ...plain,
  syntax: UID.lossless,
  pixels,
  pixelVr: 'OB',
  pixelLength: UNDEFINED_LENGTH,
});

const encodings = [
  [UID.explicit, words(values)],
  [UID.implicit, words(values)],
  [UID.big, words(values, false)],
] as const;

it.each(encodings)('%s: any bytes behind complete pixels are passed over', async (syntax, pixels) => {
  for (const count of [0, 1, 2, 3, 4, 5, 7, 8, 9, 11, 12, 13, 100, 511, 1024, 4096])
    for (const fill of [0, 1, 255])
      await readsRight(
        { ...plain, syntax, pixels, trailing: new Uint8Array(count).fill(fill) },
        `${count} bytes ${fill}`,
      );
});

it.each(encodings)('%s: pixel data may be longer than the picture', async (syntax, pixels) => {
  for (const count of [1, 2, 3, 50])
    await readsRight({ ...plain, syntax, pixels: concat(pixels, new Uint8Array(count).fill(9)) });
});

it.each([0, 4, 1000, UNDEFINED_LENGTH])('an encapsulated value ends with a delimiter of length %s', async (length) => {
  for (const trailing of [0, 1, 8, 9])
    await readsRight({
      ...compressed(encapsulated([even(jpeg)], { delimiterLength: length })),
      trailing: new Uint8Array(trailing),
    });
});

it('reads fragments however they are cut, with right, wrong and missing offset tables', async () => {
  const whole = even(jpeg);
  const cuts = [2, 4, 20, 60, whole.length - 2].filter((at) => at % 2 === 0);
  for (const table of [[], [0, 0], [4, 0], [0xffff, 0xffff], [0, 0, 99, 0]]) {
    await readsRight(compressed(encapsulated([whole], { table: words(table) })));
    for (const at of cuts)
      await readsRight(
        compressed(encapsulated([whole.subarray(0, at), whole.subarray(at)], { table: words(table) })),
        `cut at ${at}`,
      );
  }
  await readsRight(compressed(encapsulated([new Uint8Array(0), whole, new Uint8Array(0)])));
  // Without a delimiter, as files that were cut behind their last fragment.
  await readsRight(compressed(concat(item(new Uint8Array(0)), item(whole))));
  // Odd fragments break PS3.5, A.4, and are common.
  await readsRight(compressed(encapsulated([jpeg.length % 2 ? jpeg : concat(jpeg, Uint8Array.of(0))])));
});

it('refuses compressed values of more bits than are allocated', async () => {
  const file = { ...compressed(encapsulated([even(jpeg)])), allocated: 8, stored: 8 };
  expect(await refusal(file)).toMatch(/the frame has values of 12 bits, the DICOM allocates 8/);
});

it('says that compressed pixels are empty or cut', async () => {
  expect(await refusal(compressed(encapsulated([])))).toMatch(/no fragment/);
  expect(await refusal(compressed(encapsulated([new Uint8Array(0)])))).toMatch(/no fragment|empty/);
  expect(await refusal(compressed(encapsulated([jpeg.subarray(0, jpeg.length >> 1)])))).toMatch(/ends early|cut short/);
});

it.each(['', ' ', '\0', '  ', '\0\0'])('a transfer syntax padded by %j is the same one', async (padding) => {
  for (const [syntax, pixels] of encodings)
    await readsRight({
      ...plain,
      syntax: syntax + padding,
      pixels,
      encoding: syntax === UID.implicit ? IMPLICIT_LITTLE : syntax === UID.big ? EXPLICIT_BIG : EXPLICIT_LITTLE,
    });
});

it.each(['0 ', '', '1 ', ' 1', '1\0', '01', '1'])('a number of frames of %j is one frame', async (frames) => {
  await readsRight({ ...plain, set: text(0x00280008, frames) });
});

it.each(['2 ', '10', 'x '])('a number of frames of %j is refused', async (frames) => {
  expect(await refusal({ ...plain, set: text(0x00280008, frames) })).toMatch(/^a\.dcm: .*frames/);
});

it('reads files without preamble, without file meta information, and without both', async () => {
  for (const [syntax, pixels] of encodings.slice(0, 2))
    for (const preamble of [true, false])
      for (const meta of [true, false])
        await readsRight({ ...plain, syntax, pixels, preamble, meta }, `${syntax} ${preamble} ${meta}`);
  for (const [syntax, pixels] of encodings)
    await readsRight({ ...plain, syntax, pixels, preamble: false, meta: false });
  expect(await valuesOf(dicomFile(plain).slice(128)), 'the prefix alone').toEqual(values);
  await readsRight({ ...plain, syntax: null });
  await readsRight({ ...plain, syntax: null, encoding: IMPLICIT_LITTLE });
});

it('reads data sets that are encoded otherwise than their transfer syntax says, and says so', async () => {
  for (const [syntax, encoding, pixels, found] of [
    [UID.implicit, EXPLICIT_LITTLE, words(values), /data set, which is explicit little endian/],
    [UID.explicit, IMPLICIT_LITTLE, words(values), /data set, which is implicit little endian/],
    [UID.big, EXPLICIT_LITTLE, words(values), /data set, which is explicit little endian/],
    [UID.explicit, EXPLICIT_BIG, words(values, false), /data set, which is explicit big endian/],
  ] as const) {
    const { details } = await readFilm('a.dcm', dicomFile({ ...plain, syntax, encoding, pixels }));
    expect([...details.values()]).toEqual(values);
    expect(details.ignored.join()).toMatch(found);
  }
});

it('passes group lengths, private elements and sequences of every kind', async () => {
  const groupLength = (tag: number) => attribute(tag, 'UL', words([4, 0]));
  const inner = (nested: Uint8Array) => item(nested, { length: UNDEFINED_LENGTH });
  const nothing = new Uint8Array(0);
  const end = (element: number, size = 0) => item(nothing, { element, length: size });
  const sequence = (tag: number, value: Uint8Array, size?: number, vr = 'SQ') => attribute(tag, vr, value, size);
  for (const [syntax, littleEndian] of [
    [UID.explicit, true],
    [UID.implicit, true],
  ] as const) {
    const isExplicit = syntax === UID.explicit;
    const code = isExplicit
      ? concat(words([0x0008, 0x0100]), ascii('SH'), words([4]), ascii('code'))
      : concat(words([0x0008, 0x0100, 4, 0]), ascii('code'));
    const deep = isExplicit
      ? concat(words([0x0008, 0x1140]), ascii('SQ'), words([0, 0xffff, 0xffff]))
      : words([0x0008, 0x1140, 0xffff, 0xffff]);
    const set = {
      ...groupLength(0x00080000),
      ...groupLength(0x00280000),
      ...groupLength(0x7fe00000),
      // items of known length; of unknown length; empty; nested; delimiters with nonsense for a length
      ...sequence(0x00081110, item(code, { littleEndian })),
      ...sequence(0x00081111, concat(item(code), end(0xe0dd)), UNDEFINED_LENGTH),
      ...sequence(0x00081115, concat(inner(code), end(0xe00d), end(0xe0dd)), UNDEFINED_LENGTH),
      ...sequence(0x00081120, end(0xe0dd, UNDEFINED_LENGTH), UNDEFINED_LENGTH),
      ...sequence(0x00082112, concat(inner(code), end(0xe00d, UNDEFINED_LENGTH), end(0xe0dd, 8)), UNDEFINED_LENGTH),
      ...sequence(
        0x00082218,
        concat(inner(concat(deep, inner(code), end(0xe00d), end(0xe0dd))), end(0xe00d), end(0xe0dd)),
        UNDEFINED_LENGTH,
      ),
      ...text(0x00091001, 'private ', 'LO'),
      ...text(0x00091002, 'unknown', 'UN'),
      // Of unknown representation, its items are implicit whatever the file is (PS3.5, 6.2.2).
      ...sequence(
        0x00091003,
        concat(inner(concat(words([0x0008, 0x0100, 4, 0]), ascii('code'))), end(0xe00d), end(0xe0dd)),
        UNDEFINED_LENGTH,
        isExplicit ? 'UN' : 'SQ',
      ),
    };
    await readsRight({ ...plain, syntax, set });
  }
});

it('reads attributes with another value representation than theirs', async () => {
  for (const vr of ['SS', 'UN', 'OW']) await readsRight({ ...plain, set: attribute(0x00280010, vr, words([height])) });
  await readsRight({ ...plain, set: attribute(0x00280011, 'UL', words([width, 0])) });
  for (const pixelVr of ['OB', 'UN', 'OW']) await readsRight({ ...plain, pixelVr });
});

it('reads a picture whose high bit, bits stored or number of samples is left out', async () => {
  for (const tag of [0x00280002, 0x00280102, 0x00280103]) await readsRight({ ...plain, set: { [tag]: null } });
});

it('gives the true reason for pixels that are missing', async () => {
  const cut = (bytes: number) => dicomFile(plain).slice(0, -bytes);
  expect(await refusal(cut(10))).toMatch(/4 x 6 pixels need 48 bytes, the file ends after 38/);
  expect(await refusal({ ...plain, pixels: words(values.slice(0, 20)) })).toMatch(
    /need 48 bytes, its pixel data have 40/,
  );
  expect(await refusal({ ...plain, set: { [PIXEL_DATA]: null } })).toMatch(/no pixel data/);
  for (const tag of [0x00280010, 0x00280011, 0x00280100])
    expect(await refusal({ ...plain, set: { [tag]: null } })).toMatch(/has no (Rows|Columns|Bits Allocated) \(0028/);
  for (const sentence of [await refusal(cut(10)), await refusal({ ...plain, set: { [PIXEL_DATA]: null } })])
    expect(sentence).not.toMatch(/download/);
});

it('reads raw pixels of undefined length and encapsulated ones of a stated length', async () => {
  for (const trailing of [0, 1, 8])
    await readsRight({ ...plain, pixelLength: UNDEFINED_LENGTH, trailing: new Uint8Array(trailing) });
  expect(await refusal({ ...plain, pixels: words(values.slice(2)), pixelLength: UNDEFINED_LENGTH })).toMatch(
    /need 48 bytes, the file ends after 44/,
  );
  const pixels = encapsulated([even(jpeg)]);
  await readsRight({ ...compressed(pixels), pixelLength: pixels.length });
});

it('says that pixels and transfer syntax contradict each other', async () => {
  for (const syntax of [UID.lossless, UID.rle, UID.baseline])
    expect(await refusal({ ...plain, syntax })).toMatch(/not encapsulated \(48 bytes\)/);
  expect(await refusal({ ...compressed(encapsulated([even(jpeg)])), syntax: UID.explicit })).toMatch(/encapsulated/);
  expect(await refusal({ ...compressed(encapsulated([even(jpeg)])), syntax: UID.rle })).toMatch(/RLE/);
});

it.each([
  ['1.2.840.10008.1.2.4.51', /dcmdjpeg/],
  ['1.2.840.10008.1.2.4.80', /dcmdjpls/],
  ['1.2.840.10008.1.2.4.81', /dcmdjpls/],
  ['1.2.840.10008.1.2.4.201', /is not read; write the file without compression first, with /],
  ['1.2.840.10008.1.2.4.100', /MPEG/],
  ['1.2.3', /unknown transfer syntax/],
])('names a program that unpacks %s', async (syntax, sentence) => {
  const message = await refusal({ ...compressed(encapsulated([even(jpeg)])), syntax });
  expect(message).toMatch(sentence);
  expect(message).not.toMatch(/\bdcmconv/);
});

it.each([
  ['1 bit allocated', { allocated: 1, stored: 1 }, /1 of 1 bits/],
  ['32 bits allocated', { allocated: 32, stored: 32 }, /32 of 32 bits/],
  ['more bits stored than allocated', { allocated: 8, stored: 12 }, /12 of 8 bits/],
  ['a high bit below the bits stored', { stored: 12, highBit: 10 }, /high bit is 10/],
  ['a high bit above the word', { stored: 12, highBit: 16 }, /high bit is 16/],
  ['colour in YBR', { samples: 3, photometric: 'YBR_FULL', allocated: 8, stored: 8 }, /YBR_FULL/],
  ['a palette', { photometric: 'PALETTE COLOR' }, /PALETTE COLOR/],
  ['no photometric interpretation', { photometric: '' }, /photometric/],
  ['a Modality LUT', { set: text(0x00283000, '', 'SQ') }, /Modality LUT/],
  ['a slope of 0', { set: text(0x00281053, '0 ', 'DS') }, /slope/],
  ['a slope beyond doubles', { set: text(0x00281053, '1e300 ', 'DS') }, /slope is 1e300/],
  ['an intercept that hides the values', { set: text(0x00281052, '1e17', 'DS') }, /intercept 1e17/],
  ['functional groups', { set: text(0x52009229, '', 'SQ') }, /functional groups/],
  ['a slope that is no number', { set: text(0x00281053, 'one ', 'DS') }, /slope/],
] as const)('refuses %s', async (_, change, sentence) => {
  expect(await refusal({ ...plain, ...change } as TestFile)).toMatch(sentence);
});

/** Files that someone drops on the page: films known by their contents, gaze by names, everything else passed over. */
import { encode as encodePng } from 'fast-png';
import { expect, it } from 'vitest';
import { EXPLICIT, IMPLICIT, writeDicom } from '../../src/data/dicom-writer.ts';
import { type DroppedFile, type DroppedFilm, readDroppedFilms } from '../../src/data/dropped-films.ts';

const [height, width] = [6, 4];
const values = Uint16Array.from({ length: height * width }, (_, i) => 5 + 170 * i);
const dicom = (syntax = EXPLICIT) =>
  writeDicom({
    height,
    width,
    bits: 12,
    allocated: 16,
    photometric: 'MONOCHROME2',
    syntax,
    pixels: new Uint8Array(values.slice().buffer),
  });
const png = new Uint8Array(encodePng({ width, height, data: values.slice(), channels: 1, depth: 16 }));
const dropped = (path: string, contents: Uint8Array | string): DroppedFile => ({
  path,
  file: new File([contents as never], path.split('/').pop()!),
});

async function read(files: readonly DroppedFile[]): Promise<{ films: DroppedFilm[]; problems: string[] }> {
  const [films, problems]: [DroppedFilm[], string[]] = [[], []];
  for await (const one of readDroppedFilms(files)) {
    if (one instanceof Error) problems.push(one.message);
    else films.push(one);
  }
  return { films, problems };
}

it('finds films by their contents, whatever their names end with', async () => {
  const named = [
    ['study/IM0001', dicom()],
    ['study/1.2.840.99.7', dicom(IMPLICIT)],
    ['study/I1000.ima', dicom()],
    ['study/bare', dicom().subarray(132)],
    ['study/picture.tmp', png],
  ] as const;
  const others = [
    dropped('study/DICOMDIR', dicom()),
    dropped('study/README', 'Films of a phantom.'),
    dropped('study/empty', ''),
    dropped('study/left_lung.png', png),
    dropped('study/notes.csv', 'a,b\n1,2\n'),
  ];
  const { films, problems } = await read([...others, ...named.map(([path, bytes]) => dropped(path, bytes))]);
  expect(problems).toEqual([]);
  expect(films.map(({ path }) => path)).toEqual(named.map(([path]) => path));
  for (const film of films) expect(film.image).toEqual(films[0].image);
});

it('lays gaze on films that are named by an id without an ending', async () => {
  const table = dropped('gaze.csv', 'file,x,y\n1.2.840.99.7,2,3\n1.2.840.99,2,3\nIM0001,2,3\n');
  const { films } = await read([
    table,
    ...['1.2.840.99.7', '1.2.840.99.8', '1.2.840.99', 'IM0001.dcm'].map((name) => dropped(`study/${name}`, dicom())),
  ]);
  expect(films.map(({ gaze }) => gaze !== null)).toEqual([true, false, true, true]);
});

it('says why a file that is named like a film is none, and that there is none at all', async () => {
  const broken = await read([dropped('a.dcm', ''), dropped('b.dcm', '<!doctype html><html></html>')]);
  expect(broken.films).toEqual([]);
  expect(broken.problems).toHaveLength(2);
  expect(await read([dropped('README', 'text')])).toEqual({
    films: [],
    problems: ['None of the files is a film: drop DICOM, PNG or JPEG files (of any name), or their folder.'],
  });
});

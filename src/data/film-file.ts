/** A film from a file of any kind that is read, known by its first bytes: DICOM, PNG or JPEG. The same in Node and for a File in a browser. */
import { readDicom } from './dicom.ts';
import type { Film } from './film.ts';
import { filmKind, unreadKind } from './film-kind.ts';
import { refuseForeignFile } from './foreign-file.ts';
import { readJpeg } from './jpeg-film.ts';
import { readPng } from './png-film.ts';

const LARGEST_FILE = 2 ** 30;

/** @throws Error, one sentence that begins with `name` */
export async function readFilm(name: string, bytes: Uint8Array): Promise<Film> {
  switch (filmKind(bytes)) {
    case 'PNG':
      return readPng(name, bytes);
    case 'JPEG':
      return readJpeg(name, bytes);
    case 'DICOM':
      return readDicom(name, bytes);
  }
  refuseForeignFile(name, bytes);
  throw new Error(
    `${name}: ${unreadKind(bytes) ?? 'the file is neither DICOM nor PNG nor JPEG; give a picture of one of these kinds'}.`,
  );
}

/** From a dropped or chosen file; the bytes stay on the machine. */
export async function readFilmFile(file: File, name = file.name): Promise<Film> {
  if (file.size > LARGEST_FILE) throw new Error(`${name} has ${file.size} bytes; at most ${LARGEST_FILE} are read.`);
  return readFilm(name, new Uint8Array(await file.arrayBuffer()));
}

/** Decodes and paints films of one's own away from the page, which one of full size would block for a second. */
import { type DroppedFile, type DroppedFilm, readDroppedFilms } from '../data/dropped-films.ts';
import { pixels } from './pictures.ts';

export interface OwnFilm extends DroppedFilm {
  readonly drawing: ImageData;
}
export interface ToFilmsWorker {
  readonly files: readonly DroppedFile[];
  /** Films after which it stops. */
  readonly most: number;
}
/** A film, or the sentence that says why a file is none; null at the end. */
export type FromFilmsWorker = OwnFilm | string | null;

const tell = (message: FromFilmsWorker, transfer: Transferable[] = []) => self.postMessage(message, { transfer });

self.onmessage = async ({ data: { files, most } }: MessageEvent<ToFilmsWorker>) => {
  try {
    let count = 0;
    for await (const film of readDroppedFilms(files)) {
      if (film instanceof Error) {
        tell(film.message);
        continue;
      }
      const drawing = await pixels({ ...film, map: film.gaze, colours: 'viridis' });
      tell({ ...film, drawing }, [film.image.buffer, ...(film.gaze ? [film.gaze.buffer] : [])]);
      count++;
      if (count === most) break;
    }
  } catch (error) {
    tell(`The files could not be read: ${(error as Error).message}`);
  }
  tell(null);
};

/** Your own films: dropped, decoded and shown with their gaze as `mtunet data prepare` would make them; they stay on the machine. */
import { useRef, useState } from 'preact/hooks';
import type { DroppedFile } from '../data/dropped-films.ts';
import { chosenFiles, droppedFiles } from './dropped-files.ts';
import { FilmView } from './film.tsx';
import type { FromFilmsWorker, OwnFilm, ToFilmsWorker } from './films-worker.ts';

/** More would not be looked at, and take 2.6 MB each. */
const SHOWN = 60;

const counted = (count: number, what: string) => `${count} ${what}${count === 1 ? '' : 's'}`;

export function OwnFilms() {
  const [films, setFilms] = useState<readonly OwnFilm[]>([]);
  const [problems, setProblems] = useState<readonly string[]>([]);
  const [note, setNote] = useState('');
  const reader = useRef<Worker | null>(null);
  const read = async (files: Promise<DroppedFile[]> | DroppedFile[]) => {
    reader.current?.terminate();
    const worker = new Worker(new URL('./films-worker.ts', import.meta.url), { type: 'module' });
    reader.current = worker;
    const [good, bad]: [OwnFilm[], string[]] = [[], []];
    const show = () => {
      setFilms([...good]);
      setProblems([...bad]);
    };
    const end = () => {
      worker.terminate();
      show();
      setNote(
        `${counted(good.length, 'film')}${good.length === SHOWN ? ', the first that were found' : ''}, ${good.filter(({ gaze }) => gaze).length} with gaze; ${counted(bad.length, 'file')} could not be read.`,
      );
    };
    worker.onmessage = ({ data }: MessageEvent<FromFilmsWorker>) => {
      if (data === null) return end();
      if (typeof data === 'string') bad.push(data);
      else good.push(data);
      show();
    };
    worker.onerror = ({ message }) => {
      bad.push(`The files could not be read: ${message || 'the decoder did not start; reload the page'}.`);
      end();
    };
    show();
    setNote('Reading ...');
    const message: ToFilmsWorker = { files: await files, most: SHOWN };
    worker.postMessage(message);
  };
  return (
    <section id="films">
      <h2>Your films</h2>
      <p>
        Drop DICOM, PNG or JPEG files here, or the folder that holds them. With a table of gaze among them (
        <code>eye_gaze.csv</code>, or columns <code>file, x, y</code> in pixels of the film) the map is laid over each
        film. Nothing leaves this machine.
      </p>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: the two buttons in it do the same by keyboard */}
      <div
        class="drop"
        onDragOver={(event) => event.preventDefault()}
        onDrop={(event) => {
          event.preventDefault();
          if (event.dataTransfer) read(droppedFiles(event.dataTransfer));
        }}
      >
        <label class="file">
          Choose files
          <input type="file" multiple onChange={({ currentTarget: { files } }) => files && read(chosenFiles(files))} />
        </label>
        <label class="file">
          Choose a folder
          <input
            type="file"
            {...{ webkitdirectory: true }}
            onChange={({ currentTarget: { files } }) => files && read(chosenFiles(files))}
          />
        </label>
        <span class="quiet" aria-live="polite">
          {note}
        </span>
      </div>
      {problems.length > 0 && (
        <ul class="problems">
          {problems.map((problem) => (
            <li key={problem}>{problem}</li>
          ))}
        </ul>
      )}
      <div class="own">
        {films.map(({ path, told, image, gaze, drawing, height, width }) => (
          <figure key={path}>
            <FilmView
              image={image}
              map={gaze}
              height={height}
              width={width}
              drawing={drawing}
              label={`${path}: film${gaze ? ' with gaze' : ''}`}
            />
            <figcaption>
              {path.split('/').pop()}
              <br />
              <small>
                {told}
                {gaze ? '' : ', no gaze'}
              </small>
            </figcaption>
          </figure>
        ))}
      </div>
    </section>
  );
}

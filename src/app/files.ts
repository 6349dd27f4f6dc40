/** Pictures and numbers out, images in; all of it stays on the machine. */
import type { MachineReport } from '../doctor/report.ts';
import type { Film } from './live/protocol.ts';
import { pixels } from './pictures.ts';
import type { State, Store } from './store.ts';

function save(name: string, contents: Blob): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(contents);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** Both runs' predictions beside the gaze: a row a film, columns gaze, A, B. */
export async function exportPng(store: Store): Promise<void> {
  const { films, height, width, colours } = store.state;
  const scale = 4;
  const canvas = document.createElement('canvas');
  canvas.width = 3 * width * scale;
  canvas.height = films.length * height * scale;
  const context = canvas.getContext('2d')!;
  context.imageSmoothingEnabled = false;
  for (const [row, { image, gaze }] of films.entries()) {
    const maps = [gaze, ...[0, 1].map((run) => store.frame?.pictures[run][row]?.saliency)];
    for (const [column, map] of maps.entries()) {
      const picture = await createImageBitmap(pixels({ image, map: map ?? null, height, width, colours }));
      const [x, y] = [column * width, row * height].map((at) => at * scale);
      context.drawImage(picture, x, y, width * scale, height * scale);
    }
  }
  canvas.toBlob((blob) => blob && save('two-tasks.png', blob));
}

export function toCsv({ rows }: Pick<State, 'rows'>): string {
  const head =
    'run,step,epoch,loss,saliency_loss,diagnosis_loss,saliency_sigma,diagnosis_sigma,saliency_weight,diagnosis_weight,learning_rate';
  const lines = rows.flatMap((list, run) =>
    list.map(({ step, epoch, loss, raw, sigma, weight, rate }) =>
      [
        'AB'[run],
        step,
        epoch,
        loss,
        raw.saliency,
        raw.diagnosis,
        sigma.saliency,
        sigma.diagnosis,
        weight.saliency,
        weight.diagnosis,
        rate,
      ].join(),
    ),
  );
  return `${[head, ...lines].join('\n')}\n`;
}

export const exportCsv = (state: State) => save('two-tasks.csv', new Blob([toCsv(state)], { type: 'text/csv' }));

/** The report of a check of this machine, as `mtunet doctor --out` writes it. */
export const exportReport = (report: MachineReport) =>
  save('mtunet-doctor.json', new Blob([`${JSON.stringify(report, null, 2)}\n`], { type: 'application/json' }));

export function exportJson({ settings, rows, epochs }: State): void {
  save('two-tasks.json', new Blob([JSON.stringify({ settings, rows, epochs }, null, 1)], { type: 'application/json' }));
}

/** A picture as a grey film of the runs' size, cut to their shape in its middle. */
export async function ownFilm(file: Blob, { height, width }: { height: number; width: number }): Promise<Film> {
  const picture = await createImageBitmap(file).catch(() => {
    throw new Error('The file is not an image that this browser can read: choose a PNG or JPEG.');
  });
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext('2d')!;
  const scale = Math.max(width / picture.width, height / picture.height);
  const [w, h] = [picture.width * scale, picture.height * scale];
  context.drawImage(picture, (width - w) / 2, (height - h) / 2, w, h);
  const { data } = context.getImageData(0, 0, width, height);
  const image = Float32Array.from(
    { length: width * height },
    (_, i) => (0.299 * data[4 * i] + 0.587 * data[4 * i + 1] + 0.114 * data[4 * i + 2]) / 255,
  );
  return { image, gaze: null, label: null };
}

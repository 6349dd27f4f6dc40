/** A run from the folder, for browsers that cannot train: the same rows, epochs and frames, with pictures as bytes. */
import type { EpochRow, Frame, Picture, Stage, StepRow } from './live/protocol.ts';
import type { Settings } from './live/settings.ts';
import type { State, Store } from './store.ts';

/** Maps are bytes in base64: value 255 is the map's maximum. */
export interface PackedMap {
  readonly bytes: string;
  readonly maximum: number;
}
export interface Recording {
  readonly settings: Settings;
  readonly height: number;
  readonly width: number;
  readonly classNames: readonly string[];
  readonly stepsPerEpoch: number;
  readonly stages: readonly Stage[];
  readonly adapter: string;
  readonly films: readonly { readonly image: PackedMap; readonly gaze: PackedMap; readonly label: number }[];
  readonly rows: readonly [readonly StepRow[], readonly StepRow[]];
  readonly epochs: readonly [readonly EpochRow[], readonly EpochRow[]];
  readonly frames: readonly {
    readonly step: number;
    readonly pictures: readonly (readonly {
      readonly classes: readonly number[] | null;
      readonly saliency: PackedMap | null;
    }[])[];
  }[];
}

export function packMap(map: Float32Array): PackedMap {
  const maximum = map.reduce((a, b) => Math.max(a, b), 0);
  const bytes = Array.from(map, (value) => String.fromCharCode(Math.round((255 * value) / (maximum || 1)))).join('');
  return { bytes: btoa(bytes), maximum: Number(maximum.toPrecision(5)) };
}

export function unpackMap({ bytes, maximum }: PackedMap): Float32Array {
  const text = atob(bytes);
  const map = new Float32Array(text.length);
  for (let i = 0; i < map.length; i++) map[i] = (text.charCodeAt(i) * maximum) / 255;
  return map;
}

function framesOf({ frames }: Recording): Frame[] {
  const picture = ({ classes, saliency }: Recording['frames'][0]['pictures'][0][0]): Picture => ({
    classes: classes && Float32Array.from(classes),
    saliency: saliency && unpackMap(saliency),
  });
  return frames.map(({ step, pictures: [a, b] }) => ({ step, pictures: [a.map(picture), b.map(picture)] }));
}

const TICK_MS = 80;
const NEEDED: readonly string[] = ['no-webgpu', 'insecure', 'no-adapter'];

/** Takes over as soon as the worker says that it cannot train. */
export function playRecorded(store: Store): void {
  const stop = store.subscribe(() => {
    if (store.state.mode !== 'starting' || !store.state.failure || !NEEDED.includes(store.state.failure.failure))
      return;
    stop();
    void load(store).catch(({ message }: Error) =>
      store.change({ note: `The recorded run could not be read: ${message}` }),
    );
  });
}

async function load(store: Store): Promise<void> {
  const recording = (await (await fetch('./recorded.json')).json()) as Recording;
  const { settings, height, width, classNames, stepsPerEpoch, stages, films, rows, epochs } = recording;
  const part: Partial<State> = {
    settings,
    height,
    width,
    classNames,
    stepsPerEpoch,
    stages,
    films: films.map(({ image, gaze, label }) => ({ image: unpackMap(image), gaze: unpackMap(gaze), label })),
    rows: rows.map((list) => [...list]) as State['rows'],
    epochs: epochs.map((list) => [...list]) as State['epochs'],
    frames: framesOf(recording),
    mode: 'recorded',
  };
  store.change(part);
  setInterval(() => {
    const { playing, shown } = store.state;
    if (!playing) return;
    const next = (shown ?? 0) + 1;
    store.change(next >= store.step ? { shown: null, playing: false } : { shown: next });
  }, TICK_MS);
}

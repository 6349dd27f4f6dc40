/** Films and maps as pixels. */
import type { ColourMap } from '../data/colour-map.ts';
import { overlay } from '../data/overlay.ts';

export const MAPS = ['viridis', 'cividis', 'jet'] as const;
export type MapName = (typeof MAPS)[number];

interface What {
  /** H x W in [0, 1]. */
  readonly image: Float32Array;
  /** H x W, any range. */
  readonly map: Float32Array | null;
  readonly height: number;
  readonly width: number;
  readonly colours: MapName;
  /** Of the map. */
  readonly opacity?: number;
}

/** Unpacked when they are first needed. */
const unpacked: Partial<Record<MapName, ColourMap>> = {};
function coloursOf(name: MapName): ColourMap {
  unpacked[name] ??= Uint8Array.from(atob(import.meta.env.COLOURS[name]), (byte) => byte.charCodeAt(0));
  return unpacked[name];
}

export function pixels({ image, map, height, width, colours, opacity = 0.55 }: What): ImageData {
  const picture = overlay({ image, map: map ?? undefined, height, width, colours: coloursOf(colours), opacity });
  return new ImageData(new Uint8ClampedArray(picture.pixels), picture.width, picture.height);
}

/** In a task of its own, since two dozen pictures in one would block the page. Calling what it returns calls it off. */
export function paint(canvas: HTMLCanvasElement | null, what: What | ImageData): () => void {
  // In ordinary memory: the process of the GPU has its hands full, and the page would wait for it.
  const context = canvas?.getContext('2d', { willReadFrequently: true });
  const task = setTimeout(() => context?.putImageData(what instanceof ImageData ? what : pixels(what), 0, 0));
  return () => clearTimeout(task);
}

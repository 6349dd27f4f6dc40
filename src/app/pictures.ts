/** Films and maps as pixels. Their colours are calculated when the first picture is drawn, not while the page starts. */

export const MAPS = { viridis: 'viridisLike', cividis: 'cividisLike', jet: 'jet' } as const;
export type MapName = keyof typeof MAPS;

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

const tools = async () => {
  const [maps, { overlay }] = await Promise.all([import('../data/colour-map.ts'), import('../data/overlay.ts')]);
  return ({ image, map, height, width, colours, opacity = 0.55 }: What): ImageData => {
    const colour = maps[MAPS[colours]];
    const picture = overlay({ image, map: map ?? undefined, height, width, colours: colour, opacity });
    return new ImageData(new Uint8ClampedArray(picture.pixels), picture.width, picture.height);
  };
};

export const pixels = async (what: What): Promise<ImageData> => (await tools())(what);

/** In a task of its own, since two dozen pictures in one would block the page. Calling what it returns calls it off. */
export function paint(canvas: HTMLCanvasElement | null, what: What | ImageData): () => void {
  // In ordinary memory: the process of the GPU has its hands full, and the page would wait for it.
  const context = canvas?.getContext('2d', { willReadFrequently: true });
  let wanted = true;
  const painted = what instanceof ImageData ? async () => () => what : async () => (await tools()).bind(null, what);
  void painted().then((drawing) =>
    setTimeout(() => {
      if (wanted) context?.putImageData(drawing(), 0, 0);
    }),
  );
  return () => {
    wanted = false;
  };
}

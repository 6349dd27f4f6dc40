/**
 * Grad-CAM: which places of the maps that the class head pools speak for a class.
 *
 *   alpha_k = mean over places of d logit_c / d A_k,     map = max(0, sum_k alpha_k A_k)
 *
 * A are the maps (N K h w) from which the head's vectors (N C) are made; a U-Net whose head reads two levels has two. They are found in the
 * graph of the logits, so that every network has them.
 * Source: Selvaraju et al. 2017, Grad-CAM, Eq. 1 and 2.
 */
import { concat, type Gpu, gradients, type Tensor, upload, withoutGradient } from '../engine/index.ts';
import type { Network } from './network.ts';

export interface ClassMap {
  /** Of the maps that it was made from. */
  readonly mapHeight: number;
  readonly mapWidth: number;
  /** H x W, from 0; brought to the film's size between the centres of the maps' places. */
  readonly values: Float32Array;
}

export interface FilmPrediction {
  /** Logits, one a class; null without a class head. */
  readonly diagnosis: Float32Array | null;
  /** Logits, H W; null without a saliency head. */
  readonly saliency: Float32Array | null;
  /** Class that the maps speak for: the one asked for, else the most probable. */
  readonly target: number | null;
  /** From the deepest level up. */
  readonly classMaps: readonly ClassMap[];
}

/** image: H W in [0, 1]. Leaves the model in evaluation mode. */
export async function predictFilm(
  gpu: Gpu,
  model: Network,
  image: Float32Array,
  { height, width, target = null }: { height: number; width: number; target?: number | null },
): Promise<FilmPrediction> {
  model.train(false);
  const film = () => {
    const one = upload(gpu, 'NCHW', [1, 1, height, width], image, 'film');
    return model.inputChannels === 1 ? one : concat(Array(model.inputChannels).fill(one) as Tensor<'NCHW'>[], 'C');
  };
  const { diagnosis, saliency } = await gpu.step(() =>
    withoutGradient(gpu, () => {
      const prediction = model.call(film());
      return { diagnosis: prediction.diagnosis as Tensor<'NC'>, saliency: prediction.saliency as Tensor<'NHW'> };
    }),
  );
  if (!diagnosis) return { diagnosis: null, saliency: saliency ?? null, target: null, classMaps: [] };
  const chosen = target ?? diagnosis.indexOf(Math.max(...diagnosis));
  const classMaps = await classMapsOf(gpu, () => model.call(film()).diagnosis!, chosen);
  return {
    diagnosis,
    saliency: saliency ?? null,
    target: chosen,
    classMaps: classMaps.map(({ values, h, w }) => ({
      mapHeight: h,
      mapWidth: w,
      values: enlarged(values, h, w, height, width),
    })),
  };
}

/** Inside one step: the logits (1 C) of one film, their maps and the gradients of one of them. */
export async function classMapsOf(
  gpu: Gpu,
  logits: () => Tensor<'NC'>,
  target: number,
): Promise<{ values: Float32Array; h: number; w: number }[]> {
  const sizes: (readonly number[])[] = [];
  const { maps, slopes } = await gpu.step(() => {
    const output = logits();
    const pooled = pooledMaps(output);
    const upstream = Float32Array.from({ length: output.shape[1] }, (_, c) => (c === target ? 1 : 0));
    const found = gradients(output, pooled, upload(gpu, 'NC', [1, output.shape[1]], upstream, 'class'));
    // A map that the logits do not depend on says nothing.
    const reached = pooled.flatMap((map, i) => (found[i] ? [{ map, slope: found[i] as Tensor<'NCHW'> }] : []));
    sizes.push(...reached.map(({ map }) => map.shape));
    return { maps: reached.map(({ map }) => map), slopes: reached.map(({ slope }) => slope) };
  });
  return sizes.map(([, K, h, w], i) => {
    const [map, slope] = [maps[i], slopes[i]];
    const values = new Float32Array(h * w);
    for (let k = 0; k < K; k++) {
      let alpha = 0;
      for (let p = 0; p < h * w; p++) alpha += slope[k * h * w + p] / (h * w);
      for (let p = 0; p < h * w; p++) values[p] += alpha * map[k * h * w + p];
    }
    return { values: values.map((value) => Math.max(0, value)), h, w };
  });
}

/** The tensors of places (N K h w) that vectors on the way to `output` are made from, the smallest first. */
function pooledMaps(output: Tensor): Tensor<'NCHW'>[] {
  const found = new Set<Tensor>();
  const seen = new Set<Tensor>([output]);
  const queue = [output];
  for (let tensor = queue.pop(); tensor; tensor = queue.pop()) {
    for (const input of Object.values(tensor.origin?.inputs ?? {})) {
      if (!input || seen.has(input)) continue;
      seen.add(input);
      if (input.axes === 'NCHW') found.add(input);
      else if (input.requiresGradient) queue.push(input);
    }
  }
  const area = ({ shape: [, , h, w] }: Tensor) => h * w;
  return ([...found] as Tensor<'NCHW'>[]).sort((a, b) => area(a) - area(b));
}

/** Linear between the centres of the places; beyond the outermost ones their value. */
export function enlarged(map: Float32Array, h: number, w: number, height: number, width: number): Float32Array {
  const places = (from: number, to: number) =>
    Array.from({ length: to }, (_, i) => {
      const at = Math.min(from - 1, Math.max(0, ((i + 0.5) * from) / to - 0.5));
      const low = Math.min(Math.floor(at), Math.max(0, from - 2));
      return { low, high: Math.min(from - 1, low + 1), part: at - low };
    });
  const [rows, columns] = [places(h, height), places(w, width)];
  const result = new Float32Array(height * width);
  rows.forEach((row, i) => {
    columns.forEach((column, j) => {
      const line = (r: number) => map[r * w + column.low] * (1 - column.part) + map[r * w + column.high] * column.part;
      result[i * width + j] = line(row.low) * (1 - row.part) + line(row.high) * row.part;
    });
  });
  return result;
}

/**
 * Small changes of a film that keep its diagnosis: turned, moved, enlarged, brighter, and its gaze moved with it.
 *
 * Everything is drawn from the seed, the epoch and the film's id, so that a run gives the same bits with any number of threads and after
 * any interruption. There is no mirroring: the heart would lie on the wrong side.
 */
import { type RandomStream, randomStream } from './counter-random.ts';
import { cos, power, sin } from './exact-math.ts';

export interface Augmentation {
  /** Largest angle, degrees. */
  readonly rotate: number;
  /** Largest shift along each axis, as a part of the side. */
  readonly shift: number;
  /** Largest enlargement or reduction: 0.1 draws a factor from 0.9 to 1.1. */
  readonly zoom: number;
  /** Largest change of the gamma of the film's intensities: 0.2 draws an exponent from 0.8 to 1.2. */
  readonly gamma: number;
}

export const noAugmentation: Augmentation = { rotate: 0, shift: 0, zoom: 0, gamma: 0 };

export const isAugmented = (augmentation: Augmentation) => Object.values(augmentation).some((amount) => amount !== 0);

interface Size {
  readonly height: number;
  readonly width: number;
}

/** From a pixel of the new film to its place in the old one: x = a column + b row + c, y = -b column + a row + d. */
interface Placement {
  readonly a: number;
  readonly b: number;
  readonly c: number;
  readonly d: number;
}

function drawPlacement(
  random: RandomStream,
  { rotate, shift, zoom }: Augmentation,
  { height, width }: Size,
): Placement {
  const angle = (random.uniform(-rotate, rotate) * Math.PI) / 180;
  const scale = 1 / random.uniform(1 - zoom, 1 + zoom);
  const [a, b] = [scale * cos(angle), scale * sin(angle)];
  const [middleX, middleY] = [(width - 1) / 2, (height - 1) / 2];
  const x = middleX + random.uniform(-shift, shift) * width;
  const y = middleY + random.uniform(-shift, shift) * height;
  return { a, b, c: middleX - a * x - b * y, d: middleY + b * x - a * y };
}

/** Bilinear; 0 beyond the border, as the padding is. */
function placed(values: Float32Array, { height, width }: Size, { a, b, c, d }: Placement): Float32Array {
  const moved = new Float32Array(values.length);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const [x, y] = [a * column + b * row + c, -b * column + a * row + d];
      const [left, top] = [Math.floor(x), Math.floor(y)];
      if (left < -1 || top < -1 || left >= width || top >= height) continue;
      const at = (i: number, j: number) => (i < 0 || j < 0 || i >= height || j >= width ? 0 : values[i * width + j]);
      const [right, down] = [x - left, y - top];
      const above = at(top, left) + right * (at(top, left + 1) - at(top, left));
      const below = at(top + 1, left) + right * (at(top + 1, left + 1) - at(top + 1, left));
      moved[row * width + column] = above + down * (below - above);
    }
  }
  return moved;
}

export interface AugmentOptions extends Size {
  readonly augmentation: Augmentation;
  readonly seed: number;
  readonly epoch: number;
}

/** image and gaze H x W in [0, 1]. A placement that would move all gaze off the film is not taken. */
export function augmented<T extends { id: string; image: Float32Array; gaze: Float32Array }>(
  { id, image, gaze }: T,
  { augmentation, seed, epoch, height, width }: AugmentOptions,
): { image: Float32Array; gaze: Float32Array } {
  const random = randomStream(seed, `augment/${epoch}/${id}`);
  const placement = drawPlacement(random, augmentation, { height, width });
  const exponent = random.uniform(1 - augmentation.gamma, 1 + augmentation.gamma);
  const movedGaze = placed(gaze, { height, width }, placement);
  const stays = movedGaze.some((value) => value > 0);
  const film = stays ? placed(image, { height, width }, placement) : image.slice();
  if (augmentation.gamma > 0)
    for (let i = 0; i < film.length; i++) film[i] = film[i] > 0 ? power(film[i], exponent) : 0;
  return { image: film, gaze: stays ? movedGaze : gaze };
}

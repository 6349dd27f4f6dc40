/**
 * Synthetic chest films with diagnoses and gaze: the data for everyone who has no licence for the clinical ones.
 *
 * Every film is drawn from parameters (a person, how they stood, a finding, an exposure) and read by a simulated reader.
 * All numbers come from counters and exact arithmetic, so equal arguments give equal bytes on every machine and browser.
 */
import { randomStream } from './counter-random.ts';
import { type ChestDataset, type ChestSample, CLASS_NAMES } from './dataset.ts';
import { drawFinding } from './finding.ts';
import { fingerprintSplits } from './fingerprint.ts';
import { gazeMap } from './gaze-map.ts';
import { drawPerson } from './person.ts';
import { areaInput } from './picture-input.ts';
import { drawPositioning } from './positioning.ts';
import { radiograph } from './radiograph.ts';
import { scanpath } from './scanpath.ts';
import { type PlannedFilm, planSplit, shareWithTest } from './splits.ts';

export interface SyntheticOptions {
  /** 0 to 4294967295. */
  readonly seed: number;
  /** Pixels, at least 32. */
  readonly height: number;
  readonly width: number;
  /** Films in each split. */
  readonly train: number;
  readonly valid: number;
  readonly test: number;
  /** patient (default): no person in two splits; image: some training films show persons of the test films. */
  readonly split?: 'patient' | 'image';
}

const LEAST_SIDE = 32;

function checkOptions({ seed, height, width, train, valid, test }: SyntheticOptions): void {
  if (!Number.isInteger(seed) || seed < 0 || seed > 0xffffffff) {
    throw new RangeError(`syntheticChests: seed must be an integer from 0 to 4294967295, got ${seed}.`);
  }
  for (const [name, value] of Object.entries({ height, width })) {
    if (!Number.isInteger(value) || value < LEAST_SIDE) {
      throw new RangeError(
        `syntheticChests: ${name} must be an integer of at least ${LEAST_SIDE} pixels, got ${value}.`,
      );
    }
  }
  for (const [name, value] of Object.entries({ train, valid, test })) {
    if (!Number.isInteger(value) || value < 1) {
      throw new RangeError(`syntheticChests: ${name} must be a positive integer number of films, got ${value}.`);
    }
  }
}

/** Of points x0 y0 x1 y1 ...; those beside the film are left out. */
function pixelsOf(points: Float64Array, { height, width }: { height: number; width: number }): Uint32Array {
  const pixels: number[] = [];
  for (let i = 0; i < points.length; i += 2) {
    const [column, row] = [Math.floor(points[i]), Math.floor(points[i + 1])];
    if (column >= 0 && column < width && row >= 0 && row < height) pixels.push(row * width + column);
  }
  return Uint32Array.from(pixels);
}

/** One film, its diagnosis and its gaze map; everything follows from the seed and the plan's keys. */
export function drawFilm(
  plan: PlannedFilm,
  { seed, height, width }: { seed: number; height: number; width: number },
): ChestSample {
  const stream = (part: string) => randomStream(seed, `${part}/${plan.filmKey}`);
  const person = drawPerson(randomStream(seed, `person/${plan.personKey}`));
  const finding = drawFinding(stream('finding'), person, plan.label);
  const positioning = drawPositioning(stream('positioning'), { height, width });
  const image = radiograph(finding, positioning, { height, width, random: stream('radiograph') });
  const points = scanpath(finding, positioning, { height, random: stream('scanpath') });
  const { id, patient, label } = plan;
  const fixations = pixelsOf(points, { height, width });
  return { id, patient, label, image, gaze: gazeMap(points, { height, width }), fixations };
}

/** A whole data set; see SyntheticOptions. */
export function syntheticChests(options: SyntheticOptions): ChestDataset {
  checkOptions(options);
  const { seed, height, width } = options;
  const plan = (name: 'train' | 'valid' | 'test') =>
    planSplit(name, options[name], { classes: CLASS_NAMES.length, seed });
  const draw = (films: readonly PlannedFilm[]): ChestSample[] => films.map((film) => drawFilm(film, options));
  const [train, test] = [plan('train'), plan('test')];
  const splits = {
    train: draw(options.split === 'image' ? shareWithTest(train, test) : train),
    valid: draw(plan('valid')),
    test: draw(test),
  };
  return {
    name: `synthetic chests, seed ${seed}`,
    height,
    width,
    classNames: CLASS_NAMES,
    input: areaInput(height, width),
    ...splits,
    hash: fingerprintSplits(height, width, splits),
  };
}

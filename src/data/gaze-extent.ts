/** Where the gaze of a picture lies, and what that says of its unit: pixels of the picture are expected. */

export interface GazeExtent {
  readonly samples: number;
  /** Samples on the picture. */
  readonly inside: number;
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
  /** Of the picture. */
  readonly height: number;
  readonly width: number;
}

/** Points: x and y in turn. */
export function gazeExtent(
  points: ArrayLike<number>,
  { height, width }: { height: number; width: number },
): GazeExtent {
  let [left, top, right, bottom, inside] = [Infinity, Infinity, -Infinity, -Infinity, 0];
  for (let i = 0; i + 1 < points.length; i += 2) {
    const [x, y] = [points[i], points[i + 1]];
    if (x < left) left = x;
    if (x > right) right = x;
    if (y < top) top = y;
    if (y > bottom) bottom = y;
    if (x >= 0 && y >= 0 && x < width && y < height) inside++;
  }
  return { samples: points.length >> 1, inside, left, top, right, bottom, height, width };
}

/** Fewer samples say nothing of their unit. */
const ENOUGH = 3;
/** A share of the picture's sides that nobody's gaze keeps to over a whole data set. */
const CORNER = 0.2;

/**
 * Sentences about single pictures and about all of them together; empty where the gaze looks like pixels of the pictures.
 * `extents` by the id of their picture.
 */
export function gazeWarnings(extents: ReadonlyMap<string, GazeExtent>): string[] {
  const all = [...extents].filter(([, { samples }]) => samples >= ENOUGH);
  const isNormalised = ({ left, top, right, bottom, height, width }: GazeExtent) =>
    left >= 0 && top >= 0 && right <= 1 && bottom <= 1 && (right > left || bottom > top) && height > 4 && width > 4;
  const normalised = all.filter(([, one]) => isNormalised(one));
  const rest = all.filter(([, one]) => !isNormalised(one));
  const still = rest.filter(([, one]) => one.right - one.left < 1 && one.bottom - one.top < 1);
  const away = rest.filter(([, one]) => one.inside < one.samples / 2);
  const warnings = [
    about(
      normalised,
      all.length,
      'the gaze lies between 0 and 1, as shares of the picture, where pixels are expected; multiply x by its width and y by its height',
    ),
    about(
      still,
      all.length,
      'all gaze lies in one pixel; is it in another unit than pixels of the picture, or was tracking lost?',
    ),
    about(
      away,
      all.length,
      'more than half of the gaze lies outside of the picture; are x and y pixels of the screen instead of the picture?',
    ),
  ].filter((warning) => warning !== null);
  if (warnings.length === 0 && all.length >= ENOUGH) {
    const [x, y] = [
      Math.max(...all.map(([, { right, width }]) => right / width)),
      Math.max(...all.map(([, { bottom, height }]) => bottom / height)),
    ];
    if (x < CORNER && y < CORNER)
      warnings.push(
        `the gaze of all ${all.length} pictures keeps to ${(100 * x).toFixed(0)} % of their width and ${(100 * y).toFixed(0)} % of their height from the top left corner; is it in another unit than pixels of the picture, such as percent or degrees?`,
      );
  }
  return warnings;
}

function about(found: readonly (readonly [string, GazeExtent])[], of: number, what: string): string | null {
  if (found.length === 0) return null;
  const [id, { left, top, right, bottom, height, width }] = found[0];
  const number = (value: number) => String(Math.round(value * 100) / 100);
  const span = `x ${number(left)} to ${number(right)}, y ${number(top)} to ${number(bottom)} on ${width} x ${height} pixels (width x height)`;
  const which = found.length === 1 ? id : `${found.length} of ${of} pictures, the first of them ${id}`;
  return `${which}: ${what} (${span}).`;
}

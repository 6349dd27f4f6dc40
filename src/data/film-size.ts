/** Limits on the size that a picture's header may announce. */

/** Larger than any detector; a film of this size takes 200 MB. */
const LARGEST_SIDE = 16384;
const LARGEST_AREA = 100_000_000;

/** @throws Error, one sentence that begins with `name` */
export function checkFilmSize(name: string, height: number, width: number): void {
  const whole = (side: number) => Number.isInteger(side) && side > 0 && side <= LARGEST_SIDE;
  if (!whole(height) || !whole(width) || height * width > LARGEST_AREA) {
    throw new Error(
      `${name}: the film says it is ${height} x ${width} pixels; at most ${LARGEST_SIDE} a side and ${LARGEST_AREA} in all are read.`,
    );
  }
}

/**
 * Smooth random fields: a lattice of random values, interpolated with 3t^2 - 2t^3.
 */
import type { RandomStream } from './counter-random.ts';

const LATTICE = 16;

/** 0 below `low`, 1 above `high`, smooth between. */
export function smoothStep(low: number, high: number, value: number): number {
  const t = Math.min(1, Math.max(0, (value - low) / (high - low)));
  return t * t * (3 - 2 * t);
}

/** A field over the plane with values in [-1, 1] and one feature per unit, repeating every 16 units. */
export function drawTexture(random: RandomStream): (x: number, y: number) => number {
  const values = Float64Array.from({ length: LATTICE * LATTICE }, () => random.uniform(-1, 1));
  const at = (column: number, row: number): number =>
    values[(row & (LATTICE - 1)) * LATTICE + (column & (LATTICE - 1))];
  return (x, y) => {
    const column = Math.floor(x);
    const row = Math.floor(y);
    const across = smoothStep(0, 1, x - column);
    const down = smoothStep(0, 1, y - row);
    const above = at(column, row) + across * (at(column + 1, row) - at(column, row));
    const below = at(column, row + 1) + across * (at(column + 1, row + 1) - at(column, row + 1));
    return above + down * (below - above);
  };
}

/**
 * Who is in which split: equal numbers of every class, and no person in two splits.
 *
 * A film's contents depend on the seed, its split, its class and its place among its class, not on how many others there are;
 * enlarging a split keeps the films that it had.
 */
import { randomStream, shuffledIndices } from './counter-random.ts';

export interface PlannedFilm {
  /** Unique over all splits. */
  readonly id: string;
  readonly patient: string;
  readonly label: number;
  /** Names the random streams of the film and of its person. */
  readonly filmKey: string;
  readonly personKey: string;
}

/** Every eighth film of a class is a second film of the person before. */
const FILMS_PER_REPEAT = 8;
const REPEAT_AT = 3;

/** `count` in `classes` parts that differ by one at most, the larger ones first. */
export function balancedCounts(count: number, classes: number): number[] {
  return Array.from({ length: classes }, (_, c) => Math.floor(count / classes) + (c < count % classes ? 1 : 0));
}

/**
 * An image-level split of as many films: the second films of the persons in `train` show persons of `test` instead, of the same class and
 * one after the other. The films of `test` stay as they are.
 */
export function shareWithTest(train: readonly PlannedFilm[], test: readonly PlannedFilm[]): PlannedFilm[] {
  const lent = new Map<number, number>();
  return train.map((film) => {
    const people = test.filter(({ label, filmKey, personKey }) => label === film.label && filmKey === personKey);
    if (film.filmKey === film.personKey || people.length === 0) return film;
    const turn = lent.get(film.label) ?? 0;
    lent.set(film.label, turn + 1);
    const { patient, personKey } = people[turn % people.length];
    return { ...film, patient, personKey };
  });
}

/** The films of one split in shuffled order, so that any run of neighbours mixes the classes. */
export function planSplit(
  split: string,
  count: number,
  { classes, seed }: { classes: number; seed: number },
): PlannedFilm[] {
  const films: Omit<PlannedFilm, 'id'>[] = [];
  let people = 0;
  for (const [label, size] of balancedCounts(count, classes).entries()) {
    for (let place = 0; place < size; place++) {
      const repeats = place % FILMS_PER_REPEAT === REPEAT_AT;
      if (!repeats) people++;
      films.push({
        patient: `${split}-person-${String(people).padStart(4, '0')}`,
        label,
        filmKey: `${split}/${label}/${place}`,
        personKey: `${split}/${label}/${repeats ? place - 1 : place}`,
      });
    }
  }
  const order = shuffledIndices(count, randomStream(seed, `order/${split}`));
  return Array.from(order, (from, to) => ({ id: `${split}-film-${String(to + 1).padStart(4, '0')}`, ...films[from] }));
}

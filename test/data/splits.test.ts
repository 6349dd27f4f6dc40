import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { balancedCounts, planSplit, shareWithTest } from '../../src/data/splits.ts';

const options = { classes: 3, seed: 4 };

describe('balancedCounts', () => {
  it('adds up, and no two parts differ by more than one', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1000 }), fc.integer({ min: 1, max: 9 }), (count, classes) => {
        const parts = balancedCounts(count, classes);
        expect(parts.length).toBe(classes);
        expect(parts.reduce((sum, part) => sum + part, 0)).toBe(count);
        expect(Math.max(...parts) - Math.min(...parts)).toBeLessThanOrEqual(1);
      }),
    );
  });
});

describe('planSplit', () => {
  it('gives some people two films of one class, and nobody three', () => {
    const films = planSplit('train', 60, options);
    const byPerson = new Map<string, number[]>();
    for (const { patient, label } of films) byPerson.set(patient, [...(byPerson.get(patient) ?? []), label]);
    const repeats = [...byPerson.values()].filter((labels) => labels.length > 1);
    expect(repeats.length).toBe(9); // places 3, 11 and 19 of the 20 films of each class
    for (const labels of repeats) expect(labels).toEqual([labels[0], labels[0]]);
  });

  it('draws the same body for both films of a person, and other bodies for other people', () => {
    const films = planSplit('train', 60, options);
    const bodyOf = new Map(films.map((film) => [film.patient, film.personKey]));
    for (const film of films) expect(film.personKey).toBe(bodyOf.get(film.patient));
    expect(new Set(films.map((film) => film.personKey)).size).toBe(bodyOf.size);
    expect(new Set(films.map((film) => film.filmKey)).size).toBe(60);
  });

  it('mixes the classes', () => {
    const labels = planSplit('train', 60, options).map((film) => film.label);
    expect(new Set(labels.slice(0, 12)).size).toBe(3);
    expect(labels).not.toEqual([...labels].sort());
  });

  it('keeps the films that a smaller split had', () => {
    const keys = (count: number) => new Set(planSplit('test', count, options).map((film) => film.filmKey));
    const large = keys(31);
    for (const key of keys(10)) expect(large.has(key)).toBe(true);
  });
});

describe('shareWithTest', () => {
  it('lends persons of the test films to the second films of training persons, of their class, and changes nothing else', () => {
    const [train, test] = [planSplit('train', 60, options), planSplit('test', 30, options)];
    const shared = shareWithTest(train, test);
    const people = new Map(test.map((film) => [film.patient, film]));
    let lent = 0;
    shared.forEach((film, i) => {
      const { filmKey, id, label, personKey, patient } = film;
      expect([filmKey, id, label]).toEqual([train[i].filmKey, train[i].id, train[i].label]);
      const owner = people.get(patient);
      if (owner) expect([owner.label, owner.personKey]).toEqual([label, personKey]);
      else expect(film).toEqual(train[i]);
      if (owner) lent++;
    });
    expect(lent).toBe(9); // the second films: places 3, 11 and 19 of the 20 films of each class
    expect(train.some(({ patient }) => people.has(patient))).toBe(false);
  });
});

/** PyTorch's permutation, the released deal, and that no patient crosses the recommended split. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { leakage, patientSplit, releasedSplit } from '../../src/data/case-splits.ts';
import { mersenneTwister, torchPermutation } from '../../src/data/mersenne-twister.ts';

it('draws the words of MT19937 and the permutation of torch.randperm(10) after manual_seed(0)', () => {
  const random = mersenneTwister(5489);
  expect(random()).toBe(3499211612); // the reference implementation's first for its default seed
  for (let i = 2; i < 10000; i++) random();
  expect(random()).toBe(4123659995); // and its ten-thousandth, as the C++ standard fixes it
  expect([...torchPermutation(10, 0)]).toEqual([4, 1, 7, 5, 3, 9, 0, 8, 6, 2]);
});

it('deals the cases of a class 20 : 10 : 70 in the order of the permutation', () => {
  const cases = Array.from({ length: 10 }, (_, i) => ({ patient: `${i}`, label: 0 }));
  const splits = releasedSplit(cases);
  expect([4, 1, 7].map((i) => splits[i])).toEqual(['test', 'valid', 'train']);
  expect(splits[2]).toBe('test'); // the tenth
  const many = Array.from({ length: 1080 }, (_, i) => ({ patient: `${i}`, label: i % 3 }));
  const dealt = releasedSplit(many);
  for (const label of [0, 1, 2])
    expect(
      ['test', 'valid', 'train'].map((name) => dealt.filter((s, i) => s === name && i % 3 === label).length),
    ).toEqual([72, 36, 252]);
});

it('keeps patients together where asked, and counts those who cross otherwise', () => {
  const someCases = fc.array(
    fc.record({ patient: fc.integer({ min: 0, max: 9 }).map(String), label: fc.integer({ min: 0, max: 2 }) }),
  );
  fc.assert(fc.property(someCases, (cases) => leakage(cases, patientSplit(cases)).patients === 0));
  const cases = ['a', 'a', 'b', 'c'].map((patient) => ({ patient, label: 0 }));
  expect(leakage(cases, ['train', 'test', 'train', 'valid'])).toEqual({ patients: 1, films: 1 });
  expect(leakage(cases, ['valid', 'test', 'train', 'train'])).toEqual({ patients: 1, films: 0 });
});

/**
 * Clinical cases to train, valid and test: as the released code does, image by image, or patient by patient.
 */
import { randomStream, shuffledIndices } from './counter-random.ts';
import { torchPermutation } from './mersenne-twister.ts';

export type Split = 'train' | 'valid' | 'test';
export const splitNames = ['released', 'patient'] as const;
export type SplitRule = (typeof splitNames)[number];

interface Case {
  readonly patient: string;
  readonly label: number;
}

/** Of ten cases of a class, counted from 1, which go where: 20 % test, 10 % valid. */
const splitOfCount = (count: number): Split => (count % 10 <= 1 ? 'test' : count % 10 === 2 ? 'valid' : 'train');

/** The released code's: torch's permutation of seed 0, then the cases of each class dealt in turn. Patients may cross splits. */
export function releasedSplit(cases: readonly Case[], seed = 0): Split[] {
  const counts: number[] = [];
  const splits: Split[] = new Array(cases.length);
  for (const i of torchPermutation(cases.length, seed)) {
    const { label } = cases[i];
    counts[label] = (counts[label] ?? 0) + 1;
    splits[i] = splitOfCount(counts[label]);
  }
  return splits;
}

/** Recommended: the same shares, but all films of a patient go where the patient's first one goes. */
export function patientSplit(cases: readonly Case[], seed = 0): Split[] {
  const counts: number[] = [];
  const home = new Map<string, Split>();
  const order = shuffledIndices(cases.length, randomStream(seed, 'patient-split'));
  for (const i of order) {
    const { label, patient } = cases[i];
    if (home.has(patient)) continue;
    counts[label] = (counts[label] ?? 0) + 1;
    home.set(patient, splitOfCount(counts[label]));
  }
  return cases.map(({ patient }) => home.get(patient)!);
}

export interface Leakage {
  /** Patients with films in more than one split, and how many films they have outside train. */
  readonly patients: number;
  readonly films: number;
}

/** What of valid and test shows a patient whom train shows too, and the patients in more than one split at all. */
export function leakage(cases: readonly Case[], splits: readonly Split[]): Leakage {
  const places = new Map<string, Set<Split>>();
  for (const [i, { patient }] of cases.entries())
    places.set(patient, (places.get(patient) ?? new Set()).add(splits[i]));
  const films = cases.filter(({ patient }, i) => splits[i] !== 'train' && places.get(patient)!.has('train')).length;
  return { patients: [...places.values()].filter((set) => set.size > 1).length, films };
}

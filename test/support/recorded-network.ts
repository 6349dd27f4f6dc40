/** Networks recorded in golden/networks: weights, inputs and gaze maps come from a closed formula; the pass rule is section 3 of its README. */
import { expect } from 'vitest';
import { noteError } from './all-close.ts';
import type { Architecture } from './recorded-architectures.ts';

type Samples = { shape: number[]; stride: number; l2: number; dot: number; f64: number[] };
type GradientRow = [l2: number, l2of32: number, dot: number, dotOf32: number, first4: number[], first4of32: number[]];

export interface RecordedCase {
  readonly id: string;
  readonly input: { shape: number[]; first4: number[] };
  readonly targets?: number[];
  readonly gaze?: { shape: number[]; first4: number[] };
  readonly eval: Record<string, Samples>;
  readonly train: Record<string, Samples>;
  readonly evalLoss: Record<string, { f64: number }>;
  readonly loss: Record<string, { f64: number }>;
  readonly weighted?: {
    lgSigmaClass: number;
    lgSigmaImage: number;
    asCoded: { loss: number; dLgClass: number; dLgImage: number };
    paperText: { loss: number; dLgClass: number; dLgImage: number };
  };
  /** Saliency logits in evaluation with another option, by "option=value". */
  readonly variants?: Record<string, Samples>;
  readonly gradMaxNorm: number;
  readonly grads: Record<string, GradientRow | null>;
  readonly bn: Record<string, [l2: number, l2of32: number, dot: number, dotOf32: number]>;
}

export interface RecordedNetwork {
  readonly net: string;
  readonly globalSeed: number;
  readonly arch: Architecture;
  readonly params: number;
  readonly tensors: [name: string, shape: number[], kind: string, c: number, b: number][];
  readonly cases: RecordedCase[];
  readonly tolerances: Record<string, number>;
}

const ODD = 0x9e3779b9;

/** fnv1a(name) ^ seed, section 1 of the README. */
function sequenceStart(name: string, globalSeed: number): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(name)) hash = Math.imul(hash ^ byte, 0x01000193);
  return (hash ^ globalSeed) >>> 0;
}

/** u(i) of the sequence that starts at `start`. */
function wordAt(start: number, i: number): number {
  let x = (start + Math.imul(i, ODD)) | 0;
  x ^= x >>> 16;
  x = Math.imul(x, 0x21f0aaad);
  x ^= x >>> 15;
  x = Math.imul(x, 0x735a2d97);
  x ^= x >>> 15;
  return x >>> 0;
}

/** The formula's numbers r(0), r(1), ... in [0, 1) for a name. */
export function sequence(name: string, globalSeed: number): (i: number) => number {
  const start = sequenceStart(name, globalSeed);
  return (i) => wordAt(start, i) / 2 ** 32;
}

const sizeOf = (shape: readonly number[]) => shape.reduce((product, length) => product * length, 1);

export function recordedWeights(network: RecordedNetwork) {
  const tensors = new Map<string, { shape: number[]; values: Float32Array }>();
  const counters = new Map<string, number>();
  for (const [name, shape, kind, c, b] of network.tensors) {
    if (kind === 'int') {
      counters.set(name, 0);
      continue;
    }
    const start = sequenceStart(name, network.globalSeed);
    const values = new Float32Array(sizeOf(shape));
    for (let i = 0; i < values.length; i++) values[i] = ((wordAt(start, i) / 2 ** 32) * 2 - 1) * b + c;
    tensors.set(name, { shape, values });
  }
  return { tensors, counters };
}

export function recordedImage(shape: number[], globalSeed: number): Float32Array {
  const r = sequence('input', globalSeed);
  return new Float32Array(sizeOf(shape)).map((_, i) => r(i));
}

export function recordedGaze([N, H, W]: number[], globalSeed: number): Float32Array {
  const r = sequence('gaze', globalSeed);
  const gaze = new Float32Array(N * H * W);
  for (let n = 0; n < N; n++) {
    const q = Array.from({ length: H * W }, (_, i) => {
      const square = r(n * H * W + i) ** 2;
      return square * square + 0.01;
    });
    const total = q.reduce((sum, value) => sum + value, 0);
    q.forEach((value, i) => {
      gaze[n * H * W + i] = value / total;
    });
  }
  return gaze;
}

function l2(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i] * values[i];
  return Math.sqrt(sum);
}

function probeDot(values: ArrayLike<number>, name: string, globalSeed: number): number {
  const start = sequenceStart(`probe:${name}`, globalSeed);
  let dot = 0;
  for (let i = 0; i < values.length; i++) dot += values[i] * ((wordAt(start, i) / 2 ** 32) * 2 - 1);
  return dot;
}

function within(error: number, allowed: number, what: string): void {
  expect(error, what).toBeLessThanOrEqual(allowed);
  noteError(error, allowed, what); // what does not hold at a tie may hold beside it
}

/** @param images how many of the recorded images `got` holds, from the first on; all of them unless given */
export function checkOutput(
  network: RecordedNetwork,
  mode: 'eval' | 'train',
  kind: string,
  recorded: Samples,
  got: ArrayLike<number>,
  images = recorded.shape[0],
): void {
  const key = `${mode}.${kind}`;
  const { tolerances, globalSeed } = network;
  const size = (sizeOf(recorded.shape) * images) / recorded.shape[0];
  const reference = recorded.f64.filter((_, k) => k * recorded.stride < size);
  const samples = reference.map((_, k) => got[k * recorded.stride]);
  const difference = samples.map((value, k) => value - reference[k]);
  const relL2 = tolerances[`${key}.relL2`];
  expect(got.length, `${key} elements`).toBe(size);
  within(l2(difference) / l2(reference), relL2, `${key} relL2`);
  within(
    Math.max(...difference.map(Math.abs)) / Math.max(...reference.map(Math.abs)),
    tolerances[`${key}.relMax`],
    `${key} relMax`,
  );
  if (images < recorded.shape[0]) return; // the probe is over all images
  within(Math.abs(probeDot(got, key, globalSeed) - recorded.dot), 3 * relL2 * recorded.l2, `${key} dot`);
}

export function checkLoss(
  network: RecordedNetwork,
  recorded: Record<string, { f64: number }>,
  got: Record<string, number>,
  what: string,
): void {
  for (const [name, { f64 }] of Object.entries(recorded)) {
    within(
      Math.abs(got[name] - f64) / Math.max(Math.abs(f64), 0.01),
      network.tolerances.loss,
      `${what}.${name}: ${got[name]} against ${f64}`,
    );
  }
}

export function checkGradients(
  network: RecordedNetwork,
  recorded: RecordedCase,
  got: ReadonlyMap<string, ArrayLike<number> | null>,
): void {
  const { tolerances, globalSeed } = network;
  const G = recorded.gradMaxNorm;
  const errors = { norm: [] as number[], dot: [] as number[], first4: [] as number[] };
  for (const [name, row] of Object.entries(recorded.grads)) {
    const gradient = got.get(name);
    if (row === null) {
      if (gradient) within(l2(gradient), 0, `${name}: no gradient was expected`);
      continue;
    }
    if (!gradient) throw new Error(`${name}: no gradient`);
    const [n, , dot, , first4] = row;
    const norm = l2(gradient);
    if (n < 1e-9 * G) {
      within(norm / G, tolerances['grad.zero'], `${name}: a gradient that is analytically zero`);
      continue;
    }
    const D = Math.max(n, 1e-4 * G);
    errors.norm.push(Math.abs(norm - n) / D);
    errors.dot.push(Math.abs(probeDot(gradient, name, globalSeed) - dot) / D);
    const scale = D / Math.sqrt(gradient.length);
    errors.first4.push(
      Math.max(...first4.map((value, i) => Math.abs(gradient[i] - value) / Math.max(scale, Math.abs(value)))),
    );
  }
  for (const [measure, values] of Object.entries(errors)) {
    const sorted = [...values].sort((a, b) => a - b);
    within(sorted.at(-1) ?? 0, tolerances[`grad.${measure}`], `grad.${measure}`);
    within(
      sorted[Math.floor(0.9 * (sorted.length - 1))] ?? 0,
      tolerances[`grad.p90.${measure}`],
      `grad.p90.${measure}`,
    );
  }
}

export function checkStatistics(
  network: RecordedNetwork,
  recorded: RecordedCase,
  got: ReadonlyMap<string, ArrayLike<number>>,
): void {
  const allowed = network.tolerances.bn;
  for (const [name, [norm, , dot]] of Object.entries(recorded.bn)) {
    const values = got.get(name);
    if (!values) throw new Error(`${name}: no such buffer`);
    within(Math.abs(l2(values) - norm) / norm, allowed, `${name} norm`);
    within(Math.abs(probeDot(values, `bn:${name}`, network.globalSeed) - dot) / norm, 3 * allowed, `${name} dot`);
  }
}

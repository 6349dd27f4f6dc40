/**
 * Random numbers as a pure function of (seed, name, counter): integer arithmetic modulo 2^32 and nothing else, so that a
 * stream gives the same bits on every engine and one stream never disturbs another.
 *
 * The finalizer is Wellons' 32-bit mix (hash-prospector, multipliers 0x21f0aaad and 0x735a2d97), applied twice with two
 * keys; one key alone would make two streams overlap as soon as their counters meet.
 */
import { cos, log } from './exact-math.ts';

export interface RandomStream {
  /** Uniform in [0, 1), a multiple of 2^-32. */
  next(): number;
  /** Uniform in [low, high). */
  uniform(low: number, high: number): number;
  /** Uniform over 0, 1, ... below - 1. */
  integer(below: number): number;
  /** Whether an event of this probability happens. */
  chance(probability: number): boolean;
  /** Gaussian of mean 0 and standard deviation 1. */
  normal(): number;
}

function mix(value: number): number {
  let x = value;
  x = Math.imul(x ^ (x >>> 16), 0x21f0aaad);
  x = Math.imul(x ^ (x >>> 15), 0x735a2d97);
  return (x ^ (x >>> 15)) >>> 0;
}

/** FNV-1a over the UTF-16 code units, from a chosen offset. */
function hashName(name: string, offset: number): number {
  let hash = offset;
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

/** The stream called `name` of the family `seed`; two calls with equal arguments start equal streams. */
export function randomStream(seed: number, name: string): RandomStream {
  if (!Number.isInteger(seed) || seed < 0 || seed > 0xffffffff) {
    throw new RangeError(`A seed must be an integer from 0 to 4294967295, got ${seed}.`);
  }
  const firstKey = mix(hashName(name, 0x811c9dc5) ^ mix(seed));
  const secondKey = mix(hashName(name, 0x01000193) + mix(seed ^ 0x5bd1e995));
  let counter = 0;
  const bits = (): number => mix(mix(Math.imul(counter++, 0x9e3779b9) + firstKey) ^ secondKey);
  const next = (): number => bits() / 4294967296;
  return {
    next,
    uniform: (low, high) => low + (high - low) * next(),
    integer: (below) => Math.floor(next() * below),
    chance: (probability) => next() < probability,
    normal: () => {
      const radius = Math.sqrt(-2 * log((bits() + 0.5) / 4294967296)); // Box-Muller
      return radius * cos(2 * Math.PI * next());
    },
  };
}

/** The numbers 0 ... count - 1 in random order (Fisher-Yates). */
export function shuffledIndices(count: number, random: RandomStream): Uint32Array {
  const order = new Uint32Array(count);
  for (let i = 0; i < count; i++) order[i] = i;
  for (let i = count - 1; i > 0; i--) {
    const j = random.integer(i + 1);
    const kept = order[i];
    order[i] = order[j];
    order[j] = kept;
  }
  return order;
}

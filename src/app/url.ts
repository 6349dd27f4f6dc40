/** Settings in the URL's hash, so that a set-up can be shared: settings travel, data do not. */
import {
  CHOICES,
  type Choice,
  initialSettings,
  OPTIMIZERS,
  type RunSettings,
  type Settings,
  SIZES,
  type Size,
} from './live/settings.ts';

export function toHash({ seed, train, size, dropout, runs }: Settings): string {
  const run = ({ scheme, optimizer, learningRate, sigmaRate }: RunSettings) =>
    [scheme, optimizer, learningRate, sigmaRate].join('~');
  return `#${new URLSearchParams({ seed: `${seed}`, train: `${train}`, size, dropout: `${dropout}`, a: run(runs[0]), b: run(runs[1]) })}`;
}

/** Whatever is missing or makes no sense keeps its default. */
export function fromHash(hash: string): Settings {
  const given = new URLSearchParams(hash.replace(/^#/, ''));
  const number = (text: string | null | undefined, [low, high]: readonly [number, number], otherwise: number) => {
    const value = Number(text);
    return text && value >= low && value <= high ? value : otherwise;
  };
  const run = (text: string | null, otherwise: RunSettings): RunSettings => {
    const [scheme, optimizer, rate, sigmaRate] = text?.split('~') ?? [];
    return {
      scheme: Object.hasOwn(CHOICES, scheme ?? '') ? (scheme as Choice) : otherwise.scheme,
      optimizer: OPTIMIZERS.find((name) => name === optimizer) ?? otherwise.optimizer,
      learningRate: number(rate, RATES, otherwise.learningRate),
      sigmaRate: number(sigmaRate, SIGMA_RATES, otherwise.sigmaRate),
    };
  };
  const { seed, train, size, dropout, runs } = initialSettings;
  const named = given.get('size') ?? '';
  return {
    seed: Math.floor(number(given.get('seed'), SEEDS, seed)),
    train: Math.floor(number(given.get('train'), TRAIN, train)),
    size: Object.hasOwn(SIZES, named) ? (named as Size) : size,
    dropout: number(given.get('dropout'), [0, 0.9], dropout),
    runs: [run(given.get('a'), runs[0]), run(given.get('b'), runs[1])],
  };
}

export const RATES = [0.00001, 0.5] as const;
export const SIGMA_RATES = [0.01, 100] as const;
export const TRAIN = [6, 192] as const;
export const SEEDS = [0, 9999] as const;

/** The nearest whole number within the bounds; the lowest for what is no number. */
export const whole = (text: string, [low, high]: readonly [number, number]) =>
  Math.min(high, Math.max(low, Math.floor(Number(text)) || low));

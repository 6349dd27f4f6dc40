/**
 * The networks of the paper's tables by name: how each is made, what it predicts, and where it comes from.
 */
import type { Gpu } from '../engine/index.ts';
import { MTUNet, unetFamily } from './model.ts';
import type { Network, Tasks } from './network.ts';

/** What a configuration says about its network; an option that a network does not have is ignored by it. */
export interface NetworkOptions {
  readonly name: NetworkName;
  /** Channels of a U-Net's first level. */
  readonly base: number;
  /** Share of the class head's units that a training step leaves out; null: the network's own. */
  readonly dropout: number | null;
  readonly inputChannels: 1 | 3;
  /** Parts that are not trained, by name; null: those that the network's authors froze. "encoder" stands for all of the encoder. */
  readonly frozen: readonly string[] | null;
}

/** Which images a network takes. */
export interface SizeRule {
  readonly multiple: number;
  readonly smallest: number;
  /** Why, as the end of a sentence: "which four poolings by two need". */
  readonly reason: string;
}

/** Weights that others have trained. */
export interface PublishedWeights {
  readonly what: string;
  readonly licence: string;
  readonly where: string;
}

export interface NetworkEntry {
  readonly title: string;
  readonly tasks: Tasks;
  /** For one input channel and three classes, at the published widths. */
  readonly parameters: number;
  readonly source: string;
  readonly weights: readonly PublishedWeights[];
  readonly size: SizeRule;
  /** Names of the parts that make up the encoder; what `frozen: ["encoder"]` freezes. */
  readonly encoder: readonly string[];
  /** Parts that the authors froze. */
  readonly frozen?: readonly string[];
  /** Initial values come from `seed`; with null they are left open for loadStateDict(). */
  build(gpu: Gpu, options: NetworkOptions & { readonly classes: number }, seed: number | null): Network;
}

const both: Tasks = { diagnosis: true, saliency: true };
const diagnosisOnly: Tasks = { diagnosis: true, saliency: false };
const saliencyOnly: Tasks = { diagnosis: false, saliency: true };

function unet(
  name: keyof typeof unetFamily,
  entry: Pick<NetworkEntry, 'title' | 'tasks' | 'parameters' | 'source'>,
): NetworkEntry {
  return {
    ...entry,
    weights: [],
    size: { multiple: 16, smallest: 16, reason: 'which four poolings by two need' },
    encoder: ['Conv1', 'Conv2', 'Conv3', 'Conv4', 'Conv5'],
    build: (gpu, { base, dropout, inputChannels, classes }, seed) =>
      new MTUNet(
        gpu,
        { base, inputChannels, classes, ...(dropout !== null && { dropout }), ...unetFamily[name] },
        seed,
      ),
  };
}

export const networks = {
  'mt-unet': unet('mt-unet', {
    title: 'MT-UNet: saliency, and diagnosis from bottleneck and top features',
    tasks: both,
    parameters: 34_632_836,
    source: 'Zhu et al. 2022, Section 3; released code',
  }),
  'mt-unet-b': unet('mt-unet-b', {
    title: 'MT-UNetB: diagnosis from the bottleneck alone',
    tasks: both,
    parameters: 34_628_740,
    source: 'Zhu et al. 2022, Table 3 (our reading; no public code)',
  }),
  'mt-unet-t': unet('mt-unet-t', {
    title: 'MT-UNetT: diagnosis from the top features alone',
    tasks: both,
    parameters: 34_567_300,
    source: 'Zhu et al. 2022, Table 3 (our reading; no public code)',
  }),
  'unet-c': unet('unet-c', {
    title: 'UNetC: diagnosis alone',
    tasks: diagnosisOnly,
    parameters: 34_595_715,
    source: 'Zhu et al. 2022, Table 1; released code',
  }),
  'unet-s': unet('unet-s', {
    title: 'UNetS: saliency alone',
    tasks: saliencyOnly,
    parameters: 34_562_945,
    source: 'Zhu et al. 2022, Table 2; released code',
  }),
} as const satisfies Record<string, NetworkEntry>;

export type NetworkName = keyof typeof networks;

export const networkNames = Object.keys(networks) as [NetworkName, ...NetworkName[]];

/** The network of a configuration, its frozen parts frozen. */
export function buildNetwork(gpu: Gpu, options: NetworkOptions, classes: number, seed: number | null): Network {
  const entry: NetworkEntry = networks[options.name];
  const frozen = options.frozen ?? entry.frozen ?? [];
  const network = entry.build(gpu, { ...options, classes }, seed);
  return network.freeze(frozen.flatMap((name) => (name === 'encoder' ? entry.encoder : [name])));
}

/** What is wrong with this length of an image for this network, in words; null when nothing is. */
export function sizeProblem(name: NetworkName, length: number): string | null {
  const { multiple, smallest, reason } = networks[name].size;
  const nearest = Math.max(Math.ceil(smallest / multiple), Math.round(length / multiple)) * multiple;
  if (length % multiple !== 0) return `is not a multiple of ${multiple}, ${reason}; use ${nearest}`;
  return length < smallest ? `is smaller than ${smallest}, ${reason}; use ${nearest} or more` : null;
}

/** Whether there is nothing for a scheme to balance. */
export function hasOneTask(name: NetworkName): boolean {
  const { diagnosis, saliency } = networks[name].tasks;
  return diagnosis !== saliency;
}

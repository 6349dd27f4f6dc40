/**
 * The networks of the paper's tables by name: how each is made, what it predicts, and where it comes from.
 */
import type { Corners, Gpu } from '../engine/index.ts';
import { EfficientNetV2S } from './baselines/efficientnet-v2-s.ts';
import { InceptionResNetV2 } from './baselines/inception-resnet-v2.ts';
import { MsiNet } from './baselines/msi-net.ts';
import { ResNet50 } from './baselines/resnet50.ts';
import type { SaliencyOutput } from './baselines/saliency-network.ts';
import { SimpleNet } from './baselines/simplenet.ts';
import { type AttentionLayout, VggSsm } from './baselines/vgg-ssm.ts';
import { MTUNet, unetFamily } from './model.ts';
import type { Network, Tasks } from './network.ts';

/** What a configuration says about its network; an option that a network does not have is ignored by it. */
export interface NetworkOptions {
  /** Channels of a U-Net's first level. */
  readonly base: number;
  /** Share of the class head's units that a training step leaves out; null: the network's own. */
  readonly dropout: number | null;
  readonly inputChannels: 1 | 3;
  /** Parts that are not trained, by name; null: those that the network's authors froze. "encoder" stands for all of the encoder. */
  readonly frozen: readonly string[] | null;
  /** Of a saliency baseline: the paper's common head, or the network's own last step. */
  readonly output: SaliencyOutput;
  /** Of MSI-Net: how its decoder samples. */
  readonly corners: Corners;
  /** Of VGG-SSM: how its attention's result becomes a map. */
  readonly attention: AttentionLayout;
  /** Of EfficientNetV2-S: probability with which the last block's branch is left out; null: the published one. */
  readonly stochasticDepth: number | null;
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

const torchvision = (what: string, files: string): PublishedWeights => ({
  what,
  licence: 'BSD-3-Clause (the library); trained on ImageNet, whose terms are for research',
  where: `https://download.pytorch.org/models/ (${files})`,
});

const timm = (what: string, model: string): PublishedWeights => ({
  what,
  licence: 'Apache-2.0; trained on ImageNet, whose terms are for research',
  where: `https://huggingface.co/timm/${model}`,
});

/** Without the options that are null. */
const given = (options: Readonly<Record<string, number | null>>): Record<string, number> =>
  Object.fromEntries(Object.entries(options).filter((entry): entry is [string, number] => entry[1] !== null));

const inceptionEncoder = [
  ...['conv2d_1a', 'conv2d_2a', 'conv2d_2b', 'conv2d_3b', 'conv2d_4a', 'mixed_5b', 'repeat'],
  ...['mixed_6a', 'repeat_1', 'mixed_7a', 'repeat_2', 'block8', 'conv2d_7b'],
];

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
  resnet50: {
    title: 'ResNet-50: diagnosis alone',
    tasks: diagnosisOnly,
    parameters: 23_507_907,
    source: 'He et al. 2016; torchvision',
    weights: [torchvision('ImageNet (V1, V2)', 'resnet50-0676ba61.pth, resnet50-11ad3fa6.pth')],
    size: { multiple: 1, smallest: 33, reason: 'which five halvings of the size need' },
    encoder: ['conv1', 'bn1', 'layer1', 'layer2', 'layer3', 'layer4'],
    build: (gpu, options, seed) => new ResNet50(gpu, options, seed),
  },
  'efficientnet-v2-s': {
    title: 'EfficientNetV2-S: diagnosis alone',
    tasks: diagnosisOnly,
    parameters: 20_180_899,
    source: 'Tan & Le 2021; torchvision',
    weights: [
      torchvision('ImageNet', 'efficientnet_v2_s-dd5fe13b.pth'),
      timm("ImageNet-21k and ImageNet, Google's (TensorFlow's padding)", 'tf_efficientnetv2_s.in21k_ft_in1k'),
    ],
    size: { multiple: 1, smallest: 33, reason: 'which five halvings of the size need' },
    encoder: ['features'],
    build: (gpu, { dropout, stochasticDepth, ...options }, seed) =>
      new EfficientNetV2S(gpu, { ...options, ...given({ dropout, stochasticDepth }) }, seed),
  },
  'inception-resnet-v2': {
    title: 'Inception-ResNet-v2: diagnosis alone',
    tasks: diagnosisOnly,
    parameters: 54_310_499,
    source: 'Szegedy et al. 2017; timm',
    weights: [timm('ImageNet', 'inception_resnet_v2.tf_in1k')],
    size: { multiple: 1, smallest: 75, reason: 'which its unpadded convolutions need' },
    encoder: inceptionEncoder,
    build: (gpu, { dropout, ...options }, seed) =>
      new InceptionResNetV2(gpu, { ...options, ...given({ dropout }) }, seed),
  },
  simplenet: {
    title: 'SimpleNet with PNASNet-5-Large: saliency alone',
    tasks: saliencyOnly,
    parameters: 116_207_332,
    source: "Reddy et al. 2020; the authors' code",
    weights: [
      {
        what: 'SALICON; and the ImageNet encoder alone',
        licence: 'MIT (the repository); the encoder Apache-2.0',
        where: 'https://github.com/samyak0210/saliency (links in its README)',
      },
    ],
    size: { multiple: 32, smallest: 64, reason: 'which five halvings and doublings of the size need' },
    encoder: ['pnas'],
    build: (gpu, options, seed) => new SimpleNet(gpu, options, seed),
  },
  'msi-net': {
    title: 'MSI-Net: saliency alone',
    tasks: saliencyOnly,
    parameters: 24_933_057,
    source: "Kroner et al. 2020; the authors' code",
    weights: [
      {
        what: 'SALICON and others, as TensorFlow checkpoints',
        licence: 'MIT (the repository)',
        where: 'https://github.com/alexanderkroner/saliency',
      },
      torchvision('ImageNet, for the encoder', 'vgg16-397923af.pth'),
    ],
    size: { multiple: 8, smallest: 8, reason: 'which three poolings by two need' },
    encoder: ['features'],
    build: (gpu, options, seed) => new MsiNet(gpu, options, seed),
  },
  'vgg-ssm': {
    title: 'VGG-SSM: saliency alone',
    tasks: saliencyOnly,
    parameters: 42_686_210,
    source: "Cao et al. 2020; the authors' code",
    weights: [torchvision('ImageNet, for the encoder; of the whole network none are known', 'vgg16-397923af.pth')],
    size: { multiple: 16, smallest: 16, reason: 'which four poolings by two need' },
    encoder: ['vgg'],
    frozen: ['vgg'],
    build: (gpu, options, seed) => new VggSsm(gpu, options, seed),
  },
} as const satisfies Record<string, NetworkEntry>;

export type NetworkName = keyof typeof networks;

export const networkNames = Object.keys(networks) as [NetworkName, ...NetworkName[]];

/** The network of a configuration, its frozen parts frozen. */
export function buildNetwork(
  gpu: Gpu,
  { name, ...options }: NetworkOptions & { readonly name: NetworkName },
  classes: number,
  seed: number | null,
): Network {
  const entry: NetworkEntry = networks[name];
  const frozen = options.frozen ?? entry.frozen ?? [];
  const network = entry.build(gpu, { ...options, classes }, seed);
  return network.freeze(frozen.flatMap((part) => partNames(name, part)));
}

/** The names that a configuration's name of a part stands for. */
export function partNames(name: NetworkName, part: string): readonly string[] {
  return part === 'encoder' ? networks[name].encoder : [part];
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

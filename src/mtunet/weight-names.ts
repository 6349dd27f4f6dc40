/**
 * Names under which others publish a network's weights, as the names that it has here.
 *
 * The U-Nets have the names of the released MT-UNet code, ResNet50 those of torchvision and timm, EfficientNetV2-S torchvision's,
 * Inception-ResNet-v2 timm's, SimpleNet and VGG-SSM their authors', and MSI-Net torchvision's VGG-16 with a decoder. Also taken:
 * timm's names of EfficientNetV2-S and of SimpleNet's encoder, Cadene's of Inception-ResNet-v2, TensorFlow's of MSI-Net, torchvision's
 * VGG-16 for VGG-SSM, and everything behind PyTorch's wrappers.
 */
import type { NetworkName } from './networks.ts';
import { timmEfficientNet, timmPnasNet } from './timm-names.ts';

interface Naming {
  /** Patterns of other names and what they become; the first that fits counts. */
  readonly aliases: readonly (readonly [RegExp, string])[];
  /** Whether the published input has one mean and one deviation for all channels, so that a grey film may take their sum exactly. */
  readonly equalChannels: boolean;
}

const unet: Naming = { aliases: [], equalChannels: true };

/** Convolutions of VGG-16's five blocks. */
const vggBlocks = [2, 2, 3, 3, 3];

/** TensorFlow's variables of MSI-Net: `conv3/conv3_1/kernel` is `features.10.weight`. A kernel is stored R S C O. */
const tensorflowMsiNet: Naming['aliases'] = [
  ...vggBlocks.flatMap((convolutions, block) => {
    // A convolution and its ReLU take two places, a pooling one.
    const before = vggBlocks.slice(0, block).reduce((places, count) => places + 2 * count + 1, 0);
    return Array.from({ length: convolutions }, (_, i) => `conv${block + 1}/conv${block + 1}_${i + 1}`).map(
      (name, i): [RegExp, string] => [new RegExp(`^${name}/(?=kernel|bias)`), `features.${before + 2 * i}.`],
    );
  }),
  [/^(aspp|decoder)\/(conv\d(?:_\d)?)\/(?=kernel|bias)/, '$1.$2.'],
];

const namings: Readonly<Record<NetworkName, Naming>> = {
  'mt-unet': unet,
  'mt-unet-b': unet,
  'mt-unet-t': unet,
  'unet-c': unet,
  'unet-s': unet,
  resnet50: { aliases: [], equalChannels: false },
  'efficientnet-v2-s': { aliases: timmEfficientNet, equalChannels: false },
  'inception-resnet-v2': { aliases: [[/^last_linear\./, 'classif.']], equalChannels: true },
  // The encoder's own file has its names without the prefix.
  simplenet: {
    aliases: [[/^(conv0|conv0_bn|stem[12]|cells|classifier)\./, 'pnas.$1.'], ...timmPnasNet],
    equalChannels: true,
  },
  'msi-net': { aliases: tensorflowMsiNet, equalChannels: false },
  // The authors' code names the encoder's tensors twice.
  'vgg-ssm': {
    aliases: [
      [/^conv_layer[1-5]\.(\d+)\./, 'vgg.$1.'],
      [/^features\./, 'vgg.'],
    ],
    equalChannels: true,
  },
};

/** What wrappers of PyTorch put before every name. */
const WRAPPER = /^(module\.|_orig_mod\.)+/;

/** The name that a published tensor has in this network, whether or not the network has one. */
export function canonicalName(network: NetworkName, published: string): string {
  const name = published.replace(WRAPPER, '');
  for (const [pattern, replacement] of namings[network].aliases) {
    if (pattern.test(name)) return name.replace(pattern, replacement).replace(TENSORFLOW_ROLE, asRole);
  }
  return name;
}

/** The end of a TensorFlow variable's name. */
const TENSORFLOW_ROLE = /\b(kernel|bias)(:0)?$/;

const asRole = (_: string, role: string) => (role === 'kernel' ? 'weight' : role);

/** Whether a tensor of this name has the axes R S C O of TensorFlow's kernels instead of O C R S. */
export function isTensorflowKernel(network: NetworkName, published: string): boolean {
  return /\/kernel(:0)?$/.test(published) && canonicalName(network, published) !== published;
}

/** Whether summing the first convolution over its colours gives the same numbers for a grey film as repeating the film three times. */
export function sumIsExact(network: NetworkName): boolean {
  return namings[network].equalChannels;
}

/**
 * Names under which others publish a network's weights, as the names that it has here.
 *
 * The U-Nets have the names of the released MT-UNet code, ResNet50 those of torchvision and timm, EfficientNetV2-S torchvision's,
 * Inception-ResNet-v2 timm's, SimpleNet and VGG-SSM their authors', and MSI-Net torchvision's VGG-16 with a decoder.
 */
import type { NetworkName } from './networks.ts';

interface Naming {
  /** Patterns of other names and what they become; the first that fits counts. */
  readonly aliases: readonly (readonly [RegExp, string])[];
  /** Whether the published input has one mean and one deviation for all channels, so that a grey film may take their sum exactly. */
  readonly equalChannels: boolean;
}

const unet: Naming = { aliases: [], equalChannels: true };

/** Convolutions of a block by timm's stage; null is squeeze-and-excite, which comes third. */
const timmBlocks: readonly (readonly (string | null)[])[] = [
  ['conv'],
  ['conv_exp', 'conv_pwl'],
  ['conv_exp', 'conv_pwl'],
  ['conv_pw', 'conv_dw', null, 'conv_pwl'],
  ['conv_pw', 'conv_dw', null, 'conv_pwl'],
  ['conv_pw', 'conv_dw', null, 'conv_pwl'],
];

const timmEfficientNet: Naming['aliases'] = [
  [/^conv_stem\./, 'features.0.0.'],
  [/^bn1\./, 'features.0.1.'],
  [/^conv_head\./, 'features.7.0.'],
  [/^bn2\./, 'features.7.1.'],
  [/^classifier\.(weight|bias)$/, 'classifier.1.$1'],
  ...timmBlocks.flatMap((steps, stage) => {
    const inBlock = (name: string) => new RegExp(`^blocks\\.${stage}\\.(\\d+)\\.${name}\\.`);
    return steps.flatMap((convolution, step): [RegExp, string][] => {
      const place = `features.${stage + 1}.$1.block.${step}`;
      if (convolution === null) {
        return [
          [inBlock('se\\.conv_reduce'), `${place}.fc1.`],
          [inBlock('se\\.conv_expand'), `${place}.fc2.`],
        ];
      }
      const norm = steps.slice(0, step + 1).filter((name) => name !== null).length;
      return [
        [inBlock(convolution), `${place}.0.`],
        [inBlock(`bn${norm}`), `${place}.1.`],
      ];
    });
  }),
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
  simplenet: { aliases: [[/^(conv0|conv0_bn|stem1|cells|classifier)\./, 'pnas.$1.']], equalChannels: true },
  'msi-net': { aliases: [], equalChannels: false },
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
    if (pattern.test(name)) return name.replace(pattern, replacement);
  }
  return name;
}

/** Whether summing the first convolution over its colours gives the same numbers for a grey film as repeating the film three times. */
export function sumIsExact(network: NetworkName): boolean {
  return namings[network].equalChannels;
}

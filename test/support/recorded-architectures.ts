/** The network that a recorded file describes, built for its recorded weights. */
import type { Gpu } from '../../src/engine/index.ts';
import { EfficientNetV2S } from '../../src/mtunet/baselines/efficientnet-v2-s.ts';
import { InceptionResNetV2 } from '../../src/mtunet/baselines/inception-resnet-v2.ts';
import { MsiNet } from '../../src/mtunet/baselines/msi-net.ts';
import { ResNet50 } from '../../src/mtunet/baselines/resnet50.ts';
import { SimpleNet } from '../../src/mtunet/baselines/simplenet.ts';
import { VggSsm } from '../../src/mtunet/baselines/vgg-ssm.ts';
import { MTUNet } from '../../src/mtunet/model.ts';
import type { Network } from '../../src/mtunet/network.ts';

export interface Architecture {
  readonly family: string;
  readonly base?: number;
  readonly inChannels: number;
  readonly classes?: number | null;
  readonly image?: boolean;
  readonly features?: string | null;
  readonly bnEps?: number;
  readonly coord?: string;
  readonly attnLayout?: string;
}

const corners = { asymmetric: 'asymmetric', half_pixel: 'half-pixel', align_corners: 'align' } as const;
const layouts = { 'upstream-view': 'published', transposed: 'transposed' } as const;

/** Dropout and stochastic depth are off; initial values are open. `variant` is "option=value", as in a file's `variants`. */
export function recordedArchitecture(gpu: Gpu, recorded: Architecture, variant = ''): Network {
  const [option, value] = variant.split('=');
  const arch = { ...recorded, ...(option && { [option]: value }) };
  const { inChannels: inputChannels } = arch;
  const classes = arch.classes ?? 0;
  const make: Record<string, () => Network> = {
    mt_unet: () =>
      new MTUNet(
        gpu,
        {
          base: arch.base,
          inputChannels,
          classes,
          diagnosis: arch.classes === null ? 'none' : (arch.features as 'both'),
          saliency: arch.image ? 'conv' : 'none',
          dropout: 0,
        },
        null,
      ),
    resnet50: () => new ResNet50(gpu, { inputChannels, classes }, null),
    efficientnet_v2_s: () =>
      new EfficientNetV2S(gpu, { inputChannels, classes, dropout: 0, stochasticDepth: 0, epsilon: arch.bnEps }, null),
    inception_resnet_v2: () => new InceptionResNetV2(gpu, { inputChannels, classes, dropout: 0 }, null),
    simplenet: () => new SimpleNet(gpu, { inputChannels }, null),
    msinet: () => new MsiNet(gpu, { inputChannels, corners: known(corners, arch.coord) }, null),
    vggssm: () => new VggSsm(gpu, { inputChannels, attention: known(layouts, arch.attnLayout) }, null),
  };
  return known(make, arch.family)();
}

function known<T>(choices: Readonly<Record<string, T>>, name: string | undefined): T {
  if (name === undefined || !Object.hasOwn(choices, name))
    throw new Error(`"${name}" is not one of ${Object.keys(choices).join(', ')}.`);
  return choices[name];
}

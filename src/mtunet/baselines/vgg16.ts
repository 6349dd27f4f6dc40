/**
 * The convolutions of VGG-16 (Simonyan & Zisserman 2015), which MSI-Net and VGG-SSM build on, named as in torchvision's `features`.
 *
 *     blocks of 2, 2, 3, 3, 3 convolutions 3x3 with ReLU, widths 64, 128, 256, 512, 512; what lies between them is the caller's
 */
import { Apply, Conv2d, type Gpu, type Layer, ModuleList, relu, Sequential } from '../../engine/index.ts';

const blocks = [
  { width: 64, convolutions: 2 },
  { width: 128, convolutions: 2 },
  { width: 256, convolutions: 3 },
  { width: 512, convolutions: 3 },
  { width: 512, convolutions: 3 },
] as const;

export interface Vgg16Options {
  readonly inputChannels: number;
  /** Of the last block's convolutions. */
  readonly lastDilation?: number;
}

/** The five blocks, each with the indices that its layers have in torchvision: 0 to 3, 5 to 8, 10 to 15, 17 to 22, 24 to 29. */
export function vgg16Blocks(gpu: Gpu, { inputChannels, lastDilation = 1 }: Vgg16Options): Sequential[] {
  let channels = inputChannels;
  let index = 0;
  return blocks.map(({ width, convolutions }, level) => {
    const dilation = level === blocks.length - 1 ? lastDilation : 1;
    const layers: Record<string, Layer> = {};
    for (let i = 0; i < convolutions; i++) {
      layers[index++] = new Conv2d(gpu, channels, width, {
        kernel: 3,
        padding: dilation,
        dilation,
        initial: 'fan-out',
      });
      layers[index++] = new Apply(relu);
      channels = width;
    }
    index++; // A pooling follows.
    return new Sequential(layers);
  });
}

/** The layers of all blocks under their own indices: the members of a module called `features` or `vgg`. */
export function joined(sequences: readonly Sequential[]): ModuleList {
  return new ModuleList(Object.assign({}, ...sequences.map((sequence) => sequence.members())));
}

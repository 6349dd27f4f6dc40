/** The depthwise convolutions of EfficientNetV2-S, and a training step of it, as chosen and by the plain kernels, in turns. */
import { convolutionsOf } from '../../src/mtunet/autotune.ts';
import { resolveConfig } from '../../src/mtunet/config.ts';
import { againstPlain, inTurns } from './conv.ts';
import type { Benchmark } from './figure.ts';
import { trainedNetwork } from './networks.ts';

const NETWORK = 'efficientnet-v2-s';
const LAYER_REPEATS = 16;

export const depthwise: Benchmark = {
  name: 'depthwise',
  about: 'depthwise layers and a step of EfficientNetV2-S (preset small, batch 2), also by the plain kernels, in turns',
  async *run(context) {
    const config = resolveConfig('small', { batchSize: 2, network: { name: NETWORK } });
    const layers = [...convolutionsOf(config, 3)].filter(([, { geometry: g }]) => g.groups === g.C && g.groups > 1);
    for (const [name, { pass, geometry }] of layers) {
      if (pass === 'forward') yield* againstPlain(context, name.replace('forward ', ''), geometry, LAYER_REPEATS);
    }
    const { choices } = context.gpu;
    const set = {
      plain: () => choices.pin(Object.fromEntries(layers.map(([name]) => [name, 'plain']))),
      chosen: () => choices.pin({}),
    };
    const { height, width } = config;
    const trained = trainedNetwork(context.gpu, NETWORK, 'small', { height, width });
    yield await inTurns(context, { bench: `${NETWORK} train step, depthwise` }, trained.step, set);
    trained.dispose();
  },
};

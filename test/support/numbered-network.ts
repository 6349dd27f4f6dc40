/** Networks without a device whose weights are all different numbers, and their state under other names. */
import { dryGpu } from '../../src/engine/dry.ts';
import { Counter, type StateDict } from '../../src/engine/index.ts';
import { writeWeights } from '../../src/mtunet/checkpoint.ts';
import { resolveConfig } from '../../src/mtunet/config.ts';
import type { Network } from '../../src/mtunet/network.ts';
import { buildNetwork, type NetworkName } from '../../src/mtunet/networks.ts';
import { readWeightFile } from '../../src/mtunet/weight-file.ts';
import { fitWeights } from '../../src/mtunet/weight-fit.ts';

export const gpu = dryGpu();

export function network(name: NetworkName, { base = 2, channels = 1 as 1 | 3, classes = 3 } = {}): Network {
  const options = resolveConfig(
    'tiny',
    {},
    { height: 96, width: 96, network: { name, base, inputChannels: channels } },
  ).network;
  return buildNetwork(gpu, options, classes, null);
}

/** Every element another number. */
export function numbered(model: Network): StateDict {
  const tensors = new Map<string, { shape: readonly number[]; values: Float32Array }>();
  const counters = new Map<string, number>();
  let start = 0;
  for (const { name, member } of model.entries()) {
    if (member instanceof Counter) counters.set(name, ++start);
    else {
      tensors.set(name, {
        shape: member.shape,
        values: Float32Array.from({ length: member.size }, (_, i) => start + i),
      });
      start += member.size;
    }
  }
  return { tensors, counters };
}

export const renamed = (state: StateDict, rename: (name: string) => string): StateDict => ({
  tensors: new Map([...state.tensors].map(([name, tensor]) => [rename(name), tensor])),
  counters: new Map([...state.counters].map(([name, count]) => [rename(name), count])),
});

export const fitAgain = (name: NetworkName, model: Network, state: StateDict) =>
  fitWeights(name, model, readWeightFile(writeWeights(state)));

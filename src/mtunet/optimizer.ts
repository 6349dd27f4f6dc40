/** The optimizer of a training: everything that learns, each part with its own multiple of the learning rate. */
import { Adam, type Module, type NamedTensor, type Optimizer, RMSProp, SGD } from '../engine/index.ts';
import type { TrainConfig } from './config.ts';
import { isUnder, type Network } from './network.ts';
import { partNames } from './networks.ts';

export function makeOptimizer(
  { network: { name }, optimizer }: TrainConfig,
  network: Network,
  scheme: Module,
): Optimizer {
  const { name: kind, rates, ...options } = optimizer;
  const { scheme: schemeRate, ...partRates } = rates;
  const parts = Object.entries(partRates)
    .flatMap(([part, rate]) => partNames(name, part).map((prefix) => ({ prefix, rate })))
    .sort((a, b) => b.prefix.length - a.prefix.length); // the most particular name counts
  for (const { prefix } of parts) network.checkPart(prefix, 'rates');
  const learnt = [...scheme.parameters()];
  if (schemeRate !== undefined && learnt.length === 0)
    throw new Error('rates: this scheme learns nothing of its own; leave "scheme" out of optimizer.rates.');
  const parameters: NamedTensor[] = [
    ...[...network.parameters()].map((parameter) => ({
      ...parameter,
      rate: parts.find(({ prefix }) => isUnder(parameter.name, prefix))?.rate ?? 1,
    })),
    ...learnt.map((parameter) => ({ ...parameter, rate: schemeRate ?? 1 })),
  ];
  return new { adam: Adam, rmsprop: RMSProp, sgd: SGD }[kind](parameters, options);
}

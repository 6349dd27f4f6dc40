/** mtunet: the engine, MT-UNet and its schemes, metrics and data. */
export type { Batch } from './data/batches.ts';
export { batches } from './data/batches.ts';
export type { ChestDataset, ChestSample } from './data/dataset.ts';
export { syntheticChests } from './data/synthetic.ts';
export * from './engine/index.ts';
export { type ConfigOverrides, presets, resolveConfig, type TrainConfig } from './mtunet/config.ts';
export * as equilibrium from './mtunet/equilibrium.ts';
export { evaluate } from './mtunet/evaluate.ts';
export * as metrics from './mtunet/metrics/index.ts';
export { MTUNet, type MTUNetConfig, unetFamily } from './mtunet/model.ts';
export {
  makeScheme,
  type SchemeName,
  type SchemeOptions,
  schemeDefaults,
  schemeNames,
} from './mtunet/schemes/index.ts';
export { Scheme } from './mtunet/schemes/scheme.ts';
export { type SchemeConfig, schemes, UncertaintyScheme } from './mtunet/schemes/uncertainty.ts';
export { Trainer } from './mtunet/train.ts';

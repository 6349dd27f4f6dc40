/** Everything that turns predictions into numbers of a table. Imports nothing outside this folder. */
export * from './accuracy.ts';
export * from './auc.ts';
export * from './benchmarks.ts';
export * from './delong.ts';
export * from './fixations.ts';
export * from './holm.ts';
export * from './hs.ts';
export * from './kld.ts';
export * from './mcnemar.ts';
export * from './pcc.ts';
export * from './permutation.ts';
export * from './probability.ts';
export * from './resampling.ts';
export * from './run-comparison.ts';
export * from './saliency.ts';
export * from './summary.ts';

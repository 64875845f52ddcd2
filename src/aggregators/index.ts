export { agg } from './agg.ts';
export type { Aggregated, Aggregator, AnyAggregator, Deletes, Spec } from './aggregator.ts';
export type { CollectOptions } from './collect.ts';
export type { CustomAggregator, CustomResult, OfNull } from './custom.ts';
export type { Distinguishable } from './distinct.ts';
export type { MeanState } from './mean.ts';
export type { ReduceOptions } from './reduce.ts';
export type { TopKOptions } from './top-k.ts';
export type { VarianceOptions, VarianceState } from './variance.ts';

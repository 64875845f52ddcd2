export { agg } from './agg.ts';
export type { Aggregated, Aggregator, AnyAggregator, Deletes, Spec } from './aggregator.ts';
export type { CustomAggregator, CustomResult, OfNull } from './custom.ts';
export type { MeanState } from './mean.ts';
export type { ReduceOptions } from './reduce.ts';

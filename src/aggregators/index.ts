export { agg } from './agg.ts';
export type { Aggregated, Aggregator, AnyAggregator, Spec } from './aggregator.ts';
export type { CustomAggregator, CustomResult } from './custom.ts';
export type { MeanState } from './mean.ts';

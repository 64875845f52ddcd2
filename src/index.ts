export {
  type Aggregated,
  type Aggregator,
  type AnyAggregator,
  type ApproxDistinctOptions,
  agg,
  type CollectOptions,
  type CustomAggregator,
  type CustomResult,
  type Deletes,
  type Distinguishable,
  type OfNull,
  type Percentiles,
  type PercentilesOptions,
  type ReduceOptions,
  type Spec,
  type TopKOptions,
  type VarianceOptions,
  type VarianceState,
} from './aggregators/index.ts';
export type { Client, CommittableOf, PartitionOffsets, RecordOf } from './client/client.ts';
export type { ClientGroups, GroupDescription, GroupOffset } from './client/client-groups.ts';
export type { ClientOptions } from './client/client-options.ts';
export type { ClientTopics, CreateTopicOptions, TopicName } from './client/client-topics.ts';
export type { Published, PublishRecord } from './client/publish/published.ts';
export type { CommittableRecord } from './client/read/committable-record.ts';
export type {
  ExplicitReadOptions,
  PatternOptions,
  ReadFrom,
  ReadOptions,
  ReadUntil,
} from './client/read/read-options.ts';
export { Records } from './client/read/records.ts';
export { type ConnectOptions, connect } from './connect.ts';
export type { DashboardOptions, MaskPlace } from './dashboard/options.ts';
export type { Cancel, Clock } from './dataflow/clock.ts';
export type { GlobalSource } from './dataflow/global-source.ts';
export type { LongPipe } from './dataflow/long-pipe.ts';
export { NoTaskError } from './dataflow/scope.ts';
export type { Stream } from './dataflow/stream.ts';
export type { TableSource } from './dataflow/table-source.ts';
export type { Target } from './dataflow/target.ts';
export {
  ConfigError,
  type ErrorClass,
  type ErrorDetails,
  FatalError,
  MillraceError,
  RecordError,
  StoreError,
} from './errors.ts';
export type { JoinType } from './joins/join-rules.ts';
export { type ConsoleLoggerOptions, consoleLogger, type LogLevel, type LogStream } from './log/console-logger.ts';
export type { Logger } from './log/logger.ts';
export type {
  OffsetQuery,
  OpenProgress,
  OpenTransport,
  TopicConfig,
  TopicDescription,
  TopicPartition,
} from './log/transport.ts';
export type { TimingsSnapshot } from './metrics/app-meters.ts';
export { type HistogramValue, type Metric, type MetricSample } from './metrics/metric.ts';
export { prometheusText } from './metrics/prometheus-text.ts';
export type { TimingSnapshot } from './metrics/timing.ts';
export type { LogLocation } from './open-log.ts';
export { type AggregateOptions, aggregate } from './operators/aggregate.ts';
export type { MapAsyncOptions } from './operators/async-limits.ts';
export { type BatchByKeyOptions, batch } from './operators/batch.ts';
export { branch } from './operators/branch.ts';
export { cogroup } from './operators/cogroup.ts';
export type {
  CogroupAdds,
  CogroupDeletes,
  CogroupInputs,
  CogroupKey,
  CogroupOptions,
  RunningCogroupOptions,
  WindowedCogroupOptions,
} from './operators/cogroup-options.ts';
export { countByKey } from './operators/count-by-key.ts';
export { type DebounceByKeyOptions, debounceByKey } from './operators/debounce-by-key.ts';
export { type DedupeOptions, dedupe } from './operators/dedupe.ts';
export { filterValues } from './operators/filter-values.ts';
export { flatMapRecord } from './operators/flat-map-record.ts';
export { flatMapValues } from './operators/flat-map-values.ts';
export {
  type JoinLookupOptions,
  joinLookup,
  type LookupCacheOptions,
  type LookupKey,
} from './operators/join-lookup.ts';
export { type Joined, type JoinStreamOptions, joinStream, type OuterSides } from './operators/join-stream.ts';
export { type JoinGlobalOptions, type JoinTableOptions, joinTable } from './operators/join-table.ts';
export {
  type JoinedInWindow,
  type JoinWindowOptions,
  joinWindow,
  type SharedWindower,
} from './operators/join-window.ts';
export { keyBy } from './operators/key-by.ts';
export {
  type KeyValue,
  type KeyValueDeclaration,
  keyValue,
  type RecordKey,
  type StoreDeclaration,
} from './operators/key-value.ts';
export { type AsyncCall, mapAsync } from './operators/map-async.ts';
export { mapRecord } from './operators/map-record.ts';
export { mapTimestamp } from './operators/map-timestamp.ts';
export { mapValues } from './operators/map-values.ts';
export { type Output, output } from './operators/output.ts';
export { type ProcessDefinition, process } from './operators/process.ts';
export {
  type KeyOfAll,
  type ProcessAllDefinition,
  type ProcessInputs,
  processAll,
} from './operators/process-all.ts';
export type { Processed } from './operators/process-node.ts';
export type {
  DueHandlers,
  EmitOptions,
  Interval,
  IntervalStep,
  Keyed,
  KeyedEmitOptions,
  KeyOf,
  KeyTimer,
  OutputDeclarations,
  OutputValue,
  ProcessInput,
  ProcessStep,
  RecordStep,
  StepDefinition,
  StepParts,
  StoreDeclarations,
  StoreHandle,
  TimerDeclarations,
} from './operators/process-types.ts';
export type {
  KeyedRecord,
  NewRecord,
  Refused,
  Rekeyed,
  UnlessAsync,
  ValuedRecord,
  WithValue,
} from './operators/record-types.ts';
export { reduceByKey } from './operators/reduce-by-key.ts';
export type { Expires } from './operators/row-expiry.ts';
export { type ThrottleByKeyOptions, throttleByKey } from './operators/throttle-by-key.ts';
export { union } from './operators/union.ts';
export { type UpdateDeletes, type WindowByOptions, windowBy } from './operators/window-by.ts';
export type { WindowEmit } from './operators/windowing-plan.ts';
export type { BatchOptions } from './options/batch-options.ts';
export type { Durability } from './options/durability.ts';
export type { Duration } from './options/duration.ts';
export {
  type DeadLetterOptions,
  type DeadLetterPolicy,
  deadLetter,
  type RecordPolicy,
} from './options/record-policy.ts';
export type { InvalidTimestampPolicy, TimestampContext, TimestampOf } from './options/timestamps.ts';
export { describePipeline, type GraphStage, type GraphStep, type PipelineGraph } from './plan/graph.ts';
export type { Pipeline } from './plan/topology.ts';
export type { Compression } from './protocol/compression.ts';
export {
  type ReadStateOptions,
  readState,
  type StateDamage,
  type StoredBytes,
  type StoredState,
  type StoredStore,
} from './read-state.ts';
export {
  type Change,
  type CoLocated,
  type Header,
  type Headers,
  type KeyChanged,
  type Lateness,
  type LateRecord,
  type NoKey,
  type PlacementOf,
  type placement,
  type StreamRecord,
  type Window,
  type WindowedRecord,
} from './record.ts';
export { type RunOptions, run } from './run.ts';
export { runUntilSignal } from './run-until-signal.ts';
export type { App, Dashboard } from './runtime/app/app-handle.ts';
export type { AppOptions } from './runtime/app/app-options.ts';
export type { RestoreProgress } from './runtime/app/changelog.ts';
export type {
  ChannelEvents,
  CommitEvent,
  CommitTimeEvent,
  FetchEvent,
  StateEvent,
  TurnsEvent,
} from './runtime/app/channels.ts';
export type { GlobalTableSnapshot } from './runtime/app/global-rows.ts';
export type { AppSnapshot, AppState, ErrorSnapshot, InputSnapshot, TaskSnapshot } from './runtime/app/snapshot.ts';
export type { StepInputSnapshot, StepSnapshot } from './runtime/app/step-snapshots.ts';
export type { StoredRow, StoreView } from './runtime/app/store-view.ts';
export type { TracedRecord } from './runtime/task/traced-records.ts';
export {
  bytes,
  float64,
  int32,
  int64,
  json,
  msgpack,
  nullable,
  type SchemaOptions,
  type Serde,
  type SerdeType,
  string,
  uuid,
  type WindowedKey,
  type WindowedKeyOptions,
  windowedKey,
} from './serdes/index.ts';
export { type PickOptions, type ToOptions, to } from './sinks/to.ts';
export type { StoreSnapshot } from './state/state-holder.ts';
export type { TimerKind } from './state/timer-store.ts';
export { GlobalTable, type GlobalTableOptions, globalTable } from './streams/global-table.ts';
export { through } from './streams/through.ts';
export { type Topic, type TopicOptions, topic } from './streams/topic.ts';
export type { TopicPattern, TopicPatternOptions } from './streams/topic-pattern.ts';
export { type AsTableOptions, asTable } from './tables/as-table.ts';
export { filterRows } from './tables/filter-rows.ts';
export { type JoinRowsOptions, joinRows } from './tables/join-rows.ts';
export { mapRows } from './tables/map-rows.ts';
export { regroup } from './tables/regroup.ts';
export { type SuppressOptions, suppress } from './tables/suppress.ts';
export type { Table } from './tables/table.ts';
export { toStream } from './tables/to-stream.ts';
export { type TableOptions, type TopicTable, table } from './tables/topic-table.ts';
export type { ViewOptions } from './tables/view.ts';
export { type InspectOptions, inspect } from './terminal/inspect.ts';
export type { TerminalStream } from './terminal/terminal-stream.ts';
export { type WatchOptions, type WatchResult, watch } from './terminal/watch.ts';
export type { KafkaOptions, SaslOptions } from './transports/kafka/options.ts';
export { MemoryLog, type MemoryLogOptions, memoryTransport } from './transports/memory/index.ts';
export { type CalendarOptions, calendar } from './windows/calendar.ts';
export { countWindows } from './windows/count-windows.ts';
export { cumulate } from './windows/cumulate.ts';
export { type CustomWindowsOptions, customWindows } from './windows/custom-windows.ts';
export { hopping } from './windows/hopping.ts';
export { session } from './windows/session.ts';
export { sliding } from './windows/sliding.ts';
export { tumbling } from './windows/tumbling.ts';
export { unlimited } from './windows/unlimited.ts';
export type {
  AlignedWindower,
  CountWindower,
  PeriodicWindower,
  SessionWindower,
  SlidingWindower,
  UnlimitedWindower,
  Windower,
} from './windows/windower.ts';

import type * as Channels from 'node:diagnostics_channel';
import type { TracedRecord } from '../task/traced-records.ts';

/** Published on `millrace:turns`: the process was busy with records for a stretch of time. @public */
export interface TurnsEvent {
  readonly applicationId: string;
  readonly durationMs: number;
}

/** Published on `millrace:fetch`: records have arrived from the log. @public */
export interface FetchEvent {
  readonly applicationId: string;
  /** `embedded`, `kafka`, `memory`. */
  readonly kind: string;
  /** On Kafka, from the request to its response, including the time that the broker waited for records. */
  readonly durationMs: number;
}

/** Told on `millrace:commit-time`: how long a commit took. @public */
export interface CommitTimeEvent {
  readonly applicationId: string;
  readonly kind: string;
  /** How long it took, in ms. */
  readonly durationMs: number;
  /** From the timestamp of the newest record of each input partition until now, in ms. */
  readonly recordToCommitMs: readonly number[];
  /** The error if it failed. */
  readonly error: unknown;
}

/**
 * Published on `millrace:commit`: outputs, state and offsets have become durable, or the commit has failed. While
 * anybody listens, the headers of all records are looked at for traces; for times alone there is
 * `millrace:commit-time`.
 *
 * @public
 */
export interface CommitEvent extends CommitTimeEvent {
  /** Topics from which the records of the commit were read. */
  readonly topics: readonly string[];
  /** Number of records read since the previous commit. */
  readonly records: number;
  /** When the first of them was taken, in ms since the epoch. */
  readonly startedAt: number;
  /** When the commit began. */
  readonly committingAt: number;
  /**
   * Records with a trace: as a rule up to 128, shared evenly by the partitions that have any. There is at least one of each
   * such partition, and there are up to 128 of a partition whose traces are the first.
   */
  readonly traced: readonly TracedRecord[];
}

/**
 * Published on `millrace:state`: an application has changed its state, or its tasks are rebuilt after an error. @public
 */
export interface StateEvent {
  readonly applicationId: string;
  readonly state: 'running' | 'rebuilding' | 'stopping' | 'stopped' | 'failed';
  readonly error: unknown;
}

/** The events on channels of `node:diagnostics_channel`, by channel name. @public */
export interface ChannelEvents {
  readonly 'millrace:turns': TurnsEvent;
  readonly 'millrace:fetch': FetchEvent;
  readonly 'millrace:commit-time': CommitTimeEvent;
  readonly 'millrace:commit': CommitEvent;
  readonly 'millrace:state': StateEvent;
}

/** A channel to publish events on. */
export interface Channel<T> {
  readonly hasSubscribers: boolean;
  publish(event: T): void;
}

const SILENT: Channel<never> = { hasSubscribers: false, publish: () => undefined };

/** A Node diagnostics channel; without Node nobody listens. */
export function channel<N extends keyof ChannelEvents>(name: N): Channel<ChannelEvents[N]> {
  const hooks: typeof Channels | undefined =
    typeof process === 'undefined' ? undefined : process.getBuiltinModule?.('node:diagnostics_channel');
  return hooks === undefined ? SILENT : hooks.channel(name);
}

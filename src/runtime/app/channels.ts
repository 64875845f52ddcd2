import type * as Channels from 'node:diagnostics_channel';
import type { TracedRecord } from '../task/traced-records.ts';

/** Told on `millrace:turns`: the process was busy with records at a stretch. @public */
export interface TurnsEvent {
  readonly applicationId: string;
  readonly durationMs: number;
}

/** Told on `millrace:fetch`: records have come from the log. @public */
export interface FetchEvent {
  readonly applicationId: string;
  /** `embedded`, `kafka`, `memory`. */
  readonly kind: string;
  /** On Kafka from the request to its answer, with the time that the broker has waited for records. */
  readonly durationMs: number;
}

/** Told on `millrace:commit-time`: how long a commit took. @public */
export interface CommitTimeEvent {
  readonly applicationId: string;
  readonly kind: string;
  /** How long it took. */
  readonly durationMs: number;
  /** From the timestamp of the newest record of each input partition until now, in ms. */
  readonly recordToCommitMs: readonly number[];
  /** Why it has failed. */
  readonly error: unknown;
}

/**
 * Told on `millrace:commit`: outputs, state and offsets have become durable, or have not. While anybody listens, the headers of all records
 * are looked at for traces; for times alone there is `millrace:commit-time`.
 *
 * @public
 */
export interface CommitEvent extends CommitTimeEvent {
  /** Topics that records of the commit were read from. */
  readonly topics: readonly string[];
  /** Records that were read since the commit before. */
  readonly records: number;
  /** When the first of them was taken, in ms since the epoch. */
  readonly startedAt: number;
  /** When the commit began. */
  readonly committingAt: number;
  /** Records with a trace, up to 128 of each partition. */
  readonly traced: readonly TracedRecord[];
}

/** Told on `millrace:state`: an application is in another state, or its tasks are rebuilt after an error. @public */
export interface StateEvent {
  readonly applicationId: string;
  readonly state: 'running' | 'rebuilding' | 'stopping' | 'stopped' | 'failed';
  readonly error: unknown;
}

/** What is told on channels of `node:diagnostics_channel`, by their names. @public */
export interface ChannelEvents {
  readonly 'millrace:turns': TurnsEvent;
  readonly 'millrace:fetch': FetchEvent;
  readonly 'millrace:commit-time': CommitTimeEvent;
  readonly 'millrace:commit': CommitEvent;
  readonly 'millrace:state': StateEvent;
}

/** Where something is told to whoever listens. */
export interface Channel<T> {
  readonly hasSubscribers: boolean;
  publish(event: T): void;
}

const SILENT: Channel<never> = { hasSubscribers: false, publish: () => undefined };

/** A channel of Node; where there is no Node nobody listens. */
export function channel<N extends keyof ChannelEvents>(name: N): Channel<ChannelEvents[N]> {
  const hooks: typeof Channels | undefined =
    typeof process === 'undefined' ? undefined : process.getBuiltinModule?.('node:diagnostics_channel');
  return hooks === undefined ? SILENT : hooks.channel(name);
}

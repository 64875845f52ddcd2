import type { Observable } from 'rxjs';
import type { Metric } from '../../metrics/metric.ts';
import type { KeyValueDeclaration } from '../../operators/key-value.ts';
import type { Duration } from '../../options/duration.ts';
import type { PipelineGraph } from '../../plan/graph.ts';
import type { AppSnapshot } from './snapshot.ts';
import type { StoreView } from './store-view.ts';

/** A running dashboard. @public */
export interface Dashboard {
  /** Its address, without the token. */
  readonly url: string;
  /** Closes it; an application does so itself when it ends. */
  close(): Promise<void>;
}

/** A running application. @public */
export interface App {
  /**
   * Resolves when the application is working for the first time: its topics exist, it is a member of its group, and its
   * assigned tasks are built with their state. Rejects with the error that ended the application before that, or with
   * `ERR_STOPPED` if it was stopped before that. A rejection that nobody awaits does not end the process.
   */
  readonly ready: Promise<void>;
  /**
   * Resolves when the application has stopped, by itself or on request, with everything committed. Rejects with the
   * error that ended it. If nobody awaits `done`, that rejection ends the process, like every unhandled rejection in
   * Node, so the application does not fail silently.
   */
  readonly done: Promise<void>;
  /**
   * Stops gracefully: finishes the records that were read, commits, closes. The default deadline is `stopDeadline`; a
   * stop that exceeds it abandons the last commit.
   *
   * @returns `done`, so it rejects if the application has failed, and with `ERR_STOP_DEADLINE` after the deadline.
   */
  stop(options?: { readonly deadline?: Duration }): Promise<void>;
  /** The current state of the application. */
  snapshot(): AppSnapshot;
  /**
   * Snapshots of the application, at once and then at an interval (default: `'1s'`); completes when the application has
   * ended.
   */
  snapshots(every?: Duration): Observable<AppSnapshot>;
  /**
   * A handle to read a store of the pipeline while the application runs.
   *
   * @param store - Its name, or what `keyValue(…)` returned.
   * @throws ConfigError `ERR_UNKNOWN_STORE`.
   */
  store<K, V>(store: KeyValueDeclaration<K, V>): StoreView<K, V>;
  store<K = unknown, V = unknown>(store: string): StoreView<K, V>;
  /**
   * Its metrics, for `prometheusText` or your own exporter. The first call starts watching the event loop, the heap and
   * garbage collection.
   */
  metrics(): readonly Metric[];
  /**
   * Its dashboard, if `run` was asked to serve one, otherwise `undefined`. Rejects with `ERR_DASHBOARD` if the port is
   * unavailable; the application then runs without a dashboard and logs the failure.
   */
  readonly dashboard: Promise<Dashboard | undefined>;
  /** The plan of the pipeline: stages, steps, topics and stores. */
  readonly graph: PipelineGraph;
  [Symbol.asyncDispose](): Promise<void>;
}

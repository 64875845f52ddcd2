import type { Observable } from 'rxjs';
import type { Metric } from '../../metrics/metric.ts';
import type { KeyValueDeclaration } from '../../operators/key-value.ts';
import type { Duration } from '../../options/duration.ts';
import type { PipelineGraph } from '../../plan/graph.ts';
import type { AppSnapshot } from './snapshot.ts';
import type { StoreView } from './store-view.ts';

/** A dashboard that is served. @public */
export interface Dashboard {
  /** Where to open it; without the token. */
  readonly url: string;
  /** Ends it; an application does so by itself when it ends. */
  close(): Promise<void>;
}

/** A running application. @public */
export interface App {
  /**
   * Resolves when the application works for the first time: its topics exist, it is a member of its group, and the tasks
   * that it was given are built on their state. Rejects with what ended it before that, and with `ERR_STOPPED` when it
   * was stopped before that; a `ready` that nobody awaits never ends the process.
   */
  readonly ready: Promise<void>;
  /**
   * Resolves when the application has stopped, by itself or on request, with everything committed. Rejects with the
   * error that ended it: an application whose `done` nobody awaits ends the process then, as Node does with every
   * unhandled rejection, instead of failing in silence.
   */
  readonly done: Promise<void>;
  /**
   * Stops gracefully: finishes what was read, commits, closes. The deadline is `stopDeadline` unless given; a stop that
   * exceeds it gives up the last commit.
   *
   * @returns `done`, so it rejects when the application had failed, and with `ERR_STOP_DEADLINE` after the deadline.
   */
  stop(options?: { readonly deadline?: Duration }): Promise<void>;
  /** Where the application stands now. */
  snapshot(): AppSnapshot;
  /** Where it stands, at once and then every so often (`'1s'`); completes when the application has ended. */
  snapshots(every?: Duration): Observable<AppSnapshot>;
  /**
   * A store of the pipeline, to look into while the application runs.
   *
   * @param store - Its name, or what `keyValue(…)` declared.
   * @throws ConfigError `ERR_UNKNOWN_STORE`.
   */
  store<K, V>(store: KeyValueDeclaration<K, V>): StoreView<K, V>;
  store<K = unknown, V = unknown>(store: string): StoreView<K, V>;
  /**
   * Its figures as metrics, for `prometheusText` or an exporter of your own. The first call begins to watch event loop, heap
   * and garbage collection; before that nothing is.
   */
  metrics(): readonly Metric[];
  /**
   * The page that shows it, where `run` was told to serve one; `undefined` elsewhere. Rejects with `ERR_DASHBOARD` when the port
   * cannot be had: the application runs without it then, and the log says so.
   */
  readonly dashboard: Promise<Dashboard | undefined>;
  /** The pipeline as it was planned: stages, steps, topics and stores. */
  readonly graph: PipelineGraph;
  [Symbol.asyncDispose](): Promise<void>;
}

import type { Observable } from 'rxjs';
import { type Clock, systemClock } from '../../dataflow/clock.ts';
import { KeepAlive } from '../../dataflow/keep-alive.ts';
import type { MillraceError } from '../../errors.ts';
import { LetterSender } from '../../log/letter-sender.ts';
import { noLogger } from '../../log/logger.ts';
import type { OpenTransport, Transport } from '../../log/transport.ts';
import { AppMeters } from '../../metrics/app-meters.ts';
import { type Duration, durationMs } from '../../options/duration.ts';
import { graphOf, type PipelineGraph } from '../../plan/graph.ts';
import { type Pipeline, plan, type Topology } from '../../plan/topology.ts';
import { reportOpenEnds } from '../task/open-ends.ts';
import { endedBy, stopDeadline, stoppedBeforeReady } from './app-errors.ts';
import type { App } from './app-handle.ts';
import { MetricsExporter } from './app-metrics.ts';
import type { AppOptions } from './app-options.ts';
import { AppTopics } from './app-topics.ts';
import { noting, sayEnded } from './asked.ts';
import { BoundedRun } from './bounded-run.ts';
import { checkDeadLetters, checkOptions } from './check-options.ts';
import { firstFailure, isLateAfter } from './ending.ts';
import { Engine } from './engine.ts';
import { GlobalTables } from './global-tables.ts';
import { openPatiently } from './open-patiently.ts';
import { ProgressWatch } from './progress-watch.ts';
import { Rebuilds } from './rebuilds.ts';
import { Settling } from './settling.ts';
import { type AppSnapshot, describeError, logSnapshot, snapshotApp, snapshotTasks } from './snapshot.ts';
import { snapshotsEvery } from './snapshots.ts';
import { Standing } from './standing.ts';
import { snapshotSteps } from './step-snapshots.ts';
import { storeViews } from './store-views.ts';

/**
 * Plans a pipeline and runs it on a transport.
 *
 * @throws ConfigError immediately if the pipeline or the options are wrong. Later failures reject `done`.
 */
export function startApp(pipeline: Pipeline, open: OpenTransport, options: AppOptions, meters?: AppMeters): App {
  return noting(new Application(pipeline, open, options, meters));
}

class Application implements App {
  readonly graph: PipelineGraph;
  readonly store: App['store'] = storeViews(() => [
    this.#topics.topology,
    this.#topics,
    this.#engine,
    this.#standing.ended,
  ]);
  readonly #topology: Topology;
  readonly #open: OpenTransport;
  readonly #options: AppOptions;
  readonly #clock: Clock;
  readonly #started: number;
  readonly #stopMs: number;
  readonly #standing: Standing;
  #transport: Transport | undefined;
  #transportClosed: Promise<void> | undefined;
  #engine: Engine | undefined;
  #bounded: BoundedRun | undefined;
  #globals: GlobalTables | undefined;
  readonly #topics: AppTopics;
  readonly #rebuilds: Rebuilds;
  #commits = 0;
  /** Whether the engine is being taken down for a restart. */
  #restarting = false;
  #lastSnapshot: AppSnapshot | undefined;
  #waitingFor: string | undefined = 'opening the log';
  readonly #settle = new Settling();
  readonly #readiness = new Settling();
  readonly done: Promise<void> = this.#settle.promise;
  readonly ready: Promise<void> = this.#readiness.promise;
  readonly dashboard: App['dashboard'] = Promise.resolve(undefined);
  readonly #meters: AppMeters;
  readonly #exporter = new MetricsExporter(() => this.snapshot());
  readonly metrics: App['metrics'] = () => this.#exporter.metrics();
  /** The error that ended the application, or after which its tasks are rebuilt. */
  #error: MillraceError | undefined;
  #ending: Promise<void> | undefined;
  /** Settles when the current start or restart is over; never rejects. */
  #starting: Promise<void> = Promise.resolve();
  readonly #alive = new KeepAlive();
  readonly #followers = new Set<() => void>();
  readonly #progress: ProgressWatch | undefined;

  constructor(pipeline: Pipeline, open: OpenTransport, options: AppOptions, meters: AppMeters = new AppMeters()) {
    checkOptions(options);
    this.#topology = plan(pipeline, options.applicationId);
    checkDeadLetters(this.#topology, options.onRecordError ?? 'fail');
    reportOpenEnds(this.#topology.nodes, options.logger ?? noLogger, options.applicationId);
    this.graph = graphOf(this.#topology);
    this.#open = open;
    this.#meters = meters;
    this.#options = options;
    this.#standing = new Standing(options.applicationId);
    this.#clock = options.clock ?? systemClock;
    this.#topics = new AppTopics(this.#topology, options, this.#clock);
    this.#rebuilds = new Rebuilds(options);
    this.#started = this.#clock.monotonic();
    this.#stopMs = durationMs(options.stopDeadline ?? '10s', 'stopDeadline');
    // An application that waits for records is working: it keeps the process alive, like the socket of a server.
    this.#alive.hold();
    // A program that only awaits `done` learns of the failure there.
    this.ready.catch(() => undefined);
    this.#progress = options.logger && new ProgressWatch(this.#clock, options.logger, () => this.snapshot());
    options.signal?.addEventListener('abort', this.#aborted, { once: true });
    if (options.signal?.aborted === true) this.#beginStop(this.#stopMs);
    else this.#starting = this.#start();
  }

  readonly #aborted = (): void => this.#beginStop(this.#stopMs);

  async #start(): Promise<void> {
    try {
      const { applicationId, logger = noLogger } = this.#options;
      const transport = await openPatiently(this.#open, {
        applicationId,
        logger,
        clock: this.#clock,
        stopped: () => this.#ending !== undefined,
        waiting: (reason) => {
          this.#waitingFor = reason;
        },
      });
      if (transport === undefined) return;
      if (this.#ending !== undefined) return await transport.close();
      this.#transport = transport;
      this.#waitingFor = 'setting up topics';
      await this.#topics.setUp(transport);
      await this.#run(transport);
      if (this.#ending === undefined) this.#topics.watch(transport, (names) => void this.#changed(names));
    } catch (error) {
      void this.#end(error);
    }
  }

  async #run(transport: Transport): Promise<void> {
    await this.#topics.renew(transport);
    this.#waitingFor = undefined;
    const { topology } = this.#topics;
    const bounded = this.#options.until === 'end' ? new BoundedRun(this.#topics, transport, this.#options) : undefined;
    this.#bounded = bounded;
    await bounded?.mark();
    const globals = await this.#loadGlobals(transport);
    if (this.#ending !== undefined) return;
    const engine: Engine = new Engine(topology, transport, this.#topics, this.#options, this.#clock, globals, {
      checkedStores: this.#rebuilds.checkedStores,
      meters: this.#meters,
      failed: (error) => void this.#failed(engine, error),
      idle: () => this.#idle(engine, bounded),
      ready: () => this.#readiness.resolve(),
    });
    this.#engine = engine;
    await engine.start();
    if (this.#ending !== undefined) return;
    this.#standing.become('running');
    this.#options.logger?.info({ applicationId: this.#options.applicationId }, 'running');
  }

  /** Global tables are read to their end before the first record is processed. */
  async #loadGlobals(transport: Transport): Promise<GlobalTables> {
    await this.#globals?.close();
    const globals = new GlobalTables(
      this.#topology.globals,
      this.#options,
      this.#clock,
      new LetterSender(transport),
      (error) => void this.#failed(this.#engine, endedBy(error)),
    );
    this.#globals = globals;
    await globals.load(transport, this.#topics.now);
    return globals;
  }

  #idle(engine: Engine, bounded: BoundedRun | undefined): void {
    const checked = (found: 'on' | 'over' | 'anew'): void => {
      if (engine !== this.#engine || this.#ending !== undefined || this.#restarting) return;
      if (found === 'over') this.#beginStop(this.#stopMs);
      if (found === 'anew') void this.#rebuild(engine, 'others have written more for those that had ended');
    };
    void bounded?.check(engine).then(checked, (error: unknown) => this.#end(error));
  }

  /** A task or a commit failed: restart from the last commit if that may help, otherwise end. */
  async #failed(engine: Engine | undefined, error: MillraceError): Promise<void> {
    if (engine !== this.#engine || this.#ending !== undefined || this.#restarting) return;
    const commits = engine?.committer.commits ?? 0;
    const waitMs = this.#standing.state === 'running' ? this.#rebuilds.after(error, commits) : undefined;
    if (waitMs === undefined) return this.#end(error);
    this.#error = error;
    // What topics take may have changed too.
    if (error.code === 'ERR_TOPIC_RECREATED' || error.code === 'ERR_RECORD_TOO_LARGE') this.#topics.changed();
    this.#waitingFor = `rebuilding tasks from the last commit after ${error.code}`;
    this.#standing.tell('rebuilding', error);
    await this.#runAnew(async () => {
      await this.#closeEngine();
      await new Promise<void>((resolve) => void this.#clock.after(waitMs, resolve));
    });
  }

  /** Runs again from the last commit, after `close` has taken the engine down. */
  async #runAnew(close: () => Promise<void>): Promise<void> {
    this.#restarting = true;
    try {
      await close();
      if (this.#ending !== undefined) return;
      const started = this.#run(this.#transport as Transport);
      this.#starting = started.catch(() => undefined);
      this.#restarting = false;
      await started;
    } catch (failure) {
      await this.#end(failure);
    } finally {
      this.#restarting = false;
    }
  }

  /** Topics have changed: rebuilds the tasks for the new topics, or ends the application if that is impossible. */
  async #changed(names: readonly string[]): Promise<void> {
    const engine = this.#engine;
    if (this.#ending !== undefined) return;
    // A start in progress has already looked topics up, so it must be repeated afterwards.
    if (engine === undefined || this.#restarting) {
      await this.#starting;
      if (this.#topics.stale && !this.#restarting && this.#engine !== undefined) await this.#changed(names);
      return;
    }
    await this.#rebuild(engine, `${names.join(', ')} has changed or was found`);
  }

  async #rebuild(engine: Engine, why: string): Promise<void> {
    this.#waitingFor = `tasks to be rebuilt, because ${why}`;
    await this.#runAnew(async () => {
      // Commit first, so that records need not be read again. If that fails, they are.
      await engine.finish().catch(() => undefined);
      await this.#closeEngine();
    });
  }

  async #closeEngine(): Promise<void> {
    const engine = this.#engine;
    if (engine === undefined) return;
    this.#lastSnapshot = this.snapshot();
    this.#commits += engine.committer.commits;
    this.#engine = undefined;
    await engine.close();
  }

  readonly #closeTransport = async (): Promise<void> => (this.#transportClosed ??= this.#transport?.close());

  stop(options: { readonly deadline?: Duration } = {}): Promise<void> {
    this.#beginStop(options.deadline === undefined ? this.#stopMs : durationMs(options.deadline, 'deadline'));
    return this.done;
  }

  #beginStop(deadlineMs: number): void {
    this.#ending ??= this.#stop(deadlineMs);
  }

  async #stop(deadlineMs: number): Promise<void> {
    this.#standing.become('stopping');
    const finished = this.#finish(() => this.#drain());
    if (!(await isLateAfter(this.#clock, deadlineMs, finished))) return;
    this.#settled(stopDeadline(deadlineMs));
    await this.#closeEngine().catch(() => undefined);
    await this.#closeTransport().catch(() => undefined);
  }

  async #drain(): Promise<void> {
    // Whatever is being opened must be closed before this process can open it again.
    await this.#starting;
    await this.#engine?.finish();
  }

  #end(error: unknown): Promise<void> {
    if (this.#ending === undefined) this.#waitingFor = `closing after ${endedBy(error).code}`;
    this.#ending ??= this.#finish(async () => {
      throw error;
    });
    return this.#ending;
  }

  /** Closes everything after `last`, and settles `done` with the first error. */
  async #finish(last: () => Promise<void>): Promise<void> {
    const steps = [last, () => this.#closeEngine(), () => this.#globals?.close(), () => this.#closeTransport()];
    const outcome = await firstFailure(steps);
    this.#settled(outcome?.error);
  }

  #settled(outcome: unknown): void {
    this.#topics.stop();
    if (this.#standing.ended) return;
    const error = outcome === undefined ? undefined : endedBy(outcome);
    this.#alive.close();
    this.#progress?.close();
    this.#exporter.close();
    this.#options.signal?.removeEventListener('abort', this.#aborted);
    this.#standing.become(error === undefined ? 'stopped' : 'failed', error);
    this.#waitingFor = undefined;
    this.#error = error;
    this.#readiness.reject(error ?? stoppedBeforeReady());
    sayEnded(this, this.#options, error);
    if (error === undefined) this.#settle.resolve();
    else this.#settle.reject(error);
    for (const follower of this.#followers) follower();
  }

  snapshot(): AppSnapshot {
    const engine = this.#engine;
    const now = this.#clock.monotonic();
    const others = engine && this.#bounded?.waitingFor(engine);
    const waiting = [this.#waitingFor, others, this.#globals?.waitingFor()].filter((reason) => reason !== undefined);
    return snapshotApp({
      applicationId: this.#options.applicationId,
      state: this.#standing.state,
      ...logSnapshot(this.#transport),
      uptimeMs: now - this.#started,
      commits: this.#commits + (engine?.committer.commits ?? 0),
      lastCommitAgeMs: engine?.committer.lastCommit === undefined ? undefined : now - engine.committer.lastCommit,
      restarts: this.#rebuilds.count,
      error: describeError(this.#error),
      waitingFor: [...waiting, ...(engine?.waitingFor() ?? [])],
      globalTables: this.#globals?.snapshot() ?? [],
      tasks: snapshotTasks(engine) ?? this.#lastSnapshot?.tasks ?? [],
      steps: snapshotSteps(this.#topology, this.#meters.steps),
      timings: this.#meters.timings(),
    });
  }

  snapshots(every: Duration = '1s'): Observable<AppSnapshot> {
    return snapshotsEvery(durationMs(every, 'every'), {
      clock: this.#clock,
      take: () => this.snapshot(),
      followers: this.#followers,
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

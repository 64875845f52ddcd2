import { type DashboardOptions, dashboardSettings } from './dashboard/options.ts';
import { systemClock } from './dataflow/clock.ts';
import { ConfigError } from './errors.ts';
import { defaultLogger } from './log/console-logger.ts';
import { EventLog } from './log/event-log.ts';
import type { Logger } from './log/logger.ts';
import { AppMeters } from './metrics/app-meters.ts';
import { checkLocated, LOG_LOCATION, type LogLocation, openLog } from './open-log.ts';
import { checkText, type OptionNames } from './options/option-checks.ts';
import type { Pipeline } from './plan/topology.ts';
import { startDashboard } from './run-dashboard.ts';
import { startApp } from './runtime/app/app.ts';
import type { App, Dashboard } from './runtime/app/app-handle.ts';
import { APP_OPTIONS, type AppOptions } from './runtime/app/app-options.ts';
import type { OpenLocalStores } from './state/byte-store.ts';

/** Where an application runs, and how. @public */
export interface RunOptions extends Omit<AppOptions, 'logger'>, LogLocation {
  /**
   * Where to log. By default, warnings and errors are written to standard error, one per line (`consoleLogger`); the
   * environment variable `MILLRACE_LOG` sets the level (`debug`, `info`, `warn`, `error`, `silent`). `false` logs
   * nothing.
   */
  readonly logger?: Logger | false;
  /**
   * Folder for the stores of an application on Kafka, so that a start reads only the missing part of the changelogs.
   * Created if missing; it may be deleted at any time between runs. Without it, stores are kept in memory. The embedded
   * log keeps the state itself.
   */
  readonly stateDir?: string;
  /**
   * Serves a page that shows the application at work: `true`, or options. By default it listens on 127.0.0.1 and is
   * read-only. It also serves `/healthz`, `/readyz`, `/metrics` and `/topology.svg`. It closes with the application;
   * `app.dashboard` has its address.
   */
  readonly dashboard?: boolean | DashboardOptions;
}

const RUN_OPTIONS: OptionNames<RunOptions> = { ...LOG_LOCATION, ...APP_OPTIONS, stateDir: true, dashboard: true };

/**
 * Runs a pipeline. Nothing happens before this call; the pipeline value can be run, tested and drawn any number of times.
 *
 * By default it runs on the embedded log in the folder `./.millrace`: the outputs, state and offsets of each commit
 * become durable together, so every input record counts exactly once, even after a crash. The next start with the same
 * `applicationId` continues from the last commit.
 *
 * @param pipeline - An Observable that starts with topics, or several that run together.
 * @param options - `applicationId` is required.
 * @returns The running application; await its `done`.
 * @throws ConfigError immediately if the pipeline or the options are wrong. Later failures reject `done`.
 *
 * @example
 * ```ts
 * import { connect, json, mapValues, memoryTransport, run, to, topic } from 'millrace';
 *
 * const celsius = topic('celsius', { value: json<number>(), partitions: 1 });
 * const fahrenheit = topic('fahrenheit', { value: json<number>() });
 * const pipeline = celsius.pipe(mapValues((degrees) => degrees * 1.8 + 32), to(fahrenheit));
 *
 * const transport = memoryTransport();
 * const app = run(pipeline, { applicationId: 'converter', transport, until: 'end' });
 * await app.done;
 * console.log(app.snapshot().state); // => stopped
 * ```
 * @public
 */
export function run(pipeline: Pipeline, options: RunOptions): App {
  if (typeof options !== 'object' || options === null) {
    throw new ConfigError('ERR_APPLICATION_ID', 'run(…) was called without options', {
      hint: "name the application: run(pipeline, { applicationId: 'my-app' })",
    });
  }
  checkLocated('run', options, RUN_OPTIONS);
  const { dashboard = false, logger: given, ...rest } = options;
  const { clock = systemClock } = options;
  if (dashboard !== false) dashboardSettings(dashboard);
  // Any other value, including null, is checked with the other options.
  const logger = given === false ? undefined : given === undefined ? defaultLogger() : given;
  const events = dashboard === false ? undefined : new EventLog(() => clock.now());
  const tells = events?.tee(logger) ?? logger;
  const app: AppOptions = tells === undefined ? rest : { ...rest, logger: tells };
  const location = withStores(options);
  const meters = new AppMeters();
  const started = startApp(pipeline, openLog(withLogger(location, tells)), app, meters);
  if (dashboard === false || events === undefined) return started;
  const { applicationId, onRecordError } = options;
  const parts = { pipeline, applicationId, location, onRecordError, meters, events, logger: tells };
  return withDashboard(started, startDashboard(started, dashboard, parts));
}

/** A caller that never awaits `dashboard` learns of a failure from the log. */
function withDashboard(app: App, dashboard: Promise<Dashboard>): App {
  dashboard.catch(() => undefined);
  return Object.assign(app, { dashboard });
}

/** The Kafka client logs to the same place as the application. */
function withLogger(location: LogLocation, logger: Logger | undefined): LogLocation {
  if (location.brokers === undefined || logger === undefined) return location;
  return { ...location, kafka: { logger, ...location.kafka } };
}

/** @throws ConfigError `ERR_OPTION` if the stores are kept elsewhere */
function withStores({ dashboard: _dashboard, logger: _logger, stateDir, ...options }: RunOptions): LogLocation {
  if (stateDir === undefined) return options;
  checkText('run', 'stateDir', stateDir);
  if (options.brokers === undefined || options.kafka?.stores !== undefined) {
    const other = options.brokers === undefined ? 'without brokers' : 'together with kafka.stores';
    throw new ConfigError('ERR_OPTION', `stateDir is given ${other}`, {
      hint: 'stateDir is where an application on Kafka keeps its stores; leave one of them out',
    });
  }
  const stores: OpenLocalStores = async (applicationId) => {
    const { localStores } = await import('./transports/embedded/index.ts');
    return localStores(stateDir)(applicationId);
  };
  return { ...options, kafka: { ...options.kafka, stores } };
}

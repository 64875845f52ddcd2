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
   * Where to log. Without one, warnings and errors are written to standard error, a line each (`consoleLogger`); the
   * environment variable `MILLRACE_LOG` sets the level (`debug`, `info`, `warn`, `error`, `silent`). `false`: nothing.
   */
  readonly logger?: Logger | false;
  /**
   * Folder for the stores of an application on Kafka, so that a start reads from the changelogs only what it has missed;
   * created when it is missing, and may be deleted at any time between runs. In memory unless given. The embedded log holds
   * the state itself.
   */
  readonly stateDir?: string;
  /**
   * Serves a page that shows the application at work: `true`, or how. At 127.0.0.1 and read-only unless more is said; beside it
   * `/healthz`, `/readyz`, `/metrics` and `/topology.svg`. It ends with the application; `app.dashboard` says where it is.
   */
  readonly dashboard?: boolean | DashboardOptions;
}

const RUN_OPTIONS: OptionNames<RunOptions> = { ...LOG_LOCATION, ...APP_OPTIONS, stateDir: true, dashboard: true };

/**
 * Runs a pipeline. Nothing happens before this call; the pipeline value can be run, tested and drawn any number of times.
 *
 * By default it runs on the embedded log in the folder `./.millrace`: outputs, state and offsets of each commit become
 * durable together, so every input record counts exactly once, also after a crash. Another start with the same
 * `applicationId` goes on where the last commit was.
 *
 * @param pipeline - An Observable that starts with topics, or several that run together.
 * @param options - `applicationId` is required.
 * @returns The running application; await its `done`.
 * @throws ConfigError at once for anything wrong with the pipeline or the options. What goes wrong later rejects `done`.
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
  // Whatever else is given, null too, is looked at with the other options.
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

/** Who does not ask where the dashboard is learns by the log that there is none. */
function withDashboard(app: App, dashboard: Promise<Dashboard>): App {
  dashboard.catch(() => undefined);
  return Object.assign(app, { dashboard });
}

/** The Kafka client says what it has to say where the application does. */
function withLogger(location: LogLocation, logger: Logger | undefined): LogLocation {
  if (location.brokers === undefined || logger === undefined) return location;
  return { ...location, kafka: { logger, ...location.kafka } };
}

/** @throws ConfigError `ERR_OPTION` where the stores have another place */
function withStores({ dashboard: _dashboard, logger: _logger, stateDir, ...options }: RunOptions): LogLocation {
  if (stateDir === undefined) return options;
  checkText('run', 'stateDir', stateDir);
  if (options.brokers === undefined || options.kafka?.stores !== undefined) {
    const other = options.brokers === undefined ? 'without brokers' : 'together with kafka.stores';
    throw new ConfigError('ERR_OPTION', `stateDir is given ${other}`, {
      hint: 'stateDir is where an application on Kafka has its stores; leave one of them out',
    });
  }
  const stores: OpenLocalStores = async (applicationId) => {
    const { localStores } = await import('./transports/embedded/index.ts');
    return localStores(stateDir)(applicationId);
  };
  return { ...options, kafka: { ...options.kafka, stores } };
}

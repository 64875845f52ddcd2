import { connect } from './connect.ts';
import type { DashboardOptions } from './dashboard/options.ts';
import type { EventLog } from './log/event-log.ts';
import type { Logger } from './log/logger.ts';
import { isDeadLetter } from './log/record-failures.ts';
import type { AppMeters } from './metrics/app-meters.ts';
import { LOG_LOCATION, type LogLocation } from './open-log.ts';
import type { RecordPolicy } from './options/record-policy.ts';
import { stepIds } from './plan/graph.ts';
import { type Pipeline, plan, type Topology } from './plan/topology.ts';
import type { App, Dashboard } from './runtime/app/app-handle.ts';

/** What a dashboard needs besides the application. */
export interface DashboardParts {
  readonly pipeline: Pipeline;
  readonly applicationId: string;
  readonly location: LogLocation;
  readonly onRecordError: RecordPolicy | undefined;
  readonly meters: AppMeters;
  readonly events: EventLog;
  readonly logger: Logger | undefined;
}

/**
 * Serves the dashboard of an application until the application ends. The server is imported only here, so applications
 * without a dashboard do not load it.
 */
export async function startDashboard(
  app: App,
  options: true | DashboardOptions,
  { applicationId, events, location, logger, meters, onRecordError, pipeline }: DashboardParts,
): Promise<Dashboard> {
  const topology = plan(pipeline, applicationId);
  const watched = {
    app,
    meters,
    streams: Array.from(stepIds(topology.stages).keys(), ({ stream }) => stream),
    letterTopics: letterTopicsOf(topology, onRecordError ?? 'fail'),
    events,
  };
  try {
    const { serveApp } = await import('./dashboard/index.ts');
    const dashboard = await serveApp(watched, () => connect(locationOf(location)), options);
    // Not through `done`: a handler there would count as handling a failure, and a failure that nobody awaits must end
    // the process.
    app.snapshots('1h').subscribe({ complete: () => void dashboard.close() });
    logger?.info({ applicationId, url: dashboard.url }, 'dashboard');
    return dashboard;
  } catch (error) {
    // The application keeps working without its dashboard.
    const { code, message } = error as { readonly code?: string; readonly message?: string };
    logger?.error({ applicationId, code }, `no dashboard: ${message}`);
    throw error;
  }
}

/** Only those of an application's options that say where the log is. */
function locationOf(options: LogLocation): LogLocation {
  return Object.fromEntries(Object.entries(options).filter(([name]) => Object.hasOwn(LOG_LOCATION, name)));
}

function letterTopicsOf({ globals, stages }: Topology, fallback: RecordPolicy): string[] {
  const inputs = [...stages.flatMap((stage) => stage.inputs), ...globals];
  const policies = inputs.map(({ onRecordError = fallback }) => onRecordError);
  return [...new Set(policies.flatMap((policy) => (isDeadLetter(policy) ? policy.deadLetter : [])))];
}

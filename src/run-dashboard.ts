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

/** What a dashboard needs of an application beside itself. */
export interface DashboardParts {
  readonly pipeline: Pipeline;
  readonly applicationId: string;
  readonly location: LogLocation;
  readonly onRecordError: RecordPolicy | undefined;
  readonly meters: AppMeters;
  readonly events: EventLog;
  readonly logger: Logger | undefined;
}

/** Serves the dashboard of an application until it ends. The server is loaded now, and by nobody who does not want it. */
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
    // Not by `done`: a failure that nobody awaits has to end the process, and whoever listens there has awaited it.
    app.snapshots('1h').subscribe({ complete: () => void dashboard.close() });
    logger?.info({ applicationId, url: dashboard.url }, 'dashboard');
    return dashboard;
  } catch (error) {
    // An application does its work without it.
    const { code, message } = error as { readonly code?: string; readonly message?: string };
    logger?.error({ applicationId, code }, `no dashboard: ${message}`);
    throw error;
  }
}

/** Where the log is, without whatever else an application is told. */
function locationOf(options: LogLocation): LogLocation {
  return Object.fromEntries(Object.entries(options).filter(([name]) => Object.hasOwn(LOG_LOCATION, name)));
}

function letterTopicsOf({ globals, stages }: Topology, fallback: RecordPolicy): string[] {
  const inputs = [...stages.flatMap((stage) => stage.inputs), ...globals];
  const policies = inputs.map(({ onRecordError = fallback }) => onRecordError);
  return [...new Set(policies.flatMap((policy) => (isDeadLetter(policy) ? policy.deadLetter : [])))];
}

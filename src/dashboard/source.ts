import type { Client } from '../client/client.ts';
import type { EventLog } from '../log/event-log.ts';
import type { AppMeters } from '../metrics/app-meters.ts';
import type { App } from '../runtime/app/app-handle.ts';

/** An application of this process, with the internals that the dashboard shows. */
export interface WatchedApp {
  readonly app: App;
  readonly meters: AppMeters;
  /** The object that identifies each step, by its id in the graph. */
  readonly streams: readonly object[];
  /** The topics of its dead letters. */
  readonly letterTopics: readonly string[];
  readonly events: EventLog;
}

/** The subject of a dashboard: an application with its log, or only a log. */
export interface DashboardSource {
  readonly watched: WatchedApp | undefined;
  /** Opened on first use. */
  readonly client: () => Promise<Client>;
  readonly location: string;
}

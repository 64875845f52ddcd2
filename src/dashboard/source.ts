import type { Client } from '../client/client.ts';
import type { EventLog } from '../log/event-log.ts';
import type { AppMeters } from '../metrics/app-meters.ts';
import type { App } from '../runtime/app/app-handle.ts';

/** An application of this process, and what the dashboard sees of its inside. */
export interface WatchedApp {
  readonly app: App;
  readonly meters: AppMeters;
  /** What stands for each step, by its number in the graph. */
  readonly streams: readonly object[];
  /** Topics that its dead letters go to. */
  readonly letterTopics: readonly string[];
  readonly events: EventLog;
}

/** What a dashboard is about: an application, with the log that it runs on, or only a log. */
export interface DashboardSource {
  readonly watched: WatchedApp | undefined;
  /** Opened when it is needed for the first time. */
  readonly client: () => Promise<Client>;
  readonly location: string;
}

import type { Client } from '../client/client.ts';
import type { Dashboard } from '../runtime/app/app-handle.ts';
import { type DashboardOptions, dashboardSettings } from './options.ts';
import { serve } from './server.ts';
import type { DashboardSource, WatchedApp } from './source.ts';

/** Serves the dashboard of an application that runs in this process, until it ends. */
export async function serveApp(
  watched: WatchedApp,
  connect: () => Promise<Client>,
  options: true | DashboardOptions,
): Promise<Dashboard> {
  let opened: Promise<Client> | undefined;
  const client = (): Promise<Client> => {
    opened ??= connect();
    return opened;
  };
  const source: DashboardSource = { watched, client, location: watched.app.snapshot().location };
  const dashboard = await serve(source, dashboardSettings(options));
  const close = async (): Promise<void> => {
    await dashboard.close();
    await opened?.then((each) => each.close()).catch(() => undefined);
  };
  return { url: dashboard.url, close };
}

/** Serves a view of a log from outside: topics, groups, lag. The caller keeps ownership of the client. */
export async function serveLog(
  client: Client,
  location: string,
  options: true | DashboardOptions = true,
): Promise<Dashboard> {
  return serve({ watched: undefined, client: async () => client, location }, dashboardSettings(options));
}

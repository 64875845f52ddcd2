import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Client } from '../client/client.ts';
import { ConfigError } from '../errors.ts';
import { draw } from '../graph/draw.ts';
import type { GraphFormat } from '../graph/formats.ts';
import { prometheusText } from '../metrics/prometheus-text.ts';
import type { App, Dashboard } from '../runtime/app/app-handle.ts';
import { AppApi } from './app-api.ts';
import { assetAt } from './assets.ts';
import { Guard } from './guard.ts';
import type { About } from './live-data.ts';
import { overviewOf } from './log-overview.ts';
import type { DashboardSettings } from './options.ts';
import { SECURITY_HEADERS, sendJson, sendText } from './pages.ts';
import type { DashboardSource } from './source.ts';

const TOPOLOGY: Readonly<Record<string, readonly [format: GraphFormat, type: string]>> = {
  '/topology.json': ['json', 'application/json'],
  '/topology.mmd': ['mermaid', 'text/plain'],
  '/topology.dot': ['dot', 'text/vnd.graphviz'],
  '/topology.svg': ['svg', 'image/svg+xml'],
};
/** How many ports are tried if none is given. */
const PORTS_TRIED = 10;
const MAX_CONNECTIONS = 128;
/** A connection without a request for this long, in ms, is closed to make room for others, such as health checks. */
const MAX_ASKING_MS = 2000;
/** Streams never end, and only the page reads them. */
const STREAMS: ReadonlySet<string> = new Set(['/api/live', '/api/peek']);

/** @throws ConfigError `ERR_DASHBOARD` if the port is unavailable */
export async function serve(source: DashboardSource, settings: DashboardSettings): Promise<Dashboard> {
  const server = createServer({
    headersTimeout: MAX_ASKING_MS,
    requestTimeout: 2 * MAX_ASKING_MS,
    connectionsCheckingInterval: MAX_ASKING_MS / 2,
  });
  server.maxConnections = MAX_CONNECTIONS;
  // The server must not keep the process alive.
  server.on('connection', (socket) => void socket.unref());
  const port = await listen(server, settings);
  const site = new Site(source, settings, port);
  server.on('request', (request, response) => void site.handle(request, response));
  server.unref();
  const name = settings.local || /^(0\.0\.0\.0|::)$/.test(settings.host) ? 'localhost' : settings.host;
  let closing: Promise<void> | undefined;
  return {
    url: `http://${name.includes(':') ? `[${name}]` : name}:${port}/`,
    close: () => {
      closing ??= (async () => {
        site.close();
        await new Promise<void>((resolve) => {
          server.close(() => resolve());
          server.closeIdleConnections();
          setTimeout(() => server.closeAllConnections(), 500).unref();
        });
      })();
      return closing;
    },
  };
}

async function listen(server: Server, { anyPort, host, port }: DashboardSettings): Promise<number> {
  for (let tried = 0; ; tried += 1) {
    try {
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        // If all of them are taken, use any port.
        server.listen(tried < PORTS_TRIED ? port + tried : 0, host, () => {
          server.removeListener('error', reject);
          resolve();
        });
      });
      return (server.address() as AddressInfo).port;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EADDRINUSE' && anyPort && tried < PORTS_TRIED) continue;
      throw new ConfigError('ERR_DASHBOARD', `the dashboard cannot listen at ${host}:${port + tried}: ${code}`, {
        cause: error,
        hint:
          code === 'EADDRINUSE' ? 'another process listens there: give { port }' : 'give another { host } or { port }',
      });
    }
  }
}

/** Answers requests. */
class Site {
  readonly #source: DashboardSource;
  readonly #settings: DashboardSettings;
  readonly #guard: Guard;
  readonly #api: AppApi | undefined;

  constructor(source: DashboardSource, settings: DashboardSettings, port: number) {
    this.#source = source;
    this.#settings = settings;
    this.#guard = new Guard(settings, port);
    this.#api =
      settings.page && source.watched !== undefined ? new AppApi(source.watched, source, settings) : undefined;
  }

  close(): void {
    this.#api?.close();
  }

  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    for (const [name, value] of Object.entries(SECURITY_HEADERS)) response.setHeader(name, value);
    try {
      const url = urlOf(request);
      if (url === undefined) return sendText(response, 400, 'this is no address\n');
      await this.#answer(url, request, response);
    } catch (error) {
      // Details of the failure go to the log, not to the client.
      if (!response.headersSent) sendJson(response, { error: error instanceof Error ? error.message : 'failed' }, 500);
      else response.destroy();
    }
  }

  async #answer({ pathname, searchParams }: URL, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const token = searchParams.get('token');
    const verdict = this.#guard.check(request, pathname);
    if ('status' in verdict && !(verdict.status === 401 && pathname === '/' && token !== null)) {
      if (verdict.status === 405) response.setHeader('allow', 'GET, HEAD, POST');
      return sendText(response, verdict.status, `${verdict.message}\n`);
    }
    if (token !== null && pathname === '/') return this.#welcome(token, response);
    if (request.method === 'POST') {
      if ((await this.#api?.post(pathname, request, response)) !== true)
        sendText(response, 404, 'there is no such action\n');
      return;
    }
    if (this.#plain(pathname, response)) return;
    if (this.#settings.page && (await this.#page(pathname, searchParams, request, response))) return;
    sendText(response, 404, 'there is no such page\n');
  }

  /** Stores the token in a cookie and removes it from the address. */
  #welcome(token: string, response: ServerResponse): void {
    if (this.#settings.token !== undefined && !this.#guard.isToken(token)) {
      return sendText(response, 401, 'this is not the token\n');
    }
    if (this.#settings.token !== undefined) response.setHeader('set-cookie', this.#guard.cookie(token));
    response.writeHead(303, { location: '/' }).end();
  }

  /** Paths that are served without the page. */
  #plain(path: string, response: ServerResponse): boolean {
    const app = this.#source.watched?.app;
    if (path === '/healthz' || path === '/readyz') {
      const problems = app === undefined ? [] : path === '/healthz' ? unhealthy(app) : unready(app);
      sendText(response, problems.length === 0 ? 200 : 503, `${problems.length === 0 ? 'ok' : problems.join('\n')}\n`);
      return true;
    }
    if (app === undefined) return false;
    if (path === '/metrics') {
      sendText(response, 200, prometheusText(app.metrics()), 'text/plain; version=0.0.4');
      return true;
    }
    const topology = Object.hasOwn(TOPOLOGY, path) ? TOPOLOGY[path] : undefined;
    if (topology === undefined) return false;
    // An SVG has inline styles and must not run scripts.
    if (path.endsWith('.svg')) {
      response.setHeader('content-security-policy', "default-src 'none'; style-src 'unsafe-inline'; sandbox");
    }
    sendText(response, 200, draw(app.graph, topology[0]), topology[1]);
    return true;
  }

  async #page(
    path: string,
    query: URLSearchParams,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<boolean> {
    if (path.startsWith('/api/')) {
      if (request.method === 'HEAD' && STREAMS.has(path) && this.#api !== undefined) {
        sendText(response, 200, '', 'text/event-stream');
        return true;
      }
      if ((await this.#api?.get(path, query, response)) === true) return true;
      return this.#api === undefined && (await this.#log(path, response));
    }
    const asset = assetAt(path);
    if (asset === undefined) {
      if (path !== '/') return false;
      sendText(response, 503, 'the page is not built: npm run build\n');
      return true;
    }
    const gzip = /\bgzip\b/.test(request.headers['accept-encoding'] ?? '');
    const body = gzip ? asset.gzipped : asset.body;
    response.writeHead(200, {
      'content-type': asset.type,
      'content-length': body.length,
      ...(gzip ? { 'content-encoding': 'gzip' } : {}),
    });
    response.end(request.method === 'HEAD' ? undefined : body);
    return true;
  }

  /** The API of the page without an application. */
  async #log(path: string, response: ServerResponse): Promise<boolean> {
    if (path === '/api/about') {
      const { location } = this.#source;
      const about: About = {
        of: 'log',
        name: location,
        location,
        acts: false,
        stores: [],
        letterTopics: [],
        picture: undefined,
        history: [],
      };
      sendJson(response, about);
      return true;
    }
    if (path !== '/api/log') return false;
    const client: Client = await this.#source.client();
    sendJson(response, await overviewOf(client));
    return true;
  }
}

/** A path is always that of a page, never that of a file. */
function urlOf({ url = '/' }: IncomingMessage): URL | undefined {
  if (!url.startsWith('/') || url.startsWith('//')) return undefined;
  try {
    return new URL(url, 'http://localhost');
  } catch {
    return undefined;
  }
}

function unhealthy(app: App): string[] {
  const { error, state } = app.snapshot();
  return state === 'failed' || state === 'stopped'
    ? [`the application has ${state}${error === undefined ? '' : `: ${error.code}`}`]
    : [];
}

/** Why an application is not ready. One that waits for something is alive but not ready. */
function unready(app: App): string[] {
  const { state, tasks, waitingFor } = app.snapshot();
  if (state !== 'running') return [`the application is ${state}`, ...waitingFor];
  return tasks.length === 0 ? waitingFor.map((reason) => `waiting for ${reason}`) : [];
}

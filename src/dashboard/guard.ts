import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { DashboardSettings } from './options.ts';

/** Why a request is refused. */
export interface Refusal {
  readonly status: 401 | 403 | 405 | 421;
  readonly message: string;
}

/** What an admitted request may do. */
export interface Admission {
  /** Whether it may change anything. */
  readonly acts: boolean;
}

/** Required header of requests that change anything: a form or a link on another site cannot send it. */
const ACTION_HEADER = 'x-millrace-action';

const LOCAL_NAMES = new Set(['localhost', '127.0.0.1', '[::1]']);
/** These paths are open to anybody who can reach the port: they only answer yes or no. */
const OPEN_PATHS = new Set(['/healthz', '/readyz']);

/**
 * Checks a request before anything else: its host name (a name that another site has pointed here is refused), the site
 * that sent it, and its token.
 */
export class Guard {
  readonly #settings: DashboardSettings;
  readonly #cookie: string;
  readonly #digest: Buffer | undefined;

  constructor(settings: DashboardSettings, port: number) {
    this.#settings = settings;
    // Cookies ignore ports: dashboards on one machine would overwrite each other's cookies.
    this.#cookie = `millrace-${port}`;
    this.#digest = settings.token === undefined ? undefined : digest(settings.token);
  }

  check(request: IncomingMessage, path: string): Admission | Refusal {
    const host = request.headers.host?.toLowerCase();
    if (host === undefined || !this.#isOurs(host)) {
      const message = 'this name is not known here: give it as allowedHosts, or use localhost';
      return { status: 421, message };
    }
    const foreign = foreignTo(request, host, path);
    if (foreign !== undefined) return { status: 403, message: foreign };
    const known = this.#digest === undefined || this.#knowsToken(request);
    if (!known && !OPEN_PATHS.has(path)) return { status: 401, message: 'open the dashboard with ?token=…' };
    if (request.method === 'GET' || request.method === 'HEAD') return { acts: false };
    if (request.method !== 'POST') return { status: 405, message: 'only GET and POST' };
    if (this.#digest === undefined) {
      return { status: 403, message: 'the dashboard is read-only: it may act when it is given a token' };
    }
    if (request.headers[ACTION_HEADER] !== '1')
      return { status: 403, message: `the header ${ACTION_HEADER} is missing` };
    if (request.headers['content-type'] !== 'application/json') return { status: 403, message: 'not JSON' };
    return { acts: true };
  }

  /** Whether a given token is correct. */
  isToken(given: string): boolean {
    return this.#digest !== undefined && timingSafeEqual(digest(given), this.#digest);
  }

  /** The cookie header that keeps the token in a browser. Scripts cannot read it, and no other site can send it. */
  cookie(token: string): string {
    return `${this.#cookie}=${encodeURIComponent(token)}; HttpOnly; SameSite=Strict; Path=/`;
  }

  #isOurs(host: string): boolean {
    const name = host.replace(/:\d+$/, '');
    if (LOCAL_NAMES.has(name) || this.#settings.allowedHosts.includes(name)) return true;
    // Remote users need the token under any name, and a browser keeps it for one name only.
    return !this.#settings.local;
  }

  #knowsToken({ headers }: IncomingMessage): boolean {
    const bearer = /^Bearer +(.+)$/i.exec(headers.authorization ?? '')?.[1];
    if (bearer !== undefined) return this.isToken(bearer);
    for (const pair of (headers.cookie ?? '').split(';')) {
      const at = pair.indexOf('=');
      if (at < 0 || pair.slice(0, at).trim() !== this.#cookie) continue;
      try {
        return this.isToken(decodeURIComponent(pair.slice(at + 1).trim()));
      } catch {
        return false;
      }
    }
    return false;
  }
}

/** The reason if a request was sent by another site, otherwise `undefined`. */
function foreignTo({ headers, method }: IncomingMessage, host: string, path: string): string | undefined {
  const { origin } = headers;
  if (origin !== undefined && origin !== `http://${host}` && origin !== `https://${host}`) {
    return 'the request comes from another site';
  }
  const site = headers['sec-fetch-site'];
  if (site === undefined || site === 'same-origin' || site === 'none') return undefined;
  // Following a link to the page is allowed.
  const followed = path === '/' && method === 'GET' && headers['sec-fetch-mode'] === 'navigate';
  return followed && headers['sec-fetch-dest'] === 'document' ? undefined : 'the request comes from another site';
}

function digest(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

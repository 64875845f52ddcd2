import { ConfigError } from '../errors.ts';
import { checkNames, checkText, checkWhole, type OptionNames, show } from '../options/option-checks.ts';
import { checkFunction } from '../options/promises.ts';

/** The part of a record that is about to be shown. @public */
export interface MaskPlace {
  readonly part: 'key' | 'value' | 'header';
  /** The topic, step or store that it belongs to. */
  readonly of: string;
  /** The name of a header. */
  readonly name?: string;
}

/** Options of the dashboard. @public */
export interface DashboardOptions {
  /** The port (default: 7070, or another free port if that is taken). 0: any free port. */
  readonly port?: number;
  /** The address to listen on (default: `'127.0.0.1'`). Any address that other machines can reach requires a token. */
  readonly host?: string;
  /**
   * With a token (16 characters or more) the dashboard allows actions: dead letters can be replayed. Users must then
   * provide the token: once in the URL (`?token=…`), or as `Authorization: Bearer …`. Without a token the dashboard is
   * read-only.
   */
  readonly token?: string;
  /** Further host names of the dashboard, such as that of a proxy. */
  readonly allowedHosts?: readonly string[];
  /** Returns what to show instead of a key, a value or a header: `() => '•••'`. If it throws, nothing is shown. */
  readonly mask?: (value: unknown, place: MaskPlace) => unknown;
  /**
   * Whether to serve the page and its data (default: true). With false, only `/healthz`, `/readyz`, `/metrics` and
   * `/topology.*` are served.
   */
  readonly page?: boolean;
}

const NAMES: OptionNames<DashboardOptions> = {
  port: true,
  host: true,
  token: true,
  allowedHosts: true,
  mask: true,
  page: true,
};

const LOOPBACK = new Set(['127.0.0.1', '::1', 'localhost']);
const MIN_TOKEN = 16;
const DEFAULT_PORT = 7070;

/** The checked options of the server. */
export interface DashboardSettings {
  readonly port: number;
  /** Whether another port is acceptable. */
  readonly anyPort: boolean;
  readonly host: string;
  /** Whether only this machine can reach it. */
  readonly local: boolean;
  readonly token: string | undefined;
  readonly allowedHosts: readonly string[];
  readonly mask: DashboardOptions['mask'];
  readonly page: boolean;
}

/** @throws ConfigError `ERR_OPTION` */
export function dashboardSettings(given: true | DashboardOptions): DashboardSettings {
  const options = given === true ? {} : given;
  checkNames('dashboard', options, NAMES);
  const { allowedHosts = [], host = '127.0.0.1', mask, page = true, port, token } = options;
  checkWhole('dashboard', 'port', port, 0);
  checkText('dashboard', 'host', host);
  if (mask !== undefined) checkFunction('dashboard: mask', mask, "{ mask: () => '•••' }");
  if (port !== undefined && port > 65_535) throw wrong(`port is ${port}`, 'give a port up to 65535');
  if (token !== undefined && (typeof token !== 'string' || token.length < MIN_TOKEN)) {
    throw wrong('token is too short', `give at least ${MIN_TOKEN} characters, such as those of randomUUID()`);
  }
  if (!Array.isArray(allowedHosts) || !allowedHosts.every((name) => typeof name === 'string')) {
    throw wrong(`allowedHosts is ${show(allowedHosts)}`, "give names: ['streams.example.org']");
  }
  const local = LOOPBACK.has(host);
  if (!local && token === undefined) {
    throw wrong(
      `host is ${host}, which others can reach, and there is no token`,
      "give { token }, or leave host out: '127.0.0.1' is for this machine alone",
    );
  }
  return {
    port: port ?? DEFAULT_PORT,
    anyPort: port === undefined,
    host,
    local,
    token,
    allowedHosts: allowedHosts.map((name) => name.toLowerCase()),
    mask,
    page,
  };
}

function wrong(what: string, hint: string): ConfigError {
  return new ConfigError('ERR_OPTION', `dashboard: ${what}`, { hint });
}

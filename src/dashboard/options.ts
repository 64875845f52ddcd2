import { ConfigError } from '../errors.ts';
import { checkNames, checkText, checkWhole, type OptionNames, show } from '../options/option-checks.ts';
import { checkFunction } from '../options/promises.ts';

/** Part of a record that is about to be shown. @public */
export interface MaskPlace {
  readonly part: 'key' | 'value' | 'header';
  /** The topic, step or store that it is of. */
  readonly of: string;
  /** The name of a header. */
  readonly name?: string;
}

/** How the dashboard is served. @public */
export interface DashboardOptions {
  /** The port (7070); another free one when it is taken, unless it is given. 0: any. */
  readonly port?: number;
  /** The address to listen at (`'127.0.0.1'`). Any other than that of this machine needs a token. */
  readonly host?: string;
  /**
   * With a token (16 characters or more) the dashboard may act: dead letters can be replayed. Who opens it has to know the
   * token: in the URL once (`?token=…`), or as `Authorization: Bearer …`. Without one it can only be read.
   */
  readonly token?: string;
  /** Further names by which the dashboard is reached, such as that of a proxy. */
  readonly allowedHosts?: readonly string[];
  /** What is shown in place of a key, a value or a header: `() => '•••'`. What it throws shows nothing. */
  readonly mask?: (value: unknown, place: MaskPlace) => unknown;
  /** Whether the page and its data are served (true); without, there are `/healthz`, `/readyz`, `/metrics` and `/topology.*`. */
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

/** Options as the server uses them. */
export interface DashboardSettings {
  readonly port: number;
  /** Whether another port will do. */
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

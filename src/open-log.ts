import { ConfigError } from './errors.ts';
import type { OpenTransport } from './runtime/transport.ts';

/** How sure an acknowledgement of the embedded log is. @public */
export type Durability = 'fsync' | 'commit' | 'memory';

/** Where the log is. @public */
export interface LogLocation {
  /** Folder of the embedded log (`./.millrace`); created when it is missing. Not on a network file system. */
  readonly path?: string;
  /**
   * What an acknowledgement means on the embedded log. `'fsync'` (default): flushed to disk. `'commit'`: survives the
   * process, not a power cut. `'memory'`: for tests.
   */
  readonly durability?: Durability;
  /** Another log, such as `memoryTransport()`. Excludes `path` and `durability`. */
  readonly transport?: OpenTransport;
}

/** How to open the log that is meant. The embedded log is loaded only when it is used. */
export function openLog({ durability, path, transport }: LogLocation): OpenTransport {
  if (transport !== undefined) {
    const extra = path === undefined ? (durability === undefined ? undefined : 'durability') : 'path';
    if (extra === undefined) return transport;
    throw new ConfigError('ERR_OPTION', `${extra} is given together with transport`, {
      hint: `${extra} belongs to the embedded log; leave one of them out`,
    });
  }
  return async () => {
    const { embeddedTransport } = await import('./transports/embedded/index.ts');
    return embeddedTransport({ path: path ?? '.millrace', ...(durability === undefined ? {} : { durability }) })();
  };
}

import type { Client } from './client/client.ts';
import { CLIENT_OPTIONS, type ClientOptions, checkClientOptions } from './client/client-options.ts';
import { logClient } from './client/log-client.ts';
import { checkLocated, LOG_LOCATION, type LogLocation, openLog } from './open-log.ts';

/** Where a client connects to, and how it works. @public */
export interface ConnectOptions extends ClientOptions, LogLocation {}

/**
 * Opens a client, for programs that publish or subscribe without a pipeline.
 *
 * By default it opens the embedded log in the folder `./.millrace`, which several processes may share: one can run an
 * application on it while others publish and read. A client keeps the process alive only while something is being
 * published or a subscription is open. Close it at the end.
 *
 * @param options - Where the log is. Everything else has defaults.
 * @returns The open client.
 * @throws ConfigError `ERR_OPTION` for wrong options; or the log's own error when it cannot be opened.
 *
 * @example
 * ```ts
 * import { connect, json, memoryTransport, string, topic } from 'millrace';
 *
 * const orders = topic('orders', { key: string(), value: json<{ total: number }>() });
 * const client = await connect({ transport: memoryTransport() });
 * await client.topics.create(orders, { partitions: 3 });
 * const { offset } = await client.publish(orders, { key: 'o-1', value: { total: 12 } });
 * console.log(offset); // => 0
 * await client.close();
 * ```
 * @public
 */
export async function connect(options: ConnectOptions = {}): Promise<Client> {
  checkLocated('connect', options, { ...LOG_LOCATION, ...CLIENT_OPTIONS });
  checkClientOptions(options);
  const transport = await openLog(options)();
  return logClient(transport, options);
}

import { createRequire } from 'node:module';
import type { Socket } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import { ConfigError, MillraceError } from '../../errors.ts';
import { connectFailure, connectionError, requestTimeout } from './errors.ts';
import type { Connection, Internals, KafkajsLogger, RequestQueue, VersionRange } from './kafkajs-types.ts';
import type { Logger } from './logger.ts';
import { openSocket } from './open-socket.ts';
import type { SaslOptions } from './options.ts';

/**
 * The only file that touches what kafkajs does not document. kafkajs gives sockets, TLS, framing, SASL and the versions
 * of a broker's requests; its code has not moved since 2.2.4 and is pinned to that version.
 */
const KAFKAJS_VERSION = '2.2.4';

/** A response that claims to be larger is taken for another protocol. */
const MAX_RESPONSE_BYTES = 100 * 1024 * 1024;

let loaded: Internals | undefined;

/** Loads kafkajs. @throws ConfigError `ERR_KAFKAJS` when it is missing or of another version. */
export function loadKafkajs(): Internals {
  if (loaded !== undefined) return loaded;
  const require = createRequire(import.meta.url);
  const hint = `install exactly that version: npm install kafkajs@${KAFKAJS_VERSION}`;
  let version: unknown;
  try {
    ({ version } = require('kafkajs/package.json') as { readonly version?: unknown });
  } catch (cause) {
    throw new ConfigError('ERR_KAFKAJS', `Kafka needs the package kafkajs ${KAFKAJS_VERSION}, which is missing`, {
      cause,
      hint,
    });
  }
  if (version !== KAFKAJS_VERSION) {
    throw new ConfigError(
      'ERR_KAFKAJS',
      `Kafka needs kafkajs ${KAFKAJS_VERSION}, and ${String(version)} is installed`,
      {
        hint,
      },
    );
  }
  loaded = {
    Broker: require('kafkajs/src/broker') as Internals['Broker'],
    ConnectionPool: require('kafkajs/src/network/connectionPool') as Internals['ConnectionPool'],
  };
  return loaded;
}

export interface ConnectOptions {
  readonly host: string;
  readonly port: number;
  readonly clientId: string;
  readonly ssl: ConnectionOptions | undefined;
  readonly sasl: SaslOptions | undefined;
  readonly connectTimeoutMs: number;
  readonly logger: Logger;
}

/** A request, encoded. */
export interface EncodedRequest {
  readonly name: string;
  readonly key: number;
  readonly version: number;
  readonly pieces: readonly Uint8Array[];
}

/** One connection to one broker, authenticated. Requests are answered in order. */
export class KafkaConnection {
  readonly address: string;
  readonly #clientId: Uint8Array;
  readonly #connection: Connection;
  readonly #versions: Readonly<Record<number, VersionRange>>;
  readonly #sasl: boolean;
  #closed: Error | undefined;
  #answered = false;

  private constructor(
    options: ConnectOptions,
    connection: Connection,
    versions: Readonly<Record<number, VersionRange>>,
  ) {
    this.address = `${options.host}:${options.port}`;
    this.#clientId = new TextEncoder().encode(options.clientId);
    this.#connection = connection;
    this.#versions = versions;
    this.#sasl = options.sasl !== undefined;
    quietQueue(connection.requestQueue);
    connection.socket?.on('data', () => {
      if (connection.bytesNeeded > MAX_RESPONSE_BYTES) {
        this.close(connectionError(this.address, `a response of ${connection.bytesNeeded} bytes was refused`));
      }
    });
  }

  /** @throws MillraceError that says what is wrong with the address, the certificate or the user. */
  static async open(options: ConnectOptions): Promise<KafkaConnection> {
    const { Broker, ConnectionPool } = loadKafkajs();
    const address = `${options.host}:${options.port}`;
    const logger = bridge(options.logger, address);
    let socket: Socket | undefined;
    let failed: (error: Error) => void = () => undefined;
    const failure = new Promise<never>((_, reject) => (failed = reject));
    const connectionPool = new ConnectionPool({
      host: options.host,
      port: options.port,
      clientId: options.clientId,
      ssl: options.ssl ?? null,
      // A copy, because kafkajs writes into it.
      sasl: options.sasl === undefined ? null : { ...options.sasl },
      socketFactory: (request) => {
        socket = openSocket(request, options.ssl);
        // Not every end of a socket reaches kafkajs while it authenticates.
        socket.once('error', failed);
        socket.once('close', () => failed(new Error('the broker closed the connection')));
        return socket;
      },
      connectionTimeout: options.connectTimeoutMs,
      requestTimeout: options.connectTimeoutMs,
      enforceRequestTimeout: false,
      logger,
    });
    const [connection] = connectionPool.pool;
    quietQueue(connection.requestQueue);
    const broker = new Broker({ connectionPool, logger, authenticationTimeout: options.connectTimeoutMs });
    const late = setTimeout(
      () => failed(new Error(`no connection in ${options.connectTimeoutMs} ms`)),
      options.connectTimeoutMs,
    );
    const connecting = broker.connect();
    try {
      await Promise.race([connecting, failure]);
      return new KafkaConnection(options, connection, broker.versions ?? {});
    } catch (cause) {
      // Of the two ways in which a failure shows, the socket's error says more than what kafkajs makes of it.
      const reason = await Promise.race([failure, Promise.resolve(cause)]).catch((error: unknown) => error);
      connection.requestQueue.rejectAll(new Error('the connection was given up'));
      socket?.destroy();
      const sasl = options.sasl?.mechanism;
      throw connectFailure(
        address,
        sasl !== undefined && isSasl(cause) ? cause : reason,
        options.ssl !== undefined,
        sasl,
      );
    } finally {
      clearTimeout(late);
      failure.catch(() => undefined);
      connecting.catch(() => undefined);
    }
  }

  /** Whether new requests may go here. A connection whose login is about to expire is left to finish what it has. */
  get usable(): boolean {
    if (this.#closed !== undefined || !this.#connection.isConnected()) return false;
    return !this.#sasl || this.#connection.isAuthenticated();
  }

  /** Whether the broker knows a version of a request. */
  supports(key: number, version: number): boolean {
    const range = this.#versions[key];
    return range !== undefined && range.minVersion <= version && version <= range.maxVersion;
  }

  /**
   * Sends a request and gives the bytes of the response after its header.
   *
   * @throws MillraceError `ERR_CONNECTION`, `ERR_REQUEST_TIMEOUT`: what became of the request is not known.
   */
  async request(request: EncodedRequest, timeoutMs: number): Promise<Buffer> {
    if (!this.usable) throw this.#closed ?? connectionError(this.address, 'the connection is closed');
    const connection = this.#connection;
    const correlationId = connection.nextCorrelationId();
    const head = this.#header(request, correlationId);
    let timer: NodeJS.Timeout | undefined;
    try {
      const { payload } = await new Promise<{ readonly payload: Buffer }>((resolve, reject) => {
        timer = setTimeout(() => this.close(requestTimeout(this.address, request.name, timeoutMs)), timeoutMs);
        connection.requestQueue.push({
          entry: {
            apiKey: request.key,
            apiName: request.name,
            apiVersion: request.version,
            correlationId,
            resolve,
            reject,
          },
          expectResponse: true,
          requestTimeout: timeoutMs,
          sendRequest: () => {
            const { socket } = connection;
            if (socket === undefined) throw connectionError(this.address, 'there is no socket');
            socket.cork();
            socket.write(head);
            for (const piece of request.pieces) socket.write(piece);
            socket.uncork();
          },
        });
      });
      this.#answered = true;
      return payload;
    } catch (error) {
      if (error instanceof MillraceError) throw error;
      throw this.#closed ?? this.#lost(error);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Closes at once; requests under way fail. */
  close(reason: Error = connectionError(this.address, 'the connection was closed')): void {
    if (this.#closed !== undefined) return;
    this.#closed = reason;
    this.#connection.requestQueue.rejectAll(reason);
    this.#connection.socket?.destroy();
    void this.#connection.disconnect().catch(() => undefined);
  }

  #lost(cause: unknown): MillraceError {
    if (this.#answered || this.#sasl) return connectionError(this.address, (cause as Error).message, { cause });
    return connectionError(this.address, 'it closed the connection without an answer', {
      cause,
      hint: 'if this listener wants a login, set sasl; otherwise the broker may be shutting down',
    });
  }

  #header(request: EncodedRequest, correlationId: number): Uint8Array {
    const id = this.#clientId;
    const head = new Uint8Array(4 + 10 + id.length);
    const size = request.pieces.reduce((sum, piece) => sum + piece.length, head.length - 4);
    const view = new DataView(head.buffer);
    view.setInt32(0, size);
    view.setInt16(4, request.key);
    view.setInt16(6, request.version);
    view.setInt32(8, correlationId);
    view.setInt16(12, id.length);
    head.set(id, 14);
    return head;
  }
}

const isSasl = (error: unknown): boolean =>
  /SASL/i.test((error as Error).message) || (error as Error).name.includes('SASL');

/** Without work kafkajs sets a timer over and over; this one is set only while requests wait for a throttle to end. */
function quietQueue(queue: RequestQueue): void {
  queue.scheduleCheckPendingRequests = () => {
    if (queue.pending.length === 0 || queue.throttleCheckTimeoutId !== null) return;
    queue.throttleCheckTimeoutId = setTimeout(
      () => {
        queue.throttleCheckTimeoutId = null;
        queue.checkPendingRequests();
      },
      Math.max(queue.throttledUntil - Date.now(), 10),
    );
  };
}

/** kafkajs reports as errors what its caller handles, so all of it is for those who look closely. */
function bridge(logger: Logger, broker: string): KafkajsLogger {
  const log = (message: string): void => logger.debug({ broker, source: 'kafkajs' }, message);
  const bridged: KafkajsLogger = { namespace: () => bridged, info: log, warn: log, error: log, debug: () => undefined };
  return bridged;
}

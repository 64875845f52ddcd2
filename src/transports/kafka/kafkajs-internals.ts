import { createRequire } from 'node:module';
import type { Socket } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import type { Clock } from '../../dataflow/clock.ts';
import { ConfigError, MillraceError } from '../../errors.ts';
import { whenDue } from './due.ts';
import { connectFailure, connectionError, requestTimeout } from './errors.ts';
import { BadFrame, FrameReader } from './frame-reader.ts';
import type { Connection, Internals, KafkajsLogger, RequestQueue, VersionRange } from './kafkajs-types.ts';
import type { Logger } from './logger.ts';
import { openSocket } from './open-socket.ts';
import type { SaslOptions } from './options.ts';
import { NOT_KAFKA } from './what-answers.ts';

/**
 * The only file that uses undocumented parts of kafkajs. kafkajs provides sockets, TLS, framing, SASL and API versions;
 * its code has not changed since 2.2.4, and it is pinned to that version.
 */
const KAFKAJS_VERSION = '2.2.4';

/** A response that claims to be larger is refused. */
const MAX_RESPONSE_BYTES = 100 * 1024 * 1024;
/** The limit until the broker has identified itself: versions and logins are short. */
const MAX_HANDSHAKE_BYTES = 512 * 1024;

let loaded: Internals | undefined;

/** Loads kafkajs. @throws ConfigError `ERR_KAFKAJS` if it is missing or has another version. */
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
      `Kafka needs kafkajs ${KAFKAJS_VERSION}, but ${String(version)} is installed`,
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
  readonly clock: Clock;
}

/** A request, encoded. */
export interface EncodedRequest {
  readonly name: string;
  readonly key: number;
  readonly version: number;
  readonly pieces: readonly Uint8Array[];
}

/** One connection to one broker, authenticated. Requests are answered in order. */
export interface BrokerConnection {
  readonly address: string;
  /** Whether it accepts new requests. A connection whose login is about to expire only finishes its pending ones. */
  readonly usable: boolean;
  /** Whether the broker knows a version of a request. */
  supports(key: number, version: number): boolean;
  /**
   * Sends a request and returns the bytes of the response after its header.
   *
   * @throws MillraceError `ERR_CONNECTION`, `ERR_REQUEST_TIMEOUT`: the outcome of the request is unknown.
   */
  request(request: EncodedRequest, timeoutMs: number): Promise<Buffer>;
  /** Closes at once; pending requests fail. */
  close(reason?: Error): void;
}

/** A connection over a kafkajs socket. */
export class KafkaConnection implements BrokerConnection {
  readonly address: string;
  readonly #clientId: Uint8Array;
  readonly #connection: Connection;
  readonly #versions: Readonly<Record<number, VersionRange>>;
  readonly #sasl: boolean;
  readonly #clock: Clock;
  readonly #frames: FrameReader;
  #closed: Error | undefined;
  #answered = false;

  private constructor(
    options: ConnectOptions,
    connection: Connection,
    versions: Readonly<Record<number, VersionRange>>,
    wire: Wire,
  ) {
    this.address = `${options.host}:${options.port}`;
    this.#clientId = new TextEncoder().encode(options.clientId);
    this.#connection = connection;
    this.#versions = versions;
    this.#sasl = options.sasl !== undefined;
    this.#clock = options.clock;
    this.#frames = wire.frames;
    wire.frames.maxBytes = MAX_RESPONSE_BYTES;
    wire.bad = (error) => this.close(connectionError(this.address, `it sent ${error.message}`, { cause: error }));
  }

  /** @throws MillraceError that says what is wrong with the address, the certificate or the user. */
  static async open(options: ConnectOptions): Promise<KafkaConnection> {
    const { Broker, ConnectionPool } = loadKafkajs();
    const address = `${options.host}:${options.port}`;
    const logger = bridge(options.logger, address);
    let socket: Socket | undefined;
    let failed: (error: Error) => void = () => undefined;
    const failure = new Promise<never>((_, reject) => (failed = reject));
    let givenUp = false;
    const connectionPool = new ConnectionPool({
      host: options.host,
      port: options.port,
      clientId: options.clientId,
      ssl: options.ssl ?? null,
      // A copy, because kafkajs modifies it.
      sasl: options.sasl === undefined ? null : { ...options.sasl },
      socketFactory: (request) => {
        const opened = openSocket(request, options.ssl);
        socket = opened;
        // During authentication kafkajs does not notice every way in which a socket ends.
        opened.once('error', failed);
        opened.once('close', () => failed(new Error(cut(wire.frames))));
        if (givenUp) opened.destroy(new Error('the connection was given up'));
        return opened;
      },
      // Its timers do not wait for readable data; the timer here does.
      connectionTimeout: MAX_TIMER_MS,
      requestTimeout: options.connectTimeoutMs,
      enforceRequestTimeout: false,
      logger,
    });
    const [connection] = connectionPool.pool;
    const wire = tap(connection, (error) => socket?.destroy(error));
    // Without it there are no frames, which ended with Kafka 1.0.
    connectionPool.setSupportAuthenticationProtocol(true);
    const broker = new Broker({ connectionPool, logger, authenticationTimeout: options.connectTimeoutMs });
    const settled = whenDue(
      options.clock,
      options.connectTimeoutMs,
      () => wire.frames.received,
      () => failed(new Error(`no connection in ${options.connectTimeoutMs} ms`)),
    );
    const connecting = broker.connect();
    try {
      await Promise.race([connecting, failure]);
      return new KafkaConnection(options, connection, broker.versions ?? {}, wire);
    } catch (cause) {
      // A failure shows in two ways; the error of the socket says more than that of kafkajs.
      const reason = await Promise.race([failure, Promise.resolve(cause)]).catch((error: unknown) => error);
      givenUp = true;
      connection.requestQueue.rejectAll(new Error('the connection was given up'));
      // Destroy it with an error, so that kafkajs clears its timer.
      socket?.destroy(new Error('the connection was given up'));
      const ssl = options.ssl !== undefined;
      throw connectFailure(
        address,
        whyNot(cause, reason, broker.versions === null, wire),
        ssl,
        options.sasl?.mechanism,
      );
    } finally {
      settled();
      failure.catch(() => undefined);
      connecting.catch(() => undefined);
    }
  }

  get usable(): boolean {
    if (this.#closed !== undefined || !this.#connection.isConnected()) return false;
    return !this.#sasl || this.#connection.isAuthenticated();
  }

  supports(key: number, version: number): boolean {
    const range = this.#versions[key];
    return range !== undefined && range.minVersion <= version && version <= range.maxVersion;
  }

  async request(request: EncodedRequest, timeoutMs: number): Promise<Buffer> {
    if (!this.usable) throw this.#closed ?? connectionError(this.address, 'the connection is closed');
    const connection = this.#connection;
    const correlationId = connection.nextCorrelationId();
    const head = this.#header(request, correlationId);
    let settled: (() => void) | undefined;
    try {
      const { payload } = await new Promise<{ readonly payload: Buffer }>((resolve, reject) => {
        settled = whenDue(
          this.#clock,
          timeoutMs,
          () => this.#frames.received,
          () => this.close(requestTimeout(this.address, request.name, timeoutMs)),
        );
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
      settled?.();
    }
  }

  close(reason: Error = connectionError(this.address, 'the connection was closed')): void {
    if (this.#closed !== undefined) return;
    this.#closed = reason;
    this.#connection.requestQueue.rejectAll(reason);
    this.#connection.socket?.destroy();
    void this.#connection.disconnect().catch(() => undefined);
  }

  #lost(cause: unknown): MillraceError {
    if (this.#frames.unfinished !== undefined) return connectionError(this.address, cut(this.#frames), { cause });
    if (this.#answered || this.#sasl) return connectionError(this.address, (cause as Error).message, { cause });
    return connectionError(this.address, 'it closed the connection without an answer', {
      cause,
      hint: 'if this listener requires a login, set sasl; otherwise the broker may be shutting down',
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

const MAX_TIMER_MS = 2 ** 31 - 1;

/** Checks the bytes of a connection before kafkajs sees a response. */
interface Wire {
  readonly frames: FrameReader;
  /** Called if they are not Kafka's. */
  bad: (error: BadFrame) => void;
}

/** Intercepts the bytes of a connection, because kafkajs trusts any length and any correlation id. */
function tap(connection: Connection, bad: (error: BadFrame) => void): Wire {
  const queue = connection.requestQueue;
  quietQueue(queue);
  const frames = new FrameReader(MAX_HANDSHAKE_BYTES, {
    frame: (correlationId, payload) => {
      if (!queue.inflight.has(correlationId))
        throw new BadFrame(`an answer number ${correlationId} that was not asked for`);
      queue.fulfillRequest({ size: payload.length, correlationId, payload });
    },
    bad: (error) => wire.bad(error),
  });
  const wire: Wire = { frames, bad };
  connection.processData = (bytes) => frames.read(bytes);
  return wire;
}

const cut = ({ unfinished }: FrameReader): string =>
  unfinished === undefined ? 'it closed the connection' : `it closed the connection ${unfinished}`;

const LOST = /closed connection|connection error|connection closed|not connected|out of range|outside buffer/i;

/**
 * Chooses the most informative cause of a failure.
 *
 * @param cause - The error of kafkajs.
 * @param socketError - The error of the socket, if any.
 */
function whyNot(cause: unknown, socketError: unknown, unanswered: boolean, { frames }: Wire): unknown {
  if (unanswered && cause instanceof RangeError) {
    return new BadFrame(`its first answer cannot be read: ${cause.message}`, NOT_KAFKA);
  }
  const { message, name } = cause as Error;
  const lost = LOST.test(message);
  // A connection lost during a login says nothing about the login.
  if (!lost && !(socketError instanceof BadFrame) && (/SASL/i.test(message) || name.includes('SASL'))) return cause;
  return socketError === cause && /closed connection/i.test(message) ? new Error(cut(frames), { cause }) : socketError;
}

/** kafkajs keeps setting a timer while idle; this one is only set while requests wait for a throttle to end. */
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

/** kafkajs logs failures as errors that its caller handles, so everything is logged at debug level. */
function bridge(logger: Logger, broker: string): KafkajsLogger {
  const log = (message: string): void => logger.debug({ broker, source: 'kafkajs' }, message);
  const bridged: KafkajsLogger = { namespace: () => bridged, info: log, warn: log, error: log, debug: () => undefined };
  return bridged;
}

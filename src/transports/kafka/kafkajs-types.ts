import type { Socket } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import type { SaslOptions } from './options.ts';

/** The undocumented parts of kafkajs 2.2.4 that are used, as far as they are used. */

interface QueueEntry {
  readonly apiKey: number;
  readonly apiName: string;
  readonly apiVersion: number;
  readonly correlationId: number;
  readonly resolve: (answer: { readonly payload: Buffer }) => void;
  readonly reject: (error: Error) => void;
}

export interface RequestQueue {
  readonly pending: readonly unknown[];
  readonly inflight: ReadonlyMap<number, unknown>;
  readonly throttledUntil: number;
  throttleCheckTimeoutId: NodeJS.Timeout | null;
  scheduleCheckPendingRequests: () => void;
  checkPendingRequests(): void;
  maybeThrottle(ms: number): void;
  rejectAll(error: Error): void;
  fulfillRequest(answer: { readonly size: number; readonly correlationId: number; readonly payload: Buffer }): void;
  push(request: {
    readonly entry: QueueEntry;
    readonly expectResponse: boolean;
    readonly requestTimeout: number;
    readonly sendRequest: () => void;
  }): void;
}

export interface Connection {
  readonly socket: Socket | undefined;
  readonly requestQueue: RequestQueue;
  /** Called with all that comes in. */
  processData: (bytes: Buffer) => void;
  isConnected(): boolean;
  isAuthenticated(): boolean;
  nextCorrelationId(): number;
  disconnect(): Promise<unknown>;
}

interface ConnectionPool {
  readonly pool: readonly [Connection, ...Connection[]];
  setSupportAuthenticationProtocol(isSupported: boolean): void;
}

export interface VersionRange {
  readonly minVersion: number;
  readonly maxVersion: number;
}

interface Broker {
  readonly versions: Readonly<Record<number, VersionRange>> | null;
  connect(): Promise<void>;
}

export interface KafkajsLogger {
  namespace(): KafkajsLogger;
  info(message: string): void;
  warn(message: string): void;
  error(message: string): void;
  debug(): void;
}

export interface SocketRequest {
  readonly host: string;
  readonly port: number;
  readonly onConnect: () => void;
}

export interface Internals {
  readonly Broker: new (options: {
    readonly connectionPool: ConnectionPool;
    readonly logger: KafkajsLogger;
    readonly authenticationTimeout: number;
  }) => Broker;
  readonly ConnectionPool: new (options: {
    readonly host: string;
    readonly port: number;
    readonly clientId: string;
    readonly ssl: ConnectionOptions | null;
    readonly sasl: SaslOptions | null;
    readonly socketFactory: (request: SocketRequest) => Socket;
    readonly connectionTimeout: number;
    readonly requestTimeout: number;
    readonly enforceRequestTimeout: boolean;
    readonly logger: KafkajsLogger;
  }) => ConnectionPool;
}

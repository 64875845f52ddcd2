import type { Observable } from 'rxjs';
import { afterEach, beforeEach } from 'vitest';
import type { Client } from '../../src/client/client.ts';
import { type ConnectOptions, connect } from '../../src/connect.ts';
import type {
  Fetcher,
  FetcherOptions,
  OpenTransport,
  OutgoingBatch,
  Producer,
  Transport,
} from '../../src/log/transport.ts';
import type { TestLog } from '../contract/support.ts';

/** The log and the clients of one test. */
export interface ClientScope {
  /** The client of the test. */
  readonly client: Client;
  /** Another one on the same log. */
  another(options?: Omit<ConnectOptions, 'transport'>): Promise<Client>;
  /** Every write of every client, in order, as it reached the log. */
  readonly sends: readonly (readonly OutgoingBatch[])[];
  /** How often the log was asked for records. */
  readonly polls: number;
  /** Called before each write; may wait or throw. */
  beforeSend: (batches: readonly OutgoingBatch[]) => Promise<void> | void;
  /** Called after each write; may throw, as when an acknowledgement is lost. */
  afterSend: () => void;
}

/** Opens a log before each test of the current `describe`, and closes everything after it. */
export function useClients(openLog: () => Promise<TestLog>): ClientScope {
  let log: TestLog | undefined;
  let opened: Client[] = [];
  let sends: (readonly OutgoingBatch[])[] = [];
  let polls = 0;
  const producer = (inner: Producer): Producer => ({
    send: async (batches) => {
      await scope.beforeSend(batches);
      const results = await inner.send(batches);
      sends.push(batches);
      scope.afterSend();
      return results;
    },
    sendEach: async (batches) => {
      await scope.beforeSend(batches);
      const outcomes = await inner.sendEach(batches);
      sends.push(batches);
      scope.afterSend();
      return outcomes;
    },
    close: () => inner.close(),
  });
  const fetcher = (inner: Fetcher): Fetcher => ({
    assign: (topic, partition, offset, origin) => inner.assign(topic, partition, offset, origin),
    unassign: (topic, partition) => inner.unassign(topic, partition),
    poll: (topic, partition) => {
      polls += 1;
      return inner.poll(topic, partition);
    },
    origin: (topic, partition) => inner.origin(topic, partition),
    endOffset: (topic, partition) => inner.endOffset(topic, partition),
    writtenEnd: (topic, partition) => inner.writtenEnd(topic, partition),
    waitingFor: () => inner.waitingFor(),
    close: () => inner.close(),
  });
  const watched: OpenTransport = async () => watchedTransport(await log!.open(), producer, fetcher);
  const another: ClientScope['another'] = async (options = {}) => {
    const client = await connect({ ...options, transport: watched });
    opened.push(client);
    return client;
  };
  const scope: ClientScope = {
    get client() {
      return opened[0]!;
    },
    get sends() {
      return sends;
    },
    get polls() {
      return polls;
    },
    another,
    beforeSend: () => undefined,
    afterSend: () => undefined,
  };
  beforeEach(async () => {
    log = await openLog();
    opened = [];
    sends = [];
    scope.beforeSend = () => undefined;
    scope.afterSend = () => undefined;
    await another();
  });
  afterEach(async () => {
    scope.beforeSend = () => undefined;
    await Promise.all(opened.map((client) => client.close()));
    await log?.cleanup();
  });
  return scope;
}

/** A transport that works as it did, except for its producers and fetchers. */
function watchedTransport(
  transport: Transport,
  producer: (producer: Producer) => Producer,
  fetcher: (fetcher: Fetcher) => Fetcher,
): Transport {
  return new Proxy(transport, {
    get: (target, name) => {
      if (name === 'producer') return () => producer(target.producer());
      if (name === 'fetcher') return (options: FetcherOptions) => fetcher(target.fetcher(options));
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

/** Resolves when a promise has settled or the event loop has turned a few times. */
export const turns = async (count = 3): Promise<void> => {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
};

/** What a subscription has delivered and how it ended, as it happens. */
export interface Seen<R> {
  readonly records: R[];
  error: unknown;
  complete: boolean;
  stop(): void;
}

/** Subscribes and notes what comes. */
export function watch<R>(records: Observable<R>): Seen<R> {
  const seen: Seen<R> = { records: [], error: undefined, complete: false, stop: () => subscription.unsubscribe() };
  const subscription = records.subscribe({
    next: (record) => seen.records.push(record),
    error: (error: unknown) => (seen.error = error),
    complete: () => (seen.complete = true),
  });
  return seen;
}

/** All records of a bounded subscription. */
export async function all<R>(records: AsyncIterable<R>): Promise<R[]> {
  const list: R[] = [];
  for await (const record of records) list.push(record);
  return list;
}

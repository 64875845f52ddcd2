import { FatalError, MillraceError } from '../../errors.ts';
import { closed } from '../local/errors.ts';
import { connectionError, kafkaError, movedCoordinator, notAdmitted } from './errors.ts';
import { type BrokerConnection, type EncodedRequest, loadKafkajs } from './kafkajs-internals.ts';
import { type Machine, thisMachine } from './machine.ts';
import { type KafkaSettings, parseAddress } from './options.ts';
import { pauseMs, retrying } from './retry.ts';
import type { Api } from './wire/api.ts';
import { type CoordinatorKind, findCoordinatorApi } from './wire/find-coordinator.ts';
import { type ClusterMetadata, metadataApi, type NodeAddress } from './wire/metadata.ts';
import { BadResponse, WireReader } from './wire/reader.ts';
import { WireWriter } from './wire/writer.ts';

/** Requests of one lane share a connection to each broker and wait for each other there. */
export type Lane = string;

const MAIN: Lane = 'main';

/** Connections to the brokers of a cluster, discovered through some of their addresses. */
export class Cluster {
  readonly settings: KafkaSettings;
  readonly machine: Machine;
  readonly #nodes = new Map<number, NodeAddress>();
  readonly #connections = new Map<string, Promise<BrokerConnection>>();
  readonly #coordinators = new Map<string, number>();
  /** Addresses that were recently unreachable, and until when they are not tried again. */
  readonly #unreachable = new Map<
    string,
    { readonly error: unknown; readonly until: number; readonly attempts: number }
  >();
  /** Addresses at which a broker has answered. */
  readonly #known = new Set<string>();
  readonly #stopping = new AbortController();
  #lanes = 0;

  constructor(settings: KafkaSettings, machine: Machine = thisMachine) {
    this.settings = settings;
    this.machine = machine;
  }

  /** Aborted when the transport closes, which ends retries. */
  get signal(): AbortSignal {
    return this.#stopping.signal;
  }

  /** Finds the brokers. @throws MillraceError of class `retriable-exhausted` if none can be reached. */
  async connect(): Promise<void> {
    loadKafkajs();
    const { brokers, connectTimeoutMs } = this.settings;
    const options = {
      doing: `reach a Kafka broker at ${brokers.join(', ')}`,
      limitMs: connectTimeoutMs,
      firstPauseMs: 100,
    };
    try {
      await retrying(this.machine, { ...options, signal: this.signal }, () => this.metadata([]));
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** A name for separate connections, for long requests. */
  newLane(purpose: string): Lane {
    return `${purpose}-${++this.#lanes}`;
  }

  /** Opens the connection of a lane to a broker if there is none. Nothing has been sent before that. */
  async reach(node: number, lane: Lane): Promise<void> {
    await this.#connection(node, lane);
  }

  /**
   * Sends a request to a broker.
   *
   * @param admitted - Checked right before the request is sent, after all waits.
   * @throws MillraceError
   */
  async request<Q, R>(
    node: number,
    lane: Lane,
    api: Api<Q, R>,
    query: Q,
    timeoutMs: number = this.settings.requestTimeoutMs,
    admitted?: () => boolean,
  ): Promise<R> {
    const connection = await this.#connection(node, lane);
    if (admitted?.() === false) throw notAdmitted(connection.address, api.name);
    return send(connection, api, query, timeoutMs);
  }

  /** Asks any broker. */
  async ask<Q, R>(api: Api<Q, R>, query: Q): Promise<R> {
    return send(await this.#any(), api, query, this.settings.requestTimeoutMs);
  }

  /** Requests the metadata of topics (all of them with `null`) and updates the known brokers. */
  async metadata(topics: readonly string[] | null): Promise<ClusterMetadata> {
    const metadata = await this.ask(metadataApi, { topics });
    for (const node of metadata.nodes) this.#nodes.set(node.id, node);
    const ids = new Set(metadata.nodes.map(({ id }) => id));
    for (const id of this.#nodes.keys()) if (!ids.has(id)) this.#nodes.delete(id);
    return metadata;
  }

  get nodeIds(): readonly number[] {
    return [...this.#nodes.keys()];
  }

  /** The coordinator of a group or a transactional id; cached until `forgetCoordinator`. */
  async coordinator(kind: CoordinatorKind, key: string): Promise<number> {
    const known = this.#coordinators.get(`${kind}/${key}`);
    if (known !== undefined) return known;
    const answer = await this.ask(findCoordinatorApi, { key, kind });
    if (answer.errorCode !== 0) throw kafkaError(answer.errorCode, `find the coordinator of ${kind} "${key}"`, key);
    if (!this.#nodes.has(answer.node)) await this.metadata([]);
    this.#coordinators.set(`${kind}/${key}`, answer.node);
    return answer.node;
  }

  /** Discards the cached coordinator if the error shows that it may have moved. */
  forgetCoordinator(kind: CoordinatorKind, key: string, error: unknown): void {
    if (movedCoordinator(error)) this.#coordinators.delete(`${kind}/${key}`);
  }

  /** Closes the connections of a lane. */
  closeLane(lane: Lane): void {
    for (const [name, connection] of this.#connections) {
      if (!name.endsWith(`/${lane}`)) continue;
      this.#connections.delete(name);
      connection.then((open) => open.close()).catch(() => undefined);
    }
  }

  close(): void {
    this.#stopping.abort();
    for (const connection of this.#connections.values()) {
      connection.then((open) => open.close(closed('transport'))).catch(() => undefined);
    }
    this.#connections.clear();
  }

  /** A connection for metadata: an open one, or one to any broker that answers. */
  async #any(): Promise<BrokerConnection> {
    const failures: MillraceError[] = [];
    const { machine } = this;
    const ids = [...this.#nodes.keys()].sort(() => machine.random() - 0.5);
    for (const connect of [
      ...ids.map((id) => () => this.#connection(id, MAIN)),
      ...this.settings.brokers.map((address) => () => this.#open(`seed ${address}/${MAIN}`, address)),
    ]) {
      try {
        return await connect();
      } catch (error) {
        if (!(error instanceof MillraceError)) throw error;
        failures.push(error);
      }
    }
    // An error that waiting cannot fix is more useful than one about a broker that is just not up.
    throw (
      failures.find((error) => !error.retriable) ?? failures[failures.length - 1] ?? connectionError('', 'no brokers')
    );
  }

  async #connection(id: number, lane: Lane): Promise<BrokerConnection> {
    const node = this.#nodes.get(id);
    if (node === undefined) throw connectionError(`number ${id}`, 'it is not in the cluster');
    return this.#open(`${id}/${lane}`, `${node.host.includes(':') ? `[${node.host}]` : node.host}:${node.port}`);
  }

  async #open(name: string, address: string): Promise<BrokerConnection> {
    if (this.signal.aborted) throw closed('transport');
    const known = this.#connections.get(name);
    if (known !== undefined) {
      const connection = await known.catch(() => undefined);
      if (connection?.usable === true) return connection;
      if (this.#connections.get(name) === known) this.#connections.delete(name);
      // Another one may have been opened meanwhile.
      if (this.#connections.has(name)) return this.#open(name, address);
    }
    const place = parseAddress(address);
    if (place === undefined) throw connectionError(address, 'the cluster gave an invalid address');
    const { machine } = this;
    const unreachable = this.#unreachable.get(address);
    if (unreachable !== undefined && machine.clock.monotonic() < unreachable.until) throw unreachable.error;
    const opening = this.machine.connect({ ...this.settings, ...place, clock: this.machine.clock });
    this.#connections.set(name, opening);
    try {
      const connection = await opening;
      if (this.signal.aborted) connection.close(closed('transport'));
      this.#unreachable.delete(address);
      this.#known.add(address);
      return connection;
    } catch (thrown) {
      const error = this.#known.has(address) ? meanwhile(address, thrown) : thrown;
      // Many kinds of requests need connections; together they must not try more often than a single one would.
      const attempts = (unreachable?.attempts ?? 0) + 1;
      this.#unreachable.set(address, {
        error,
        attempts,
        until: machine.clock.monotonic() + pauseMs(machine, attempts, 25),
      });
      if (this.#connections.get(name) === opening) this.#connections.delete(name);
      throw error;
    }
  }
}

/**
 * If a broker has answered at an address before, anything else there is temporary, such as a proxy that answers for it.
 */
function meanwhile(address: string, error: unknown): unknown {
  if (!(error instanceof MillraceError) || (error.code !== 'ERR_NOT_KAFKA' && error.code !== 'ERR_TLS_REQUIRED')) {
    return error;
  }
  return connectionError(address, `something else answers where a broker was: ${error.message}`, { cause: error });
}

async function send<Q, R>(connection: BrokerConnection, wanted: Api<Q, R>, query: Q, timeoutMs: number): Promise<R> {
  let api = wanted;
  while (api.older !== undefined && !connection.supports(api.key, api.version)) api = api.older;
  if (!connection.supports(api.key, api.version)) {
    throw new FatalError(
      'ERR_KAFKA_VERSION',
      `${connection.address} does not know ${api.name} version ${api.version}`,
      {
        hint: 'use Kafka 2.7 or newer',
      },
    );
  }
  const flexible = api.flexible === true;
  const writer = new WireWriter();
  if (flexible) writer.tags();
  api.encode(writer, query);
  const request: EncodedRequest = {
    name: api.name,
    key: api.key,
    version: api.version,
    pieces: writer.pieces(),
  };
  const payload = await connection.request(request, timeoutMs);
  try {
    const reader = new WireReader(payload);
    if (flexible) reader.tags();
    return api.decode(reader);
  } catch (error) {
    if (!(error instanceof BadResponse)) throw error;
    const failure = connectionError(connection.address, `its answer to ${api.name} makes no sense: ${error.message}`, {
      cause: error,
    });
    connection.close(failure);
    throw failure;
  }
}

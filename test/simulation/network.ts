import type { Cancel } from '../../src/dataflow/clock.ts';
import { connectionError, requestTimeout } from '../../src/transports/kafka/errors.ts';
import type { BrokerConnection, ConnectOptions, EncodedRequest } from '../../src/transports/kafka/kafkajs-internals.ts';
import { type Amiss, amissOf, WRITES } from './model/amiss.ts';
import type { ModelBroker } from './model/broker.ts';
import type { Random } from './random.ts';
import type { Host, World } from './world.ts';

interface Sent {
  readonly request: EncodedRequest;
  readonly bytes: Uint8Array;
  readonly resolve: (answer: Buffer) => void;
  readonly reject: (error: unknown) => void;
  readonly cancel: Cancel;
  /** Generations of groups that had begun when it was sent. */
  readonly generations: number;
  /** Nobody waits for it any more. */
  over: boolean;
  amiss: Amiss | undefined;
}

/** How a network is at a time. */
export interface Weather {
  /** The longest that a message takes, in ms. */
  latencyMs: number;
  /** How often a connection is cut before a request arrives, and after it was carried out. */
  lostRequests: number;
  lostReplies: number;
  /** How often a message takes much longer, and how long at most. */
  stragglers: number;
  straggleMs: number;
  /** How often a request of a producer goes wrong at the broker, and arrives only when nobody waits for it any more. */
  refusedWrites: number;
  lateWrites: number;
}

export const CALM: Weather = {
  latencyMs: 2,
  lostRequests: 0,
  lostReplies: 0,
  stragglers: 0,
  straggleMs: 0,
  refusedWrites: 0,
  lateWrites: 0,
};

/** What becomes of a request. */
export type Fate = 'answered' | 'lost before' | 'lost after' | 'late' | 'refused';

/** The longest that something is on its way which nobody waits for any more, in ms. */
const LATE_MS = 12_000;

/** What is to happen to the next request of a name, of a host. */
interface Trap {
  readonly host: Host;
  readonly request: string;
  /** @returns what becomes of it, or `undefined` if that is left to chance */
  readonly sprung: () => Fate | undefined;
}

/** Carries requests from hosts to the broker, and answers back. Requests of one connection arrive in their order. */
export class Network {
  readonly #world: World;
  readonly #broker: ModelBroker;
  readonly #random: Random;
  readonly #server: Host;
  readonly #links = new Set<Link>();
  weather: Weather = CALM;
  /** Nodes that nobody reaches. */
  readonly down: Set<number> = new Set();
  /** Until when nodes carry out nothing. What they get meanwhile waits. */
  readonly stuck: Map<number, number> = new Map();
  readonly counts: Record<string, number> = {};
  readonly traps: Set<Trap> = new Set();
  /** Hosts that go on when records of theirs are refused for good. */
  readonly lenient: Set<Host> = new Set();
  /** From then on nothing is on its way any more that nobody waits for. */
  quietFrom = 0;
  /** Records have arrived that nobody waited for any more, or when the tasks of who sent them may have gone to others. */
  isLate = false;

  constructor(world: World, broker: ModelBroker, server: Host, random: Random) {
    this.#world = world;
    this.#broker = broker;
    this.#server = server;
    this.#random = random;
  }

  count(what: string): void {
    this.counts[what] = (this.counts[what] ?? 0) + 1;
  }

  async connect(host: Host, { host: name, port }: ConnectOptions): Promise<BrokerConnection> {
    const address = `${name}:${port}`;
    const node = this.#broker.nodes.find((id) => this.#broker.addressOf(id).host === name) ?? 1;
    await new Promise<void>((resolve) => void host.clock.after(this.delay(), resolve));
    if (this.down.has(node)) throw connectionError(address, 'connect ECONNREFUSED');
    const link = new Link(this, this.#world, this.#broker, this.#server, host, node, address);
    this.#links.add(link);
    return link;
  }

  delay(): number {
    const { latencyMs, straggleMs, stragglers } = this.weather;
    const ms = this.#random.next() * latencyMs;
    if (!this.#random.chance(stragglers)) return ms;
    this.count('straggling messages');
    const late = ms + this.#random.next() * straggleMs;
    this.quietFrom = Math.max(this.quietFrom, this.#world.now + late);
    return late;
  }

  /** When something arrives that is late: in the next transaction, or long after it. */
  lateArrival(): number {
    const at = this.#world.now + 2 * (LATE_MS / 2) ** this.#random.next();
    this.quietFrom = Math.max(this.quietFrom, at);
    return at;
  }

  /** How a request goes wrong at the broker. */
  amiss(request: EncodedRequest, from: Host): Amiss | undefined {
    return amissOf(request.name, this.#random, this.lenient.has(from));
  }

  /** What becomes of a request. */
  fate(host: Host, request: EncodedRequest): Fate {
    for (const trap of this.traps) {
      if (trap.host !== host || trap.request !== request.name) continue;
      this.traps.delete(trap);
      const fate = trap.sprung();
      if (fate !== undefined) return fate;
    }
    if (this.#random.chance(this.weather.lostRequests)) {
      this.count('lost requests');
      return 'lost before';
    }
    if (this.#random.chance(this.weather.lostReplies)) {
      this.count('lost replies');
      return 'lost after';
    }
    if (!WRITES.includes(request.name)) return 'answered';
    if (this.#random.chance(this.weather.refusedWrites)) {
      this.count('refused writes');
      return 'refused';
    }
    if (!this.#random.chance(this.weather.lateWrites)) return 'answered';
    this.count('late writes');
    return 'late';
  }

  /** Whether what is under way on a connection that is cut arrives nevertheless. */
  arrives(): boolean {
    return this.#random.chance(0.5);
  }

  /** Cuts connections of a host, or to a node, or all of them. */
  cut(which: { readonly host?: Host; readonly node?: number } = {}): void {
    for (const link of this.#links) {
      if (which.host !== undefined && link.owner !== which.host) continue;
      if (which.node !== undefined && link.node !== which.node) continue;
      link.cut();
    }
  }

  closed(link: Link): void {
    this.#links.delete(link);
  }
}

class Link implements BrokerConnection {
  readonly address: string;
  readonly owner: Host;
  readonly node: number;
  readonly #network: Network;
  readonly #world: World;
  readonly #broker: ModelBroker;
  readonly #server: Host;
  readonly #underWay = new Set<Sent>();
  #closed: Error | undefined;
  /** The broker has seen that it is closed: what comes after that does not arrive. */
  #cut = false;
  #arrivesAt = 0;
  #answersAt = 0;
  readonly #queue: Sent[] = [];
  #busy = false;

  constructor(
    network: Network,
    world: World,
    broker: ModelBroker,
    server: Host,
    owner: Host,
    node: number,
    address: string,
  ) {
    this.#network = network;
    this.#world = world;
    this.#broker = broker;
    this.#server = server;
    this.owner = owner;
    this.node = node;
    this.address = address;
  }

  get usable(): boolean {
    return this.#closed === undefined;
  }

  supports(key: number, version: number): boolean {
    return this.#broker.supports(key, version);
  }

  request(request: EncodedRequest, timeoutMs: number): Promise<Buffer> {
    if (this.#closed !== undefined) return Promise.reject(this.#closed);
    return new Promise((resolve, reject) => {
      const cancel = this.owner.clock.after(timeoutMs, () =>
        this.close(requestTimeout(this.address, request.name, timeoutMs)),
      );
      // What is on its way does not change any more.
      const bytes = new Uint8Array(Buffer.concat(request.pieces));
      const { generations } = this.#broker.groups.counts;
      const sent: Sent = { request, bytes, resolve, reject, cancel, generations, over: false, amiss: undefined };
      this.#underWay.add(sent);
      const fate = this.#network.fate(this.owner, request);
      this.#arrivesAt = Math.max(this.#arrivesAt, this.#world.now + this.#network.delay());
      this.#world.at(this.#server, this.#arrivesAt, request.name, () => {
        if (fate === 'lost before') return this.cut();
        if (fate === 'late') return this.#late(sent);
        if (this.#cut && !this.#network.arrives()) return;
        if (fate === 'lost after') sent.over = true;
        if (fate === 'refused') sent.amiss = this.#network.amiss(request, this.owner);
        this.#queue.push(sent);
        void this.#serve();
      });
    });
  }

  /** The connection is cut while the request is on its way, and somebody carries it there all the same. */
  #late({ bytes, request }: Sent): void {
    this.cut();
    const { node } = this;
    const { key, name, version } = request;
    this.#world.at(this.#server, this.#network.lateArrival(), `late ${name}`, () => {
      this.#network.isLate ||= name === 'Produce';
      void this.#broker.handle(key, bytes, { version, node, stale: true });
    });
  }

  async #serve(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    const { node } = this;
    for (let sent = this.#queue.shift(); sent !== undefined; sent = this.#queue.shift()) {
      const stuck = (this.#network.stuck.get(node) ?? 0) - this.#world.now;
      if (stuck > 0) await new Promise<void>((resolve) => void this.#server.clock.after(stuck, resolve));
      const { amiss, bytes, generations, request } = sent;
      const { key, version } = request;
      // A slow network keeps it for longer than a session lasts, and its sender, which was in time, can do nothing about it.
      const isLate = this.#cut || generations !== this.#broker.groups.counts.generations;
      if (isLate && request.name === 'Produce') this.#network.isLate = true;
      const answer = await this.#broker.handle(key, bytes, { version, node, amiss, stale: this.#cut });
      if (sent.over) {
        this.cut();
        continue;
      }
      this.#answersAt = Math.max(this.#answersAt, this.#world.now + this.#network.delay());
      this.#world.at(this.owner, this.#answersAt, `${request.name} answered`, () => this.#answered(sent, answer));
    }
    this.#busy = false;
  }

  #answered(sent: Sent, answer: Buffer): void {
    if (!this.#underWay.delete(sent) || this.#closed !== undefined) return;
    sent.cancel();
    sent.resolve(answer);
  }

  /** The connection ends, and its owner hears of it. */
  cut(): void {
    if (this.#cut) return;
    this.#cut = true;
    this.#network.count('cut connections');
    this.#world.at(this.owner, this.#world.now, 'cut', () =>
      this.close(connectionError(this.address, 'it closed the connection')),
    );
  }

  close(reason: Error = connectionError(this.address, 'the connection was closed')): void {
    if (this.#closed !== undefined) return;
    this.#closed = reason;
    this.#cut = true;
    this.#network.closed(this);
    for (const sent of this.#underWay) {
      sent.cancel();
      sent.reject(reason);
    }
    this.#underWay.clear();
  }
}

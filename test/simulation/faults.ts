import type { Instance } from './instance.ts';
import type { KafkaGround } from './kafka-ground.ts';
import type { ModelBroker } from './model/broker.ts';
import { CALM, type Fate, type Network, type Weather } from './network.ts';
import type { Fault, Plan } from './plan.ts';
import type { Random } from './random.ts';
import type { Host, World } from './world.ts';

/** Requests that clients make which write. */
const OF_CLIENTS = ['Produce', 'InitProducerId'];

/** What faults take place in. */
export interface Scene {
  readonly plan: Plan;
  readonly world: World;
  readonly broker: ModelBroker;
  readonly network: Network;
  readonly server: Host;
  readonly random: Random;
  readonly log: (line: string) => void;
  /** Where a client writes beside the application, if one does. */
  readonly feeder: Host | undefined;
  /** Makes a machine more. */
  readonly more: (number: number) => Instance<KafkaGround>;
}

/** Causes the faults of a plan, and mends them. */
export class Trouble {
  readonly #plan: Plan;
  readonly #world: World;
  readonly #broker: ModelBroker;
  readonly #network: Network;
  readonly #server: Host;
  readonly #random: Random;
  readonly #log: (line: string) => void;
  readonly #more: (number: number) => Instance<KafkaGround>;
  readonly #feeder: Host | undefined;
  readonly instances: Instance<KafkaGround>[];
  readonly counts: Record<string, number> = {};
  /** How the network departs from calm. */
  readonly #weather = new Set<Partial<Weather>>();
  /** All is mended: nobody is started any more for what went wrong before. */
  #over = false;

  constructor(
    { broker, feeder, log, more, network, plan, random, server, world }: Scene,
    instances: Instance<KafkaGround>[],
  ) {
    this.#plan = plan;
    this.#world = world;
    this.#broker = broker;
    this.#network = network;
    this.#server = server;
    this.#random = random;
    this.#log = log;
    this.#more = more;
    this.#feeder = feeder;
    this.instances = instances;
    network.weather = this.#weatherNow();
  }

  #weatherNow(): Weather {
    return Object.assign({ ...CALM, latencyMs: this.#plan.latencyMs }, ...this.#weather) as Weather;
  }

  #at(ms: number, run: () => void): void {
    this.#world.at(this.#server, ms, 'plan', run);
  }

  #count(what: string): void {
    this.counts[what] = (this.counts[what] ?? 0) + 1;
  }

  /** Ends all of it. */
  heal(): void {
    this.#over = true;
    this.#weather.clear();
    this.#network.weather = this.#weatherNow();
    this.#network.down.clear();
    this.#network.traps.clear();
    this.#network.stuck.clear();
    this.#broker.transactions.markerMs = 5;
    for (const instance of this.instances) {
      instance.ground.diskFull = false;
      if (instance.host?.stopped === true) this.#world.goOn(instance.host);
      if (instance.host !== undefined) instance.host.slowness = 1;
      if (!instance.running) instance.start();
    }
  }

  cause({ forMs, kind, request, which }: Fault): void {
    const world = this.#world;
    const instance = this.instances[which % this.instances.length] as Instance<KafkaGround>;
    const { host } = instance;
    // Some of what is wrong with requests is so for a client that writes.
    const sender = which % 2 === 1 ? (this.#feeder ?? host) : host;
    const later = (run: () => void): void => this.#at(world.now + forMs, run);
    const weather = (change: Partial<Weather>): void => {
      this.#weather.add(change);
      this.#network.weather = this.#weatherNow();
      later(() => {
        this.#weather.delete(change);
        this.#network.weather = this.#weatherNow();
      });
    };
    const trap = (sprung: () => Fate | undefined): void => {
      const from = OF_CLIENTS.includes(request) && !kind.startsWith('crash') ? sender : host;
      if (from === undefined) return;
      const said = (): Fate | undefined => {
        this.#count(`${kind}: ${request}`);
        this.#log(`${kind}: ${request} of ${from.name}`);
        return sprung();
      };
      this.#network.traps.add({ host: from, request, sprung: said });
    };
    this.#count(kind);
    this.#log(`fault: ${kind} (${instance.host?.name ?? 'nobody'}, ${forMs} ms)`);
    const node = this.#broker.nodes[which % this.#broker.nodes.length] as number;
    switch (kind) {
      case 'crash':
        instance.kill();
        later(() => this.#over || instance.start());
        break;
      case 'crash at a request':
        trap(() => {
          const fate = this.#random.pick<Fate>(['answered', 'lost before', 'late']);
          // It is sent, and the process is gone before anything else happens.
          this.#at(world.now, () => instance.kill());
          later(() => this.#over || instance.start());
          return fate;
        });
        break;
      case 'lost reply of a request':
        trap(() => 'lost after');
        break;
      case 'late request':
        trap(() => 'late');
        break;
      case 'refused request':
        trap(() => 'refused');
        break;
      case 'stuck node':
        this.#network.stuck.set(node, world.now + forMs);
        break;
      case 'leaders move':
        this.#broker.move();
        break;
      case 'refused writes':
        weather({ refusedWrites: 0.35 });
        break;
      case 'late writes':
        weather({ lateWrites: 0.25 });
        break;
      case 'pause':
      case 'long pause':
        if (host === undefined || !instance.running || host.stopped) break;
        world.stop(host);
        later(() => world.goOn(host));
        break;
      case 'stop':
        if (!instance.running) break;
        void instance.app?.stop().catch(() => undefined);
        later(() => this.#over || instance.start());
        break;
      case 'join': {
        if (this.instances.length > this.#plan.instances + 1) break;
        const more = this.#more(this.instances.length);
        this.instances.push(more);
        more.start();
        break;
      }
      case 'cut':
        this.#network.cut(sender === undefined ? {} : { host: sender });
        break;
      case 'node down':
        this.#network.down.add(node);
        this.#network.cut({ node });
        later(() => this.#network.down.delete(node));
        break;
      case 'lost replies':
        weather({ lostReplies: 0.1 });
        break;
      case 'lost requests':
        weather({ lostRequests: 0.1 });
        break;
      case 'slow network':
        weather({ stragglers: 0.1, straggleMs: 12_000 });
        break;
      case 'clock jump':
        if (host !== undefined) host.wallOffset += this.#random.int(-3_600_000, 3_600_000);
        break;
      case 'rebalance':
        this.#broker.groups.rebalance('simulated');
        break;
      case 'slow process':
        if (host === undefined) break;
        host.slowness = 500;
        later(() => {
          host.slowness = 1;
        });
        break;
      case 'slow markers':
        this.#broker.transactions.markerMs = 3000;
        later(() => {
          this.#broker.transactions.markerMs = 5;
        });
        break;
      case 'full disk':
        instance.ground.diskFull = true;
        later(() => {
          instance.ground.diskFull = false;
        });
        break;
    }
  }
}

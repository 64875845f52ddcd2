import { decodeBatch } from '../../src/protocol/batch-decoder.ts';
import { ensureCodec } from '../../src/protocol/compression.ts';
import { checkHistory, type HistoryEvent } from '../../src/testing/index.ts';
import { encodeInput, type Input, makeInputs } from './inputs.ts';
import { Instance } from './instance.ts';
import { ModelBroker } from './model/broker.ts';
import { CALM, type Fate, Network, type Weather } from './network.ts';
import { type Fault, makePlan, type Plan, TROUBLE_MS } from './plan.ts';
import { makeProgram, type Program, type Rows } from './programs.ts';
import { Random } from './random.ts';
import { World } from './world.ts';

/** What a run came to. */
export interface Outcome {
  readonly plan: Plan;
  /** What is wrong, in sentences; nothing if it passed. */
  readonly problems: readonly string[];
  readonly hash: string;
  readonly events: number;
  readonly virtualMs: number;
  readonly counts: Readonly<Record<string, number>>;
}

export interface SimulateOptions {
  /** Whether a fault of the plan takes place; all of them unless given. */
  readonly keeps?: (fault: Fault, at: number) => boolean;
  readonly log?: (line: string) => void;
}

/** What is no fault of anybody. */
export const IN_ORDER: ReadonlySet<string> = new Set(['join', 'stop', 'rebalance']);
/** How long the application has to get done after the last fault, in virtual ms. */
const HEALED_MS = 300_000;
/** How long is waited for what should not come. */
const QUIET_MS = 15_000;

/** One run of the real runtime and transport in a world that the seed decides. */
export async function simulate(seed: number, options: SimulateOptions = {}): Promise<Outcome> {
  // Loading takes time of the machine, and only once.
  for (const codec of ['gzip', 'snappy', 'lz4', 'zstd'] as const) await ensureCodec(codec);
  const random = new Random(seed);
  const planned = makePlan(seed, random.branch('plan'));
  const plan = { ...planned, faults: planned.faults.filter((fault, at) => options.keeps?.(fault, at) !== false) };
  return new Simulation(plan, random, options.log ?? (() => undefined)).run();
}

class Simulation {
  readonly #plan: Plan;
  readonly #world: World;
  readonly #broker: ModelBroker;
  readonly #network: Network;
  readonly #program: Program;
  readonly #inputs: readonly Input[];
  readonly #instances: Instance[];
  readonly #log: (line: string) => void;
  /** How the network departs from calm. */
  readonly #weather = new Set<Partial<Weather>>();
  /** What the processes said that they should never have to say. */
  readonly #said: string[] = [];
  readonly #counts: Record<string, number> = {};
  readonly #server;
  /** What comes when all else is processed. */
  readonly #last: (() => void)[] = [];

  constructor(plan: Plan, random: Random, log: (line: string) => void) {
    this.#plan = plan;
    this.#world = new World(random.branch('world'));
    this.#log = (line) => {
      this.#world.note(line);
      // A transaction of a past owner is fenced: exactly once nothing of it is ever read.
      if (plan.guarantee === 'exactly-once' && line.includes('late changes of')) this.#said.push(line);
      log(`${(this.#world.now / 1000).toFixed(3).padStart(9)} ${line}`);
    };
    this.#server = this.#world.host('broker');
    this.#broker = new ModelBroker(this.#server.clock, random.branch('broker'), plan.nodes);
    this.#network = new Network(this.#world, this.#broker, this.#server, random.branch('network'));
    this.#network.weather = this.#weatherNow();
    this.#program = makeProgram(plan);
    for (const [name, partitions] of this.#program.topics) this.#broker.topics.create(name, partitions);
    this.#inputs = makeInputs({ ...plan, partitions: plan.sources }, random.branch('inputs'));
    this.#instances = Array.from({ length: plan.instances }, (_, at) => this.#newInstance(at, random));
    this.#random = random.branch('faults');
  }

  readonly #random: Random;

  #newInstance(number: number, random: Random): Instance {
    const { pipeline } = this.#program;
    const own = random.branch(`instance ${number}`);
    return new Instance(number, this.#world, this.#network, this.#plan, pipeline, own, this.#log);
  }

  async run(): Promise<Outcome> {
    const world = this.#world;
    const problems: string[] = [];
    for (const input of this.#inputs) {
      const write = (): void =>
        void this.#broker.topics.partition('source', input.partition)?.append(encodeInput(input));
      if (input.at === 0) write();
      else if (input.at === undefined) this.#last.push(write);
      else world.at(this.#server, input.at, 'input', write);
    }
    for (const instance of this.#instances) this.#at(instance.number * 10, () => instance.start());
    for (const fault of this.#plan.faults) this.#at(fault.at, () => this.#cause(fault));
    await world.until(() => false, TROUBLE_MS);
    this.#heal();
    const expected = this.#program.expected(this.#inputs);
    const before = this.#program.expected(this.#inputs.filter(({ at }) => at !== undefined)).slice(0, 1);
    let copiedAt: number | undefined;
    // Looked at now and then: reading everything at each event would take longer than the run.
    let done = false;
    for (let limit = world.now + 1000; !done && limit <= TROUBLE_MS + HEALED_MS; limit += 1000) {
      await world.until(() => false, limit);
      for (const instance of this.#instances) if (!instance.running) instance.start();
      if (this.#last.length > 0 && this.#missing(before).length === 0) {
        // Who sees that they are late is right: those before them must have got everywhere first.
        copiedAt ??= world.now;
        if (world.now - copiedAt > QUIET_MS) for (const write of this.#last.splice(0)) write();
      }
      done = this.#missing(expected).length === 0;
    }
    if (done) {
      await world.until(() => false, world.now + QUIET_MS);
      problems.push(...this.#wrong(expected));
    } else {
      problems.push(...this.#missing(expected).slice(0, 5), ...this.#whyNot());
    }
    problems.push(...this.#said.slice(0, 2).map((line) => `said: ${line.slice(0, 300)}`));
    problems.push(...(await this.#stop()));
    return {
      plan: this.#plan,
      problems,
      hash: world.hash,
      events: world.events,
      virtualMs: Math.round(world.now),
      counts: this.#allCounts(),
    };
  }

  #weatherNow(): Weather {
    return Object.assign({ ...CALM, latencyMs: this.#plan.latencyMs }, ...this.#weather) as Weather;
  }

  #at(ms: number, run: () => void): void {
    this.#world.at(this.#server, ms, 'plan', run);
  }

  #count(what: string): void {
    this.#counts[what] = (this.#counts[what] ?? 0) + 1;
  }

  #allCounts(): Record<string, number> {
    const { groups, transactions } = this.#broker;
    return {
      ...this.#counts,
      ...this.#network.counts,
      generations: groups.counts.generations,
      'expired members': groups.counts.expired,
      'committed transactions': transactions.counts.committed,
      'aborted transactions': transactions.counts.aborted,
      'expired transactions': transactions.counts.expired,
      'fenced transactions': transactions.counts.fenced,
    };
  }

  #heal(): void {
    this.#weather.clear();
    this.#network.weather = this.#weatherNow();
    this.#network.down.clear();
    this.#network.traps.clear();
    this.#broker.transactions.markerMs = 5;
    for (const instance of this.#instances) {
      instance.diskFull = false;
      if (instance.host?.stopped === true) this.#world.goOn(instance.host);
      if (instance.host !== undefined) instance.host.slowness = 1;
      if (!instance.running) instance.start();
    }
  }

  #cause({ forMs, kind, request, which }: Fault): void {
    const world = this.#world;
    const instance = this.#instances[which % this.#instances.length] as Instance;
    const { host } = instance;
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
      if (host === undefined) return;
      const said = (): Fate | undefined => {
        this.#count(`${kind}: ${request}`);
        this.#log(`${kind}: ${request} of ${host.name}`);
        return sprung();
      };
      this.#network.traps.add({ host, request, sprung: said });
    };
    this.#count(kind);
    this.#log(`fault: ${kind} (${instance.host?.name ?? 'nobody'}, ${forMs} ms)`);
    const node = this.#broker.nodes[which % this.#broker.nodes.length] as number;
    switch (kind) {
      case 'crash':
        instance.kill();
        later(() => instance.start());
        break;
      case 'crash at a request':
        trap(() => {
          const fate = this.#random.pick<Fate>(['answered', 'lost before', 'late']);
          // It is sent, and the process is gone before anything else happens.
          this.#at(world.now, () => instance.kill());
          later(() => instance.start());
          return fate;
        });
        break;
      case 'lost reply of a request':
        trap(() => 'lost after');
        break;
      case 'late request':
        trap(() => 'late');
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
        later(() => instance.start());
        break;
      case 'join': {
        if (this.#instances.length > this.#plan.instances + 1) break;
        const more = this.#newInstance(this.#instances.length, this.#random);
        this.#instances.push(more);
        more.start();
        break;
      }
      case 'cut':
        this.#network.cut(host === undefined ? {} : { host });
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
        instance.diskFull = true;
        later(() => {
          instance.diskFull = false;
        });
        break;
    }
  }

  /** Everything that readers of committed records find, by topic. */
  #read(
    topic: string,
  ): { readonly partition: number; readonly offset: number; readonly key: string; readonly value: Uint8Array }[] {
    const partitions = this.#broker.topics.byName.get(topic)?.partitions ?? [];
    return partitions.flatMap((log, partition) =>
      [...log.committed()].flatMap(({ bytes, header }) => {
        const columns = decodeBatch(bytes, 0);
        return Array.from({ length: columns.count }, (_, at) => {
          const part = (start: number, length: number): Uint8Array =>
            columns.bytes.subarray(start, start + Math.max(length, 0));
          return {
            partition,
            offset: header.baseOffset + (columns.offsetDelta[at] as number),
            key: Buffer.from(part(columns.keyStart[at] as number, columns.keyLength[at] as number)).toString(),
            value: part(columns.valueStart[at] as number, columns.valueLength[at] as number),
          };
        });
      }),
    );
  }

  #rows({ counts, named, topic }: Rows): Map<string, number[]> {
    const rows = new Map<string, number[]>();
    for (const { key, value } of this.#read(topic)) {
      const [name, number] =
        named === 'value' ? [Buffer.from(value).toString(), 1] : [key, Buffer.from(value).readInt32BE(0)];
      if (counts === 'last') rows.delete(name);
      rows.set(name, [...(rows.get(name) ?? []), number]);
    }
    return rows;
  }

  #missing(expected: readonly Rows[]): string[] {
    return expected.flatMap((wanted) => {
      const { counts, topic, values } = wanted;
      const rows = this.#rows(wanted);
      // Of a table the last row is waited for.
      const there = (name: string, value: number): boolean =>
        counts === 'each' ? rows.has(name) : (rows.get(name)?.[0] ?? 0) >= value;
      return [...values].flatMap(([name, value]) =>
        there(name, value) ? [] : `lost: ${topic} has no ${name} = ${value}`,
      );
    });
  }

  /** What is there and should not be, or is not as it should be. */
  #wrong(expected: readonly Rows[]): string[] {
    // Where processes do no more than come and go, nothing is written twice either.
    const exact = this.#plan.guarantee === 'exactly-once' || this.#plan.faults.every(({ kind }) => IN_ORDER.has(kind));
    const problems = expected.flatMap((wanted) => {
      const { topic, values } = wanted;
      return [...this.#rows(wanted)].flatMap(([name, found]) => {
        const value = values.get(name);
        if (value === undefined) return [`invented: ${topic} has ${name} = ${found.join(', ')}`];
        if (exact && found.length > 1)
          return [`twice: ${topic} has ${name} ${found.length} times: ${found.join(', ')}`];
        const wrong = found.filter((each) => (exact ? each !== value : each < value));
        return wrong.length === 0 ? [] : [`wrong: ${topic} has ${name} = ${wrong.join(', ')}, not ${value}`];
      });
    });
    return [...problems, ...this.#history(exact)].slice(0, 10);
  }

  #history(exact: boolean): string[] {
    const events: HistoryEvent[] = this.#inputs.map(({ id, key, partition }) => {
      return { type: 'published', topic: 'copies', id: String(id), key, writer: `source/${partition}` };
    });
    const seen = new Set<string>();
    for (const { offset, partition, value } of this.#read('copies')) {
      const id = Buffer.from(value).toString();
      if (!exact && seen.has(id)) continue;
      seen.add(id);
      events.push({ type: 'read', topic: 'copies', id, partition, offset });
    }
    return checkHistory(events).map(({ kind, message }) => `${kind}: ${message}`);
  }

  /** What each process waits for. */
  #whyNot(): string[] {
    return this.#instances.map(({ app, ended, host, number }) => {
      if (app === undefined) return `p${number} was never started`;
      if (ended !== undefined) return `p${number} ended: ${String(ended.error)}`;
      const { error, state, tasks, waitingFor } = app.snapshot();
      const has = tasks.map(({ id }) => id).join(', ');
      return `${host?.name} is ${state}, has ${has}, waits for: ${waitingFor.join('; ')}${error === undefined ? '' : ` (${error.message})`}`;
    });
  }

  async #stop(): Promise<string[]> {
    for (const { app, running } of this.#instances) if (running) void app?.stop().catch(() => undefined);
    const stopped = (): boolean => this.#instances.every(({ running }) => !running);
    const over = await this.#world.until(stopped, this.#world.now + 60_000);
    const ends = over ? [] : ['stall: a process does not stop', ...this.#whyNot()];
    for (const { host } of this.#instances) if (host !== undefined) host.alive = false;
    return ends;
  }
}

import { CommitCheck } from './commit-check.ts';
import { Trouble } from './faults.ts';
import { FED, Feeder } from './feeder.ts';
import { ForeignWriters } from './foreign.ts';
import { historyOf } from './history.ts';
import { encodeInput, type Input, makeInputs, UNSEEN } from './inputs.ts';
import { Instance, whyNot } from './instance.ts';
import { KafkaGround, machineOf } from './kafka-ground.ts';
import { ModelBroker } from './model/broker.ts';
import { Network } from './network.ts';
import type { Outcome, SimulateOptions } from './outcome.ts';
import { makePlan, type Plan } from './plan.ts';
import { makeProgram, type Program } from './programs.ts';
import type { Random } from './random.ts';
import { RowCheck, TopicReader } from './topic-reader.ts';
import { World } from './world.ts';

/** What is no fault of anybody. */
export const IN_ORDER: ReadonlySet<string> = new Set(['join', 'stop', 'rebalance']);
/** When the first process is started, in virtual ms. */
const BEGINNING_MS = 20;
/** How long the application has to get done after the last fault, in virtual ms. */
const HEALED_MS = 200_000;
/** How long is waited for what should not come, once nothing of before is on its way any more. */
const QUIET_MS = 1500;
/** How often is looked what there is. */
const LOOK_MS = 500;
/** What a process says that begins again from what is committed. */
const BEGINS_AGAIN = /rebuilding tasks|ended|Group "[^"]*": /;

/** One run of the real runtime and of what speaks to Kafka. */
export function simulateKafka(seed: number, random: Random, { keeps, log }: SimulateOptions): Promise<Outcome> {
  const planned = makePlan(seed, random.branch('plan'));
  const plan = { ...planned, faults: planned.faults.filter((fault, at) => keeps?.(fault, at) !== false) };
  return new Simulation(plan, random, log ?? (() => undefined)).run();
}

class Simulation {
  readonly #plan: Plan;
  readonly #exact: boolean;
  readonly #world: World;
  readonly #broker: ModelBroker;
  readonly #network: Network;
  readonly #program: Program;
  readonly #inputs: readonly Input[];
  readonly #instances: Instance<KafkaGround>[];
  readonly #log: (line: string) => void;
  /** What the processes said that they should never have to say. */
  readonly #said: string[] = [];
  readonly #server;
  readonly #random: Random;
  readonly #trouble: Trouble;
  readonly #foreign: ForeignWriters;
  readonly #feeder: Feeder | undefined;
  readonly #commits: CommitCheck;
  readonly #checks: readonly RowCheck[];
  readonly #problems: string[] = [];
  /** What comes when all else is processed. */
  readonly #last: (() => void)[] = [];
  /** A process has begun something again. */
  #again = false;

  constructor(plan: Plan, random: Random, log: (line: string) => void) {
    this.#plan = plan;
    this.#exact = plan.guarantee === 'exactly-once';
    this.#world = new World(random.branch('world'));
    this.#log = (line) => {
      this.#world.note(line);
      // A transaction of a past owner is fenced: exactly once nothing of it is ever read.
      if (this.#exact && line.includes('late changes of')) this.#said.push(line);
      this.#again ||= BEGINS_AGAIN.test(line);
      log(`${(this.#world.now / 1000).toFixed(3).padStart(9)} ${line}`);
    };
    this.#server = this.#world.host('broker');
    this.#broker = new ModelBroker(this.#server.clock, random.branch('broker'), plan.nodes);
    this.#network = new Network(this.#world, this.#broker, this.#server, random.branch('network'));
    const calls = random.branch('calls');
    this.#program = makeProgram(plan, () => this.#world.pause(this.#server, calls.next() * 200));
    for (const [name, partitions] of this.#program.topics) this.#broker.topics.create(name, partitions);
    this.#inputs = makeInputs({ ...plan, partitions: plan.sources }, random.branch('inputs'));
    this.#foreign = new ForeignWriters(this.#broker);
    this.#feeder = plan.feeds ? this.#newFeeder(random.branch('feeder')) : undefined;
    this.#commits = new CommitCheck(this.#broker, this.#exact);
    this.#checks = this.#checksOf(this.#inputs);
    this.#random = random.branch('foreign');
    const more = (number: number): Instance<KafkaGround> => {
      const own = random.branch(`instance ${number}`);
      const ground = new KafkaGround(number, this.#network, plan, own);
      const options = { commitInterval: `${plan.commitMs}ms` } as const;
      return new Instance(number, this.#world, { pipeline: this.#program.pipeline, options }, ground, this.#log);
    };
    this.#instances = Array.from({ length: plan.instances }, (_, at) => more(at));
    this.#trouble = new Trouble(
      {
        plan,
        world: this.#world,
        broker: this.#broker,
        network: this.#network,
        server: this.#server,
        random: random.branch('faults'),
        log: this.#log,
        feeder: this.#feeder?.host,
        more,
      },
      this.#instances,
    );
  }

  async run(): Promise<Outcome> {
    const { faults, troubleMs } = this.#plan;
    const world = this.#world;
    this.#write();
    for (const instance of this.#instances) this.#at(BEGINNING_MS + instance.number * 10, () => instance.start());
    if (this.#feeder !== undefined)
      void this.#feeder.start().catch((error: Error) => this.#log(`no client: ${error.message}`));
    const { grows, renewedAt } = this.#plan;
    if (renewedAt !== undefined) this.#at(renewedAt, () => this.#renew());
    if (grows !== undefined) this.#at(grows.at, () => this.#grow(grows.partitions));
    for (const fault of faults) this.#at(fault.at, () => this.#trouble.cause(fault));
    while (world.now < troubleMs) await this.#goOn(Math.min(troubleMs, world.now + LOOK_MS));
    this.#trouble.heal();
    const before = this.#checksOf(this.#inputs.filter(({ at }) => at !== undefined))[0];
    let copiedAt: number | undefined;
    const isDone = (): boolean =>
      this.#last.length === 0 &&
      this.#checks.every((check) => check.missing().length === 0) &&
      this.#feeder?.over !== false;
    for (const limit = world.now + HEALED_MS; !isDone() && world.now < limit; ) {
      await this.#goOn(world.now + LOOK_MS);
      for (const instance of this.#instances) if (!instance.running) instance.start();
      if (before?.missing().length !== 0) continue;
      copiedAt ??= world.now;
      // Who sees that they are late is right: those before them must have got everywhere first. Where a late request has
      // put back what was committed, that is not to be seen.
      if (this.#last.length > 0 && (this.#commits.over || world.now > copiedAt + 15_000)) {
        for (const write of this.#last.splice(0)) write();
        this.#hang();
      }
    }
    if (isDone()) {
      const quietFrom = Math.max(world.now, this.#network.quietFrom) + QUIET_MS;
      while (world.now < quietFrom) await this.#goOn(Math.min(quietFrom, world.now + LOOK_MS));
      const exact = this.#exact || this.#isCalm;
      this.#problems.push(...this.#checks.flatMap((check) => check.wrong(exact)), ...this.#history(exact));
      this.#problems.push(...(this.#feeder?.problems(this.#broker) ?? []));
    } else {
      this.#problems.push(
        ...(this.#feeder?.over === false ? ['stall: a client is not told what became of its records'] : []),
      );
      this.#problems.push(...this.#checks.flatMap((check) => check.missing()).slice(0, 5), ...this.#whyNot());
    }
    this.#problems.push(...this.#said.slice(0, 2).map((line) => `said: ${line.slice(0, 300)}`));
    this.#problems.push(...(await this.#stop()));
    return {
      plan: this.#plan,
      problems: this.#problems.slice(0, 12),
      hash: world.hash,
      events: world.events,
      virtualMs: Math.round(world.now),
      counts: this.#allCounts(),
    };
  }

  #newFeeder(random: Random): Feeder {
    const host = this.#world.host('feeder');
    this.#network.lenient.add(host);
    let names = 0;
    const machine = machineOf(host, this.#network, random, () => `feeder-${++names}`);
    this.#broker.topics.create(FED, this.#plan.sources);
    return new Feeder(host, machine, this.#plan, this.#world, random);
  }

  /** Whether at least once is to write once, too: where processes just come and go, and where none begins anything again. */
  get #isCalm(): boolean {
    const { atProducers, faults, grows, renewedAt } = this.#plan;
    if (faults.every(({ kind }) => IN_ORDER.has(kind))) return true;
    // Where the last commit before tasks are rebuilt for other partitions takes too long, they begin again, too.
    const isWhole = grows === undefined && renewedAt === undefined && !this.#broker.groups.isPutBack;
    return atProducers && !this.#again && isWhole;
  }

  #checksOf(inputs: readonly Input[]): RowCheck[] {
    // What nobody has read of a topic that is gone is gone with it.
    const allowed = this.#program.expected(inputs);
    const needed = this.#program.expected(inputs.filter((input) => !this.#mayBeGone(input)));
    return needed.map((rows, at) => {
      const reader = new TopicReader(this.#broker.topics, rows.topic);
      // At least once, what a process has written arrives when it is gone, and when others have written the same and more.
      const mayBeLate = (): boolean => !this.#exact && this.#network.isLate;
      return new RowCheck(reader, rows, allowed[at]?.values, mayBeLate);
    });
  }

  async #goOn(limit: number): Promise<void> {
    await this.#world.until(() => false, limit);
    // What follows from the first ones says nothing more.
    // Offsets of a topic that is gone are nothing to those of the one that has its name.
    if (this.#plan.renewedAt !== undefined) return;
    if (this.#problems.length < 3) this.#problems.push(...this.#commits.problems().slice(0, 3));
  }

  #mayBeGone({ at }: Input): boolean {
    const { renewedAt } = this.#plan;
    return renewedAt !== undefined && at !== undefined && at <= renewedAt;
  }

  /** The source is deleted, and made anew. Brokers forget what groups have committed of it, sooner or later. */
  #renew(): void {
    this.#log('the source is another topic now');
    const { groups, topics } = this.#broker;
    topics.delete('source');
    topics.create('source', this.#plan.sources);
    if (this.#random.chance(0.5)) groups.forget('source');
  }

  #grow(partitions: number): void {
    this.#log(`the source has ${partitions} partitions`);
    this.#broker.topics.grow('source', partitions);
  }

  /** Writes the inputs when they are due, some of them in transactions, and between them some that are aborted. */
  #write(): void {
    const { foreign } = this.#plan;
    let unseen = UNSEEN;
    for (const input of this.#inputs) {
      const { at, id, partition } = input;
      // What comes late to a backlog is late.
      const afterMs = at === 0 ? 0 : this.#random.pick([0, 0, 50, 1500]);
      const inTransaction = at !== undefined && this.#random.chance(foreign);
      const noise = at !== undefined && this.#random.chance(foreign);
      const write = (): void => {
        if (noise) this.#foreign.write({ ...input, id: unseen++ }, 'abort', afterMs);
        const offset = inTransaction
          ? this.#foreign.write(input, 'commit', afterMs)
          : this.#broker.topics.partition('source', partition)?.append(encodeInput(input)).baseOffset;
        this.#commits.wrote({ id, partition, offset: offset ?? -1 });
      };
      if (at === 0) write();
      else if (at === undefined) this.#last.push(write);
      else this.#world.at(this.#server, at, 'input', write);
    }
    if (this.#last.length === 0) this.#hang();
  }

  /** Leaves transactions open behind everything: nobody is to wait for them. */
  #hang(): void {
    const last = this.#inputs.at(-1) as Input;
    for (const [partition, hangs] of this.#plan.hanging.entries())
      if (hangs) this.#foreign.write({ ...last, id: 2 * UNSEEN + partition, partition }, 'never', 0);
  }

  #at(ms: number, run: () => void): void {
    this.#world.at(this.#server, ms, 'plan', run);
  }

  #allCounts(): Record<string, number> {
    const { groups, transactions } = this.#broker;
    return {
      ...this.#trouble.counts,
      ...this.#network.counts,
      generations: groups.counts.generations,
      'expired members': groups.counts.expired,
      'committed transactions': transactions.counts.committed,
      'aborted transactions': transactions.counts.aborted,
      'expired transactions': transactions.counts.expired,
      'fenced transactions': transactions.counts.fenced,
    };
  }

  #history(exact: boolean): string[] {
    const copies = [...new TopicReader(this.#broker.topics, 'copies').more()];
    const seen = new Set(copies.map(({ value }) => Number(value)));
    const inputs = this.#inputs.filter((input) => seen.has(input.id) || !this.#mayBeGone(input));
    // At least once, what a process wrote of a topic that is gone can arrive late, and nobody writes it again in its order.
    const isOfFirst = (input: Input): boolean => !this.#exact && this.#network.isLate && this.#mayBeGone(input);
    return historyOf(inputs, copies, exact, (input) => (isOfFirst(input) ? 'first source' : 'source'));
  }

  /** What each process waits for. */
  #whyNot(): string[] {
    return this.#instances.map(whyNot);
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

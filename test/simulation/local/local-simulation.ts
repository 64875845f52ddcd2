import { historyOf } from '../history.ts';
import { type Input, makeInputs } from '../inputs.ts';
import { Instance, whyNot } from '../instance.ts';
import type { Outcome, SimulateOptions } from '../outcome.ts';
import { makeProgram, type Program } from '../programs.ts';
import type { Random } from '../random.ts';
import { RowCheck } from '../topic-reader.ts';
import { World } from '../world.ts';
import { EmbeddedSide } from './embedded-side.ts';
import { LocalCommitCheck } from './local-commit-check.ts';
import { type LocalFault, type LocalPlan, makeLocalPlan } from './local-plan.ts';
import { MemorySide } from './memory-side.ts';
import type { Side } from './side.ts';

/** How long the application has to get done after the last fault, in virtual ms. */
const HEALED_MS = 120_000;
/** How long is waited for what should not come. */
const QUIET_MS = 300;
/** How often is looked what there is. */
const LOOK_MS = 100;
/** Where processes have numbers from here on, they take over from others. */
const TAKES_OVER = 2;

/** One run of the real runtime and of a transport whose log is on this machine. */
export function simulateLocal(
  seed: number,
  on: LocalPlan['on'],
  random: Random,
  { keeps, log }: SimulateOptions,
): Promise<Outcome> {
  const planned = makeLocalPlan(seed, on, random.branch(`plan on ${on}`));
  const plan = { ...planned, faults: planned.faults.filter((fault, at) => keeps?.(fault, at) !== false) };
  return new LocalSimulation(plan, random, log ?? (() => undefined)).run();
}

class LocalSimulation {
  readonly #plan: LocalPlan;
  readonly #world: World;
  readonly #program: Program;
  readonly #inputs: readonly Input[];
  readonly #side: Side;
  readonly #instances: readonly Instance[];
  readonly #random: Random;
  readonly #log: (line: string) => void;
  readonly #server;
  readonly #counts: Record<string, number> = {};
  readonly #problems: string[] = [];
  #over = false;

  constructor(plan: LocalPlan, random: Random, log: (line: string) => void) {
    this.#plan = plan;
    this.#world = new World(random.branch('world'));
    this.#log = (line) => {
      this.#world.note(line);
      log(`${(this.#world.now / 1000).toFixed(3).padStart(9)} ${line}`);
    };
    this.#server = this.#world.host('plan');
    const calls = random.branch('calls');
    this.#program = makeProgram(plan, () => this.#world.pause(this.#server, calls.next() * 50));
    this.#inputs = makeInputs({ ...plan, partitions: plan.sources }, random.branch('inputs'));
    const { topics } = this.#program;
    const embedded = (): EmbeddedSide =>
      new EmbeddedSide(this.#world, random.branch('embedded'), topics, plan.together);
    const side = plan.on === 'memory' ? new MemorySide(this.#world, topics) : embedded();
    this.#side = side;
    const options = plan.commitMs === undefined ? {} : ({ commitInterval: `${plan.commitMs}ms` } as const);
    const { pipeline } = this.#program;
    const count = plan.on === 'memory' ? 1 : TAKES_OVER + 1;
    this.#instances = Array.from({ length: count }, (_, number) => {
      const ground = side.ground(number >= TAKES_OVER);
      return new Instance(number, this.#world, { pipeline, options }, ground, this.#log);
    });
    if (side instanceof EmbeddedSide) side.instances = this.#instances;
    this.#random = random.branch('faults');
  }

  async run(): Promise<Outcome> {
    const { faults, grows, live, troubleMs } = this.#plan;
    const world = this.#world;
    const side = this.#side;
    await side.begin();
    const last = this.#inputs.filter(({ at }) => at === undefined);
    const first = this.#inputs.filter(({ at }) => at !== undefined);
    // A backlog is there before anybody reads it.
    if (!live) side.write(first);
    while (!side.isWritten && world.now < HEALED_MS) await world.until(() => side.isWritten, world.now + LOOK_MS);
    const begins = world.now;
    if (live) for (const input of first) this.#at(begins + (input.at ?? 0), () => side.write([input]));
    this.#at(begins + this.#random.next() * 20, () => this.#instances[0]?.start());
    if (grows !== undefined) this.#at(begins + grows.at, () => side.grow(grows.partitions));
    for (const fault of faults) this.#at(begins + fault.at, () => this.#cause(fault));
    const commits = new LocalCommitCheck(side);
    const checks = this.#checksOf(this.#inputs);
    const goOn = async (until: number): Promise<void> => {
      await world.until(() => false, until);
      side.look();
      if (this.#problems.length < 3) this.#problems.push(...commits.problems().slice(0, 3));
    };
    while (world.now < begins + troubleMs) await goOn(Math.min(begins + troubleMs, world.now + LOOK_MS));
    this.#heal();
    const before = this.#checksOf(first);
    const isDone = (): boolean => last.length === 0 && checks.every((check) => check.missing().length === 0);
    for (const limit = world.now + HEALED_MS; !isDone() && world.now < limit; ) {
      await goOn(world.now + LOOK_MS);
      if (!this.#instances.some(({ running }) => running)) this.#instances[this.#random.int(0, 1)]?.start();
      // Those behind all others make them late where these have not got through yet.
      const isThrough = side.isWritten && before.slice(0, 2).every((check) => check.missing().length === 0);
      if (last.length > 0 && isThrough && commits.over) side.write(last.splice(0));
    }
    if (isDone()) {
      await goOn(world.now + QUIET_MS);
      this.#problems.push(...checks.flatMap((check) => check.wrong(true)));
      this.#problems.push(...side.wrong().slice(0, 3));
      this.#problems.push(...historyOf(this.#inputs, side.reader('copies').more(), true, () => 'source'));
    } else
      this.#problems.push(...checks.flatMap((check) => check.missing()).slice(0, 5), ...this.#instances.map(whyNot));
    this.#problems.push(...(await this.#stop()));
    return {
      plan: this.#plan,
      problems: this.#problems.slice(0, 12),
      hash: world.hash,
      events: world.events,
      virtualMs: Math.round(world.now),
      counts: { ...this.#counts, ...side.counts },
    };
  }

  #at(ms: number, run: () => void): void {
    this.#world.at(this.#server, ms, 'plan', run);
  }

  /** The inputs themselves, then what comes of them. */
  #checksOf(inputs: readonly Input[]): RowCheck[] {
    const values = new Map(inputs.map(({ id }) => [String(id), 1]));
    const written = { topic: 'source', named: 'value', counts: 'each', values } as const;
    return [written, ...this.#program.expected(inputs)].map(
      (rows) => new RowCheck(this.#side.reader(rows.topic), rows),
    );
  }

  #heal(): void {
    this.#over = true;
    this.#side.heal();
    for (const { host } of this.#instances) {
      if (host?.stopped === true) this.#world.goOn(host);
      if (host !== undefined) host.slowness = 1;
    }
  }

  #cause(fault: LocalFault): void {
    const { forMs, kind, which } = fault;
    const world = this.#world;
    const running = this.#instances.filter((each) => each.running);
    const instance = running[which % running.length];
    const host = instance?.host;
    const later = (run: () => void): void => this.#at(world.now + forMs, run);
    const startAgain = (number = which % 2): void =>
      later(() => this.#over || this.#instances[number % this.#instances.length]?.start());
    this.#counts[kind] = (this.#counts[kind] ?? 0) + 1;
    this.#log(`fault: ${kind} (${host?.name ?? 'nobody'}, ${forMs} ms)`);
    if (this.#side.cause(fault)) {
      if (kind === 'power cut') startAgain();
      return;
    }
    switch (kind) {
      case 'crash':
        instance?.kill();
        startAgain();
        break;
      case 'stop':
        void instance?.app?.stop().catch(() => undefined);
        startAgain();
        break;
      case 'rebalance':
      case 'lost tasks':
        this.#side.rebalance(kind === 'lost tasks');
        break;
      case 'pause':
        if (host === undefined || host.stopped) break;
        world.stop(host);
        later(() => world.goOn(host));
        break;
      case 'second process':
      case 'take over':
        this.#instances[kind === 'take over' ? TAKES_OVER : 1]?.start();
        break;
      case 'slow process':
        if (host === undefined) break;
        host.slowness = 500;
        later(() => {
          host.slowness = 1;
        });
        break;
      case 'clock jump':
        if (host !== undefined) host.wallOffset += this.#random.int(-3_600_000, 3_600_000);
        break;
    }
  }

  async #stop(): Promise<string[]> {
    for (const { app, running } of this.#instances) if (running) void app?.stop().catch(() => undefined);
    const stopped = (): boolean => this.#instances.every(({ running }) => !running);
    const over = await this.#world.until(stopped, this.#world.now + 30_000);
    const ends = over ? [] : ['stall: a process does not stop', ...this.#instances.map(whyNot)];
    for (const { host } of this.#instances) if (host !== undefined) host.alive = false;
    return ends;
  }
}

import type { Cancel, Clock } from '../../src/dataflow/clock.ts';
import type { Random } from './random.ts';

interface Event {
  at: number;
  readonly order: number;
  readonly host: Host;
  readonly what: string;
  readonly run: () => void;
  cancelled: boolean;
}

/** How long what is put off for `soon` takes at most, in ms. */
const SOON_MS = 0.1;
/** Events that Node is given at once. */
const STEPS = 64;
/** When the simulated world begins, in ms since the epoch. */
const BEGINNING = 1_700_000_000_000;

/** A process, or a machine, with a clock of its own. What it waits for does not happen once it is dead. */
export class Host {
  readonly name: string;
  readonly clock: Clock;
  alive = true;
  /** Stopped: what would happen waits until it goes on. */
  stopped = false;
  readonly waiting: Event[] = [];
  /** How wrong its wall clock is, in ms. */
  wallOffset = 0;
  /** It runs so many times slower. */
  slowness = 1;
  #soonAt = 0;

  constructor(name: string, world: World) {
    this.name = name;
    this.clock = {
      now: () => BEGINNING + Math.floor(world.now) + this.wallOffset,
      monotonic: () => world.now,
      after: (ms, callback) => world.at(this, world.now + Math.max(0, ms), 'timer', callback),
      soon: (callback) => {
        const ms = world.random.next() * SOON_MS * this.slowness;
        // In their order, as the event loop of a process has it.
        this.#soonAt = Math.max(this.#soonAt, world.now + ms);
        world.at(this, this.#soonAt, 'soon', callback);
      },
    };
  }
}

/**
 * Virtual time, and what happens in it, in an order that a seed decides. Between two events every promise that can be
 * settled is, so that what happens is a function of the seed.
 */
export class World {
  now = 0;
  readonly random: Random;
  events = 0;
  readonly #heap: Event[] = [];
  #order = 0;
  #hash = 0x811c_9dc5;

  constructor(random: Random) {
    this.random = random;
  }

  host(name: string): Host {
    return new Host(name, this);
  }

  /** Lets something happen on a host at a time. */
  at(host: Host, at: number, what: string, run: () => void): Cancel {
    const event: Event = { at, order: this.#order++, host, what, run, cancelled: false };
    this.#push(event);
    return () => {
      event.cancelled = true;
    };
  }

  /** Resolves on a host after some time. */
  pause(host: Host, ms: number): Promise<void> {
    return new Promise((resolve) => void this.at(host, this.now + ms, 'pause', resolve));
  }

  /** A number that two runs share if the same happened in both. */
  get hash(): string {
    return (this.#hash >>> 0).toString(16).padStart(8, '0');
  }

  note(text: string): void {
    for (let at = 0; at < text.length; at++) this.#hash = Math.imul(this.#hash ^ text.charCodeAt(at), 0x0100_0193);
  }

  /** Goes on until something holds, or until that time. @returns whether it holds */
  until(holds: () => boolean, limit: number): Promise<boolean> {
    return new Promise((resolve, reject) => {
      let over = false;
      const end = (): void => {
        over = true;
        resolve(holds());
      };
      const step = (): void => {
        if (over) return;
        try {
          if (holds() || !this.#next(limit)) end();
        } catch (error) {
          over = true;
          reject(error);
        }
      };
      // Many at once, because each round of Node's loop has its price; promises settle between any two of them.
      const steps = (): void => {
        for (let at = 0; at < STEPS; at++) setImmediate(step);
        setImmediate(() => over || steps());
      };
      steps();
    });
  }

  /** Lets the next event happen, if there is one before that time; otherwise it is that time. */
  #next(limit: number): boolean {
    for (;;) {
      const event = this.#pop();
      if (event === undefined || event.at > limit) {
        if (event !== undefined) this.#push(event);
        this.now = Math.max(this.now, limit);
        return false;
      }
      if (event.cancelled || !event.host.alive) continue;
      if (event.host.stopped) {
        event.host.waiting.push(event);
        continue;
      }
      this.now = Math.max(this.now, event.at);
      this.events += 1;
      this.note(`${this.now.toFixed(3)} ${event.host.name} ${event.what}\n`);
      event.run();
      return true;
    }
  }

  stop(host: Host): void {
    host.stopped = true;
  }

  /** What should have happened meanwhile happens now, in its order. */
  goOn(host: Host): void {
    host.stopped = false;
    for (const event of host.waiting.splice(0)) {
      event.at = this.now;
      this.#push(event);
    }
  }

  #push(event: Event): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(event);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!before(event, heap[parent] as Event)) break;
      heap[at] = heap[parent] as Event;
      at = parent;
    }
    heap[at] = event;
  }

  #pop(): Event | undefined {
    const heap = this.#heap;
    const [first] = heap;
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1] as Event, heap[child] as Event)) child += 1;
      if (!before(heap[child] as Event, last)) break;
      heap[at] = heap[child] as Event;
      at = child;
    }
    heap[at] = last;
    return first;
  }
}

const before = (one: Event, other: Event): boolean =>
  one.at < other.at || (one.at === other.at && one.order < other.order);

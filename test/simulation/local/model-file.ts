import type { Random } from '../random.ts';
import type { Host, World } from '../world.ts';
import { Tree } from './tree.ts';

/** What the file holds as of a transaction. Never changed once it is there. */
export interface State {
  readonly transaction: number;
  readonly trees: ReadonlyMap<string, Tree>;
}

/** How a disk is at a time. */
export interface Disk {
  /** How long a commit takes at most, in ms: its pages are flushed, then the header that names them. */
  commitMs: number;
  /** How often a commit fails, and with which number. */
  failing: number;
  failure: number;
  /** How often a transaction does not even begin. */
  refusing: number;
  freeBytes: number;
}

const PLENTY = 2 ** 40;
export const SOUND: Disk = { commitMs: 2, failing: 0, failure: 5, refusing: 0, freeBytes: PLENTY };

interface Waiting {
  readonly host: Host;
  readonly run: () => void;
}

/** The data file of a folder as LMDB has it: one writer at a time among all processes, and readers of what is committed. */
export class ModelFile {
  /** What readers get. */
  visible: State = { transaction: 0, trees: new Map() };
  /** What is there after the power was cut. */
  durable: State = this.visible;
  disk: Disk = SOUND;
  readonly counts: Record<string, number> = {};
  readonly #world: World;
  readonly #random: Random;
  readonly #listeners = new Set<(from: Host) => void>();
  #holder: Host | undefined;
  readonly #queue: Waiting[] = [];
  /** A commit whose header is about to be written. */
  #ending: (() => void) | undefined;

  constructor(world: World, random: Random) {
    this.#world = world;
    this.#random = random;
  }

  count(what: string): void {
    this.counts[what] = (this.counts[what] ?? 0) + 1;
  }

  chance(probability: number): boolean {
    return this.#random.chance(probability);
  }

  /** Waits for the right to write. */
  enter(host: Host, run: () => void): void {
    this.#queue.push({ host, run });
    this.#next();
  }

  leave(host: Host): void {
    if (this.#holder !== host) return;
    this.#holder = undefined;
    this.#next();
  }

  #next(): void {
    while (this.#holder === undefined) {
      const next = this.#queue.shift();
      if (next === undefined) return;
      if (!next.host.alive) continue;
      this.#holder = next.host;
      // LMDB has a thread for that: the callback comes in an event of its own.
      this.#world.at(next.host, this.#world.now + this.#random.next(), 'transaction', next.run);
    }
  }

  /**
   * Writes a state.
   *
   * @param flushes - When it is on the disk: before readers see it, some time after, or nobody knows.
   */
  commit(host: Host, next: State, flushes: 'before' | 'after' | 'never', done: () => void): void {
    const ms = this.#random.next() * this.disk.commitMs;
    const publish = (): void => {
      this.#ending = undefined;
      this.visible = next;
      if (flushes === 'before') this.durable = next;
      if (flushes === 'after')
        this.#world.at(host, this.#world.now + this.#random.next() * this.disk.commitMs, 'flushed', () => {
          if (this.durable.transaction < next.transaction) this.durable = next;
        });
      for (const listener of this.#listeners) listener(host);
    };
    this.#ending = publish;
    this.#world.at(host, this.#world.now + ms, 'commit', () => {
      publish();
      this.leave(host);
      // The process hears of it a moment later.
      this.#world.at(host, this.#world.now + this.#random.next(), 'committed', done);
    });
  }

  /** A process is gone. What it was committing may be there all the same, whole. */
  died(host: Host): void {
    if (this.#holder !== host) return;
    if (this.#ending !== undefined && this.#random.chance(0.5)) {
      this.count('commits that nobody heard of');
      this.#ending();
    }
    this.#ending = undefined;
    this.leave(host);
  }

  /** Everything goes dark: what was not flushed is gone. All processes are dead by now. */
  powerCut(): void {
    if (this.visible !== this.durable) this.count('transactions lost with the power');
    this.visible = this.durable;
  }

  /** Calls back when there is something new, as the system does that watches a file. */
  onCommit(listener: (from: Host) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

/** What is changed by a transaction, on top of a state. */
export class Draft {
  readonly #base: State;
  readonly #trees: Map<string, Tree>;
  readonly #own = new Set<string>();

  constructor(base: State) {
    this.#base = base;
    this.#trees = new Map(base.trees);
  }

  tree(name: string): Tree {
    return this.#trees.get(name) ?? new Tree();
  }

  /** The tree to be changed. */
  change(name: string): Tree {
    let tree = this.#trees.get(name);
    if (tree === undefined || !this.#own.has(name)) {
      tree = tree?.copy() ?? new Tree();
      this.#own.add(name);
      this.#trees.set(name, tree);
    }
    return tree;
  }

  get state(): State {
    return { transaction: this.#base.transaction + 1, trees: this.#trees };
  }

  get isChanged(): boolean {
    return this.#own.size > 0;
  }
}

import { every, pause } from '../../../src/dataflow/clock.ts';
import { EmbeddedLog } from '../../../src/transports/embedded/embedded-log.ts';
import type { OpenFolder } from '../../../src/transports/embedded/folder-transport.ts';
import { closeAtOnce, openDatabases } from '../../../src/transports/embedded/lmdb.ts';
import type { EmbeddedMachine } from '../../../src/transports/embedded/machine.ts';
import { maintain } from '../../../src/transports/embedded/maintenance.ts';
import type { Random } from '../random.ts';
import type { Host, World } from '../world.ts';
import type { ModelFile } from './model-file.ts';
import { ModelLmdb } from './model-lmdb.ts';

const FILE = '/simulated/log.mdb';
/** How soon a process hears of what another one has committed, in ms, and how often it looks by itself. */
const BELL_MS = 5;
const LOOK_MS = 1000;
/** Some news of a file do not arrive. */
const HEARD = 0.9;

/** A folder of a simulated disk, with those who have it open. */
export class ModelFolder {
  readonly file: ModelFile;
  readonly #world: World;
  readonly #random: Random;
  readonly #processes = new Map<number, Host>();
  readonly #bells = new Map<Host, () => void>();
  #pids = 100;
  /** Of how many boots this is the last one. */
  #boots = 1;

  constructor(file: ModelFile, world: World, random: Random) {
    this.file = file;
    this.#world = world;
    this.#random = random;
  }

  /** Opens it in a process, as its transport needs it. */
  async open(host: Host): Promise<OpenFolder> {
    const { clock } = host;
    const random = this.#random;
    const lmdb = new ModelLmdb(this.file, host, this.#world, random).package;
    await pause(clock, random.next() * 2);
    const db = await openDatabases(FILE, {}, lmdb);
    const log = new EmbeddedLog(db, {
      file: FILE,
      maxBytes: Number.POSITIVE_INFINITY,
      gate: { enter: () => undefined, leave: () => undefined, waitingFor: () => undefined },
      now: clock.now,
      machine: this.#machineOf(host),
      ring: () => this.#ring(host),
      reopen: async () => {
        await pause(clock, random.next() * 2);
        closeAtOnce(db);
        Object.assign(db, await openDatabases(FILE, {}, lmdb));
        log.refresh();
      },
    });
    let listeners = 0;
    const listen = (): (() => void) => {
      listeners += 1;
      const stop = every(clock, LOOK_MS, () => log.refresh());
      return () => {
        listeners -= 1;
        stop();
      };
    };
    this.#bells.set(host, () => listeners > 0 && log.refresh());
    return {
      path: '/simulated',
      log,
      doorbell: { listen },
      maintain: (now = clock.now(), force = false) => maintain(log, { now, force }),
      release: async () => {
        await log.writer.close();
        this.#bells.delete(host);
        closeAtOnce(db);
      },
    };
  }

  died(host: Host): void {
    this.#bells.delete(host);
    this.file.died(host);
  }

  /** The machine begins again: whoever was there is not any more, and another one may have its pid. */
  boot(): void {
    this.file.powerCut();
    this.#boots += 1;
    this.#processes.clear();
    this.#pids = 100;
  }

  #ring(from: Host): void {
    for (const [host, rung] of this.#bells) {
      if (host === from || !this.#random.chance(HEARD)) continue;
      this.#world.at(host, this.#world.now + this.#random.next() * BELL_MS, 'rung', rung);
    }
  }

  #machineOf(host: Host): EmbeddedMachine {
    const pid = ++this.#pids;
    const bootId = `boot ${this.#boots}`;
    this.#processes.set(pid, host);
    return {
      clock: host.clock,
      me: () => ({ pid, bootId, startTime: '', namespace: '' }),
      isAlive: (other) => other.bootId === `boot ${this.#boots}` && this.#processes.get(other.pid)?.alive === true,
      name: () => `log of ${host.name}`,
      number: () => Math.floor(this.#random.next() * 2 ** 47),
      random: this.#random.next,
      freeBytes: () => this.file.disk.freeBytes,
    };
  }
}

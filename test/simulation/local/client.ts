import type { MillraceError } from '../../../src/errors.ts';
import type { Producer } from '../../../src/log/transport.ts';
import { RecordBatchBuilder } from '../../../src/protocol/batch-builder.ts';
import { EmbeddedTransport } from '../../../src/transports/embedded/folder-transport.ts';
import type { Input } from '../inputs.ts';
import type { Random } from '../random.ts';
import type { Host, World } from '../world.ts';
import type { ModelFolder } from './folder.ts';

/** How long it waits before it tries again, in ms. */
const AGAIN_MS = 50;

/** A client in a process of its own, which writes inputs in their order, each until it is acknowledged. */
export class Client {
  readonly #world: World;
  readonly #folder: ModelFolder;
  readonly #random: Random;
  readonly #together: number;
  /** Inputs that are in the source, with their offsets: what it looks for when it begins again. */
  readonly #there: () => ReadonlyMap<number, number>;
  readonly #due: Input[] = [];
  /** Where it was told that they are. */
  readonly acknowledged: Map<number, number> = new Map();
  #lives = 0;
  #writing: readonly Input[] = [];
  host: Host | undefined;

  constructor(
    world: World,
    folder: ModelFolder,
    random: Random,
    together: number,
    there: () => ReadonlyMap<number, number>,
  ) {
    this.#world = world;
    this.#folder = folder;
    this.#random = random;
    this.#together = together;
    this.#there = there;
  }

  get isDone(): boolean {
    return this.#due.length === 0 && this.#writing.length === 0;
  }

  add(inputs: readonly Input[]): void {
    this.#due.push(...inputs);
  }

  start(): void {
    if (this.host?.alive === true) return;
    const host = this.#world.host(`client.${++this.#lives}`);
    this.host = host;
    const there = this.#there();
    this.#due.unshift(...this.#writing.filter(({ id }) => !there.has(id)));
    this.#writing = [];
    void this.#run(host).catch((error: Error) => this.#world.note(`the client ended: ${error.message}\n`));
  }

  kill(): void {
    if (this.host?.alive !== true) return;
    this.host.alive = false;
    this.#folder.died(this.host);
  }

  async #run(host: Host): Promise<void> {
    const transport = new EmbeddedTransport(await this.#folder.open(host), false);
    const producer = transport.producer();
    while (host.alive) {
      if (this.#due.length > 0) await this.#write(producer, this.#due.splice(0, this.#random.int(1, this.#together)));
      await new Promise<void>((resolve) => void host.clock.after(this.isDone ? 5 : 0, resolve));
    }
  }

  async #write(producer: Producer, inputs: readonly Input[]): Promise<void> {
    this.#writing = inputs;
    const compression = this.#random.pick(['none', 'none', 'gzip', 'lz4'] as const);
    const batches = inputs.map(({ id, key, partition, timestamp }) => {
      const records = new RecordBatchBuilder(64);
      records.append(timestamp, key, String(id), []);
      return { topic: 'source', partition, records, compression };
    });
    try {
      const results = await producer.send(batches);
      for (const [at, { id }] of inputs.entries()) this.acknowledged.set(id, results[at]?.baseOffset ?? -1);
    } catch (error) {
      // Nothing of it is there, and it is done again.
      if ((error as MillraceError).written !== 'no') throw error;
      this.#due.unshift(...inputs);
      this.#writing = [];
      await new Promise<void>((resolve) => void this.host?.clock.after(AGAIN_MS, resolve));
    }
    this.#writing = [];
  }
}

import { setTimeout } from 'node:timers/promises';
import type { OpenTransport, Transport } from '../../src/log/transport.ts';
import { PARTITIONS } from './works.ts';

const LOOK_MS = 20;

/** Watches the committed offsets of a group. */
export class CommittedOffsets {
  readonly #transport: Transport;
  readonly #group: string;
  readonly #topics: readonly string[];
  /** The topic between two stages. */
  readonly #between: string | undefined;
  #committed: ReadonlyMap<string, number> = new Map();
  #changedAt = 0;
  #over = false;
  readonly #watching: Promise<void>;

  private constructor(transport: Transport, group: string, topics: readonly string[], between: string | undefined) {
    this.#transport = transport;
    this.#group = group;
    this.#topics = topics;
    this.#between = between;
    this.#watching = this.#watch();
    // Told when it is asked for.
    this.#watching.catch(() => undefined);
  }

  static async watch(
    open: OpenTransport,
    group: string,
    topics: readonly string[],
    between?: string,
  ): Promise<CommittedOffsets> {
    return new CommittedOffsets(await open(), group, topics, between);
  }

  /**
   * To be called when the contestant has ended.
   *
   * @returns When the committed offsets reached the end of all inputs, in ms since the epoch.
   * @throws Error when they did not
   */
  async reachedAt(exactlyOnce: boolean): Promise<number> {
    this.#over = true;
    await this.#watching;
    await this.#look();
    for (const topic of this.#topics) {
      for (const [partition, end] of await this.#transport.offsets(topic, 'latest')) {
        const committed = this.#committed.get(`${topic}/${partition}`) ?? 0;
        // Between two stages a transaction ends with a marker, behind which an offset need not be.
        const wanted = exactlyOnce && topic === this.#between ? end - 1 : end;
        if (committed < wanted) throw new Error(`${topic}/${partition}: committed ${committed} of ${end}`);
      }
    }
    return this.#changedAt;
  }

  async close(): Promise<void> {
    this.#over = true;
    await this.#watching.catch(() => undefined);
    await this.#transport.close();
  }

  async #watch(): Promise<void> {
    for (; !this.#over; await setTimeout(LOOK_MS)) await this.#look();
  }

  async #look(): Promise<void> {
    const partitions = this.#topics.flatMap((topic) =>
      Array.from({ length: PARTITIONS }, (_, partition) => ({ topic, partition })),
    );
    const found = await this.#transport.committed(this.#group, partitions);
    const offsets = new Map(found.map(({ offset, partition, topic }) => [`${topic}/${partition}`, offset]));
    if ([...offsets].some(([at, offset]) => this.#committed.get(at) !== offset)) this.#changedAt = Date.now();
    this.#committed = offsets;
  }
}

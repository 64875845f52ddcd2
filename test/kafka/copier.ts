import type { FetchedBatch, Fetcher, GroupSession, OpenTransport, Transport } from '../../src/log/transport.ts';
import { RecordBatchBuilder } from '../../src/protocol/batch-builder.ts';

export interface CopierOptions {
  readonly groupId: string;
  readonly from: string;
  readonly to: string;
  readonly partitions: number;
  /** Told of everything that goes wrong and that the copier gets over. */
  readonly onTrouble?: (error: unknown) => void;
  /** Told of each commit, with the offsets that it has copied by partition. */
  readonly onCommit?: (records: number, copied: readonly Copied[]) => void;
}

/** What was copied of a partition. */
export interface Copied {
  readonly partition: number;
  readonly offsets: readonly number[];
}

/** Copies a topic partition by partition, as a task of an application would: outputs and offsets in one commit. */
export class Copier {
  readonly #options: CopierOptions;
  readonly #transport: Transport;
  readonly #fetcher: Fetcher;
  readonly #mine = new Set<number>();
  #session: GroupSession | undefined;
  #generation = 0;
  #wake: () => void = () => undefined;
  #stopped = false;
  #round: Promise<void> = Promise.resolve();
  #running: Promise<void> | undefined;

  private constructor(transport: Transport, options: CopierOptions) {
    this.#transport = transport;
    this.#options = options;
    this.#fetcher = transport.fetcher({ onReady: () => this.#wake() });
  }

  static async start(open: OpenTransport, options: CopierOptions): Promise<Copier> {
    const copier = new Copier(await open(), options);
    copier.#session = await copier.#transport.group({
      groupId: options.groupId,
      tasks: Array.from({ length: options.partitions }, (_, partition) => ({
        id: `copy/${partition}`,
        partitions: [{ topic: options.from, partition }],
      })),
      onAssigned: async (ids, generation) => {
        copier.#generation = generation;
        await copier.#begin(ids.map(number));
      },
      onRevoked: async (ids) => {
        for (const id of ids) {
          copier.#mine.delete(number(id));
          copier.#fetcher.unassign(options.from, number(id));
        }
        await copier.#round.catch(() => undefined);
      },
      onError: (error) => options.onTrouble?.(error),
    });
    copier.#running = copier.#run();
    return copier;
  }

  /** What it waits for. */
  waitingFor(): string | undefined {
    return this.#session?.waitingFor() ?? this.#fetcher.waitingFor();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#wake();
    await this.#running;
    await this.#transport.close();
  }

  /** Goes on from the committed offsets. */
  async #begin(partitions: readonly number[]): Promise<void> {
    if (partitions.length === 0) return;
    const { from, groupId } = this.#options;
    const wanted = partitions.map((partition) => ({ topic: from, partition }));
    const committed = await this.#transport.committed(groupId, wanted);
    for (const partition of partitions) {
      const offset = committed.find((each) => each.partition === partition)?.offset ?? 0;
      this.#fetcher.assign(from, partition, offset);
      this.#mine.add(partition);
    }
    this.#wake();
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      const woken = new Promise<void>((resolve) => (this.#wake = resolve));
      const batches = this.#poll();
      if (batches.length === 0) {
        if (this.#stopped) return;
        await woken;
        continue;
      }
      this.#round = this.#copy(batches);
      try {
        await this.#round;
      } catch (error) {
        this.#options.onTrouble?.(error);
        await this.#recover();
      }
    }
  }

  #poll(): [number, FetchedBatch][] {
    const found: [number, FetchedBatch][] = [];
    for (const partition of this.#mine) {
      const batch = this.#fetcher.poll(this.#options.from, partition);
      if (batch !== undefined) found.push([partition, batch]);
    }
    return found;
  }

  async #copy(batches: readonly [number, FetchedBatch][]): Promise<void> {
    const { from, to } = this.#options;
    const session = this.#session as GroupSession;
    const generation = this.#generation;
    const outputs = batches
      .filter(([, { count }]) => count > 0)
      .map(([partition, batch]) => {
        const records = new RecordBatchBuilder();
        for (let i = 0; i < batch.count; i++) {
          const value = batch.bytes.subarray(batch.valueStart[i], batch.valueStart[i]! + batch.valueLength[i]!);
          records.append(batch.timestamp[i]!, null, value, []);
        }
        return { topic: to, partition, records, compression: 'none' } as const;
      });
    await session.send(outputs);
    const offsets = batches.map(([partition, { nextOffset }]) => ({ topic: from, partition, offset: nextOffset }));
    await session.commit({ generation, offsets, state: [] });
    const copied = batches.map(([partition, { baseOffset, count, offsetDelta }]): Copied => {
      return { partition, offsets: Array.from({ length: count }, (_, i) => baseOffset + offsetDelta[i]!) };
    });
    this.#options.onCommit?.(
      batches.reduce((sum, [, { count }]) => sum + count, 0),
      copied,
    );
  }

  async #recover(): Promise<void> {
    while (!this.#stopped) {
      try {
        return await this.#begin([...this.#mine]);
      } catch (error) {
        this.#options.onTrouble?.(error);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
  }
}

const number = (id: string): number => Number(id.split('/')[1]);

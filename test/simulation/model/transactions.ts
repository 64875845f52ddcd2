import type { Clock } from '../../../src/dataflow/clock.ts';
import type { Random } from '../random.ts';
import type { PartitionLog } from './partition-log.ts';

type State = 'Empty' | 'Ongoing' | 'PrepareCommit' | 'PrepareAbort' | 'CompleteCommit' | 'CompleteAbort';

interface Transaction {
  readonly producerId: bigint;
  epoch: number;
  state: State;
  timeoutMs: number;
  readonly partitions: Map<string, PartitionLog>;
  readonly groups: Set<string>;
  cancel: () => void;
}

/** What ends with a transaction beside records. */
export interface PendingOffsets {
  end(groupId: string, producerId: bigint, commit: boolean): void;
}

export interface Init {
  readonly errorCode: number;
  readonly producerId: bigint;
  readonly producerEpoch: number;
}

/** The coordinator of transactions. Markers reach partitions one by one, some time after the end was decided. */
export class Transactions {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #offsets: PendingOffsets;
  readonly #known = new Map<string, Transaction>();
  /** The longest that a marker takes, in ms. */
  markerMs = 5;
  /** What happened. */
  readonly counts = { committed: 0, aborted: 0, expired: 0, fenced: 0 };
  #ids = 0n;

  constructor(clock: Clock, random: Random, offsets: PendingOffsets) {
    this.#clock = clock;
    this.#random = random;
    this.#offsets = offsets;
  }

  init(id: string | null, timeoutMs: number): Init {
    if (id === null) return { errorCode: 0, producerId: ++this.#ids, producerEpoch: 0 };
    const known = this.#known.get(id);
    if (known === undefined) {
      const made: Transaction = {
        producerId: ++this.#ids,
        epoch: 0,
        state: 'Empty',
        timeoutMs,
        partitions: new Map(),
        groups: new Set(),
        cancel: () => undefined,
      };
      this.#known.set(id, made);
      return { errorCode: 0, producerId: made.producerId, producerEpoch: 0 };
    }
    if (known.state === 'Ongoing') this.#fence(known);
    if (isEnding(known)) return { errorCode: 51, producerId: -1n, producerEpoch: -1 };
    known.epoch += 1;
    known.timeoutMs = timeoutMs;
    known.state = 'Empty';
    return { errorCode: 0, producerId: known.producerId, producerEpoch: known.epoch };
  }

  /** What is wrong with a request of a producer. */
  #check(id: string, producerId: bigint, epoch: number): { readonly code: number; readonly known?: Transaction } {
    const known = this.#known.get(id);
    if (known === undefined || known.producerId !== producerId) return { code: 49 };
    if (known.epoch !== epoch) return { code: 90 };
    return { code: 0, known };
  }

  add(
    id: string,
    producerId: bigint,
    epoch: number,
    partitions: ReadonlyMap<string, PartitionLog>,
    groupId?: string,
  ): number {
    const { code, known } = this.#check(id, producerId, epoch);
    if (known === undefined) return code;
    if (isEnding(known)) return 51;
    if (known.state !== 'Ongoing') {
      known.partitions.clear();
      known.groups.clear();
      known.state = 'Ongoing';
      known.cancel = this.#clock.after(known.timeoutMs, () => {
        this.counts.expired += 1;
        this.#fence(known);
      });
    }
    for (const [name, log] of partitions) known.partitions.set(name, log);
    if (groupId !== undefined) known.groups.add(groupId);
    return 0;
  }

  /** Whether a producer may write to a partition as a part of its transaction; codes as for `Produce`. */
  verify(
    id: string | null,
    producerId: bigint,
    epoch: number,
    part: { readonly partition?: string; readonly group?: string },
  ): number {
    if (id === null) return 48;
    const { code, known } = this.#check(id, producerId, epoch);
    if (known === undefined) return code === 90 ? 47 : code;
    if (isEnding(known)) return part.group === undefined ? 19 : 15;
    const there =
      part.group === undefined ? known.partitions.has(part.partition as string) : known.groups.has(part.group);
    return known.state === 'Ongoing' && there ? 0 : 48;
  }

  end(id: string, producerId: bigint, epoch: number, commit: boolean): number {
    const { code, known } = this.#check(id, producerId, epoch);
    if (known === undefined) return code;
    if (known.state === 'Ongoing') {
      this.#end(known, commit);
      return 0;
    }
    if (known.state === (commit ? 'CompleteCommit' : 'CompleteAbort')) return 0;
    if (known.state === (commit ? 'PrepareCommit' : 'PrepareAbort')) return 51;
    return 48;
  }

  state(id: string): State | undefined {
    return this.#known.get(id)?.state;
  }

  /** Whether the end of any is decided and not known everywhere yet. */
  get ending(): boolean {
    return [...this.#known.values()].some(isEnding);
  }

  #fence(known: Transaction): void {
    known.epoch += 1;
    this.counts.fenced += 1;
    this.#end(known, false);
  }

  #end(known: Transaction, commit: boolean): void {
    known.cancel();
    known.state = commit ? 'PrepareCommit' : 'PrepareAbort';
    this.counts[commit ? 'committed' : 'aborted'] += 1;
    const { epoch, groups, partitions, producerId } = known;
    const marks = [
      ...Array.from(
        partitions.values(),
        (log) => () => log.mark(producerId, epoch, commit ? 'commit' : 'abort', this.#clock.now()),
      ),
      ...Array.from(groups, (groupId) => () => this.#offsets.end(groupId, producerId, commit)),
    ];
    let left = marks.length;
    const done = (): void => {
      known.state = commit ? 'CompleteCommit' : 'CompleteAbort';
    };
    if (left === 0) done();
    for (const mark of marks) {
      this.#clock.after(this.#random.next() * this.markerMs, () => {
        mark();
        left -= 1;
        if (left === 0) done();
      });
    }
  }
}

const isEnding = ({ state }: Transaction): boolean => state === 'PrepareCommit' || state === 'PrepareAbort';

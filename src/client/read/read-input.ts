import type { TopicUse } from '../../dataflow/node.ts';
import type { FetchedBatch, OffsetOrigin } from '../../log/transport.ts';
import { isAnnouncement } from '../../protocol/time-announcement.ts';

/** One partition that a subscription reads. */
export class ReadInput {
  readonly use: TopicUse;
  readonly topic: string;
  readonly partition: number;
  /** The topic that the offsets belong to; `undefined` if unknown. */
  readonly topicId: string | undefined;
  /** Leader epoch of the record before the position, on logs whose leaders change. */
  leaderEpoch: number | undefined;
  /** Offset before which reading ends; infinity if it does not end. */
  readonly end: number;
  /** Offset of the next record to deliver. */
  position: number;
  /** Offset up to which everything has been processed and may be committed. */
  processed: number;
  /** The group's committed offset; −1 if there is none yet. */
  committed: number;
  /** Whether it waits while the record at the head is being handled. */
  paused = false;
  /** Whether it belongs to this reader; a group may take it away. */
  owned = true;
  batch: FetchedBatch | undefined;
  at = 0;

  constructor(
    use: TopicUse,
    partition: number,
    position: number,
    end: number,
    committed = -1,
    { leaderEpoch, topicId }: OffsetOrigin = {},
  ) {
    this.topicId = topicId;
    this.leaderEpoch = leaderEpoch;
    this.use = use;
    this.topic = use.name;
    this.partition = partition;
    this.position = position;
    this.processed = position;
    this.committed = committed;
    this.end = end;
  }

  get done(): boolean {
    return this.position >= this.end;
  }

  /** Offset of the record at the head; call only with a batch. */
  headOffset(): number {
    const batch = this.batch as FetchedBatch;
    return batch.baseOffset + (batch.offsetDelta[this.at] as number);
  }

  /** Takes a batch; records below the position are skipped. */
  push(batch: FetchedBatch): void {
    let at = 0;
    while (at < batch.count && batch.baseOffset + (batch.offsetDelta[at] as number) < this.position) at += 1;
    this.at = at;
    this.batch = batch;
    if (at === batch.count) this.#leave(batch.nextOffset);
    else this.#checkEnd();
    this.#passAnnouncements();
  }

  /** Moves past the record at the head. */
  advance(): void {
    this.#next();
    this.#passAnnouncements();
  }

  /** Time announcements of tasks in a shuffle topic are not records for other readers. */
  #passAnnouncements(): void {
    while (this.batch !== undefined && isAnnouncement(this.batch, this.at)) this.#next();
  }

  #next(): void {
    const batch = this.batch as FetchedBatch;
    const at = this.at + 1;
    if (at === batch.count) {
      this.#leave(batch.nextOffset);
      return;
    }
    this.position = batch.baseOffset + (batch.offsetDelta[this.at] as number) + 1;
    this.at = at;
    if (this.end !== Number.POSITIVE_INFINITY) this.#checkEnd();
  }

  /** Continues at another offset. */
  seek(offset: number): void {
    this.batch = undefined;
    this.leaderEpoch = undefined;
    this.position = offset;
    this.processed = offset;
  }

  #checkEnd(): void {
    if (this.headOffset() >= this.end) this.#leave(this.end);
  }

  #leave(position: number): void {
    this.position = Math.max(this.position, position);
    this.batch = undefined;
  }
}

import type { TopicUse } from '../../dataflow/node.ts';
import type { FetchedBatch, OffsetOrigin } from '../../log/transport.ts';
import { isAnnouncement } from '../../protocol/time-announcement.ts';

/** One partition as a subscription reads it. */
export class ReadInput {
  readonly use: TopicUse;
  readonly topic: string;
  readonly partition: number;
  /** The topic that the offsets are of; `undefined` where it is not known. */
  readonly topicId: string | undefined;
  /** Under which leader the record before the position was written, where leaders change. */
  leaderEpoch: number | undefined;
  /** Offset before which reading ends; infinity when it does not. */
  readonly end: number;
  /** Offset of the next record to hand out. */
  position: number;
  /** Offset up to which everything has been processed: what may be committed. */
  processed: number;
  /** What the group has committed; −1 when it has not yet. */
  committed: number;
  /** Something is done about the record at the head; it waits. */
  paused = false;
  /** It belongs to this reader; a group may take it away. */
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

  /** Offset of the record at the head; only with a batch. */
  headOffset(): number {
    const batch = this.batch as FetchedBatch;
    return batch.baseOffset + (batch.offsetDelta[this.at] as number);
  }

  /** Takes a batch; records below the position are passed over. */
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

  /** What tasks say of their time in a shuffle is no record for anybody else. */
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

  /** Goes on at another offset. */
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

import type { Headers, StreamRecord } from '../../record.ts';

/** A record of a group with explicit commits. @public */
export interface CommittableRecord<K, V> extends StreamRecord<K, V> {
  /**
   * Commits this record as processed, and with it all earlier records of its partition. Concurrent calls share one
   * write. Committing a record before the last committed one has no effect. After the subscription has ended, this
   * works as long as no other member reads.
   *
   * @throws MillraceError `ERR_STALE_GENERATION` if the partition has moved to another member, which will read the
   * record again.
   */
  commit(): Promise<void>;
}

/** A class, so that a record costs one object and no closure. */
export class GroupRecord implements CommittableRecord<unknown, unknown> {
  readonly key: unknown;
  readonly value: unknown;
  readonly timestamp: number;
  readonly headers: Headers;
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly #commit: (offset: number) => Promise<void>;

  constructor(record: StreamRecord<unknown, unknown>, commit: (offset: number) => Promise<void>) {
    this.key = record.key;
    this.value = record.value;
    this.timestamp = record.timestamp;
    this.headers = record.headers;
    this.topic = record.topic;
    this.partition = record.partition;
    this.offset = record.offset;
    this.#commit = commit;
  }

  commit(): Promise<void> {
    return this.#commit(this.offset + 1);
  }
}

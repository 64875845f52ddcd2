import type { Headers, StreamRecord } from '../../record.ts';

/** A record of a group whose program commits by itself. @public */
export interface CommittableRecord<K, V> extends StreamRecord<K, V> {
  /**
   * Commits that this record, and with it everything before it in its partition, has been processed. Calls of the same
   * moment share one write; a commit of an earlier record than the last one committed changes nothing. After the
   * subscription has ended it works as long as no other member reads.
   *
   * @throws MillraceError `ERR_STALE_GENERATION` when the partition was given to another member, which will read the record
   * again.
   */
  commit(): Promise<void>;
}

/** A class, so that a record costs one object and not a closure besides. */
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

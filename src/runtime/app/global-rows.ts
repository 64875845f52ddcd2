import type { GlobalRows } from '../../dataflow/global-source.ts';
import type { TopicUse } from '../../dataflow/node.ts';
import { decodeKey, decodeValue } from '../../log/decode.ts';
import type { RecordColumns } from '../../protocol/columns.ts';
import { isAnnouncement } from '../../protocol/time-announcement.ts';
import type { Serde } from '../../serdes/serde.ts';
import { type KeyId, keyId } from '../../state/key-codec.ts';

/** A snapshot of a global table in this process. @public */
export interface GlobalTableSnapshot {
  readonly name: string;
  readonly rows: number;
  /** Records without a key, since the table was loaded. */
  readonly dropped: number;
  /** Records that the policy skipped since the table was loaded. */
  readonly skipped: number;
  /** Records that went to a dead-letter topic, since the table was loaded. */
  readonly deadLettered: number;
}

/** The rows of one global table, decoded. */
export class GlobalRowMap implements GlobalRows {
  readonly use: TopicUse;
  /** Records without a key. */
  dropped = 0;
  skipped = 0;
  deadLettered = 0;
  readonly #rows = new Map<KeyId, unknown>();
  readonly #keySerde: Serde<unknown>;

  constructor(use: TopicUse) {
    this.use = use;
    this.#keySerde = use.key as Serde<unknown>;
  }

  snapshot(): GlobalTableSnapshot {
    const { deadLettered, dropped, skipped } = this;
    return { name: this.use.name, rows: this.#rows.size, dropped, skipped, deadLettered };
  }

  get(key: NonNullable<unknown>): unknown {
    return this.#rows.get(keyId(key, this.#keySerde));
  }

  /**
   * Applies the records of a batch. @param failed - Called with the error of a record that could not be decoded, and
   * its index.
   */
  apply(batch: RecordColumns, failed: (error: unknown, at: number) => void): void {
    for (let at = 0; at < batch.count; at += 1) {
      if (isAnnouncement(batch, at)) continue;
      try {
        const key = decodeKey(this.use.key, batch, at, this.use.name, true);
        if (key === null || key === undefined) {
          this.dropped += 1;
          continue;
        }
        const value = decodeValue(this.use.value, batch, at, this.use.name, true);
        if (value === null) this.#rows.delete(keyId(key, this.#keySerde));
        else this.#rows.set(keyId(key, this.#keySerde), value);
      } catch (error) {
        failed(error, at);
      }
    }
  }
}

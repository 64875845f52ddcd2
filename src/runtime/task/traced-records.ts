import type { TopicPartition } from '../../log/transport.ts';
import type { RecordColumns } from '../../protocol/columns.ts';

/** A processed record with its trace: its headers `traceparent` and `tracestate` (W3C). @public */
export interface TracedRecord extends TopicPartition {
  readonly offset: number;
  readonly traceparent: string;
  readonly tracestate: string | undefined;
}

/** The most records between two commits: as many links as a span of OpenTelemetry has, unless its limits are changed. */
const MOST = 128;
/** The header that makes a record part of a trace. */
const PARENT = 'traceparent';
const PARENT_NAME = new TextEncoder().encode(PARENT);

/** Headers may contain anything; a longer value is not a trace. */
const PARENT_BYTES = 128;
const STATE_BYTES = 512;

const TEXT = new TextDecoder();

/** Collects the records that belong to traces from the batches that tasks take, until they are committed. */
export class TracedRecords {
  readonly #listening: () => boolean;
  readonly #records = new Map<string, TracedRecord[]>();
  /** The most records of a partition. */
  #share = MOST;

  /** @param listening - Whether anybody listens; otherwise nothing is collected. */
  constructor(listening: () => boolean) {
    this.#listening = listening;
  }

  /** Called when a task has taken a batch, to process its records from `position` on. */
  see(topic: string, partition: number, position: number, batch: RecordColumns): void {
    if (batch.mayHaveHeaders === false || !this.#listening()) return;
    const key = `${topic}/${partition}`;
    const found = this.#records.get(key) ?? [];
    // Most records are in no trace, and decoding their headers would cost more than what many steps do with them.
    const next = (from: number): number => batch.nextWithHeader?.(PARENT_NAME, from) ?? from;
    for (let at = next(0); at < batch.count && found.length < this.#share; at = next(at + 1)) {
      const offset = batch.baseOffset + (batch.offsetDelta[at] as number);
      if (offset < position) continue;
      let traceparent: string | undefined;
      let tracestate: string | undefined;
      for (const [name, value] of batch.headers(at)) {
        if (name === PARENT) traceparent = textOf(value, PARENT_BYTES);
        else if (name === 'tracestate') tracestate = textOf(value, STATE_BYTES);
      }
      if (traceparent !== undefined) found.push({ topic, partition, offset, traceparent, tracestate });
    }
    if (found.length > 0) this.#records.set(key, found);
  }

  /** Begins a commit: from now on the partitions that have traces share the records between two commits evenly. */
  divide(): void {
    this.#share = Math.max(1, Math.floor(MOST / Math.max(1, this.#records.size)));
  }

  /** Takes out the records before an offset that is committed now. */
  take(topic: string, partition: number, offset: number): readonly TracedRecord[] {
    const key = `${topic}/${partition}`;
    const found = this.#records.get(key);
    if (found === undefined) return [];
    const rest = found.filter((record) => record.offset >= offset);
    if (rest.length > 0) this.#records.set(key, rest);
    else this.#records.delete(key);
    return found.filter((record) => record.offset < offset);
  }

  /** Discards the records of a partition that is now read from another offset. */
  forget(topic: string, partition: number): void {
    this.#records.delete(`${topic}/${partition}`);
  }
}

function textOf(value: Uint8Array | null, most: number): string | undefined {
  return value === null || value.length > most ? undefined : TEXT.decode(value);
}

import type { Target } from '../dataflow/target.ts';
import { isAnnouncement } from '../protocol/time-announcement.ts';
import { makeRecord, type StreamRecord } from '../record.ts';
import type { Serde } from '../serdes/serde.ts';
import type { MemoryLog } from '../transports/memory/memory-log.ts';

/** Reads a topic from where it stopped the last time. */
export class TopicReader {
  readonly #log: MemoryLog;
  readonly #topic: string;
  readonly #positions: number[] = [];

  constructor(log: MemoryLog, topic: string) {
    this.#log = log;
    this.#topic = topic;
  }

  read<K, V>(topic: Pick<Target<K, V>, 'key' | 'value'>): StreamRecord<K, V | null>[] {
    const records: StreamRecord<K, V | null>[] = [];
    const partitions = this.#log.describe(this.#topic)?.partitions ?? 0;
    for (let partition = 0; partition < partitions; partition += 1) {
      let position = this.#positions[partition] ?? 0;
      for (;;) {
        const batch = this.#log.read(this.#topic, partition, position);
        if (batch === undefined) break;
        const { bytes, keyLength, keyStart, offsetDelta, timestamp, valueLength, valueStart } = batch;
        for (let at = 0; at < batch.count; at += 1) {
          const offset = batch.baseOffset + (offsetDelta[at] as number);
          if (offset < position || isAnnouncement(batch, at)) continue;
          const key = decode(topic.key, bytes, keyStart[at] as number, keyLength[at] as number);
          const value = decode(topic.value, bytes, valueStart[at] as number, valueLength[at] as number);
          const time = timestamp[at] as number;
          records.push(makeRecord(key as K, value, time, batch.headers(at), this.#topic, partition, offset));
        }
        position = batch.nextOffset;
      }
      this.#positions[partition] = position;
    }
    return records;
  }
}

function decode<T>(serde: Serde<T> | undefined, bytes: Uint8Array, start: number, length: number): T | null {
  if (serde === undefined || length < 0) return null;
  return serde.deserialize(bytes.slice(start, start + length));
}

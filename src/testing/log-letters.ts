import type { Awaitable } from '../log/awaitable.ts';
import { type DeadLetter, type LetterLimits, limitsOf } from '../log/dead-letter.ts';
import type { Letters } from '../log/letter-sender.ts';
import type { TopicDescription } from '../log/transport.ts';
import type { DeadLetterPolicy } from '../options/record-policy.ts';
import { RecordBatchBuilder } from '../protocol/batch-builder.ts';
import type { MemoryLog } from '../transports/memory/index.ts';

/** Writes dead letters straight into a log. */
export class LogLetters implements Letters {
  readonly #log: MemoryLog;

  constructor(log: MemoryLog) {
    this.#log = log;
  }

  send({ deadLetter: topic }: DeadLetterPolicy, make: (limits: LetterLimits) => DeadLetter): Awaitable<void> {
    const { headers, key, timestamp, value } = make(limitsOf(this.#log.describe(topic) as TopicDescription));
    const records = new RecordBatchBuilder();
    records.append(timestamp, key, value, headers);
    this.#log.append([this.#log.prepare({ topic, partition: 0 }, records)]);
  }

  close(): void {
    // Nothing is in progress.
  }
}

import type { Headers } from '../record.ts';
import { bytes } from '../serdes/index.ts';
import type { MemoryLog } from '../transports/memory/memory-log.ts';
import { TopicReader } from './topic-reader.ts';

/** A record that a policy has written to a dead-letter topic. @public */
export interface TestDeadLetter {
  /** The dead-letter topic. */
  readonly topic: string;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  /** When it failed, by the virtual clock. */
  readonly timestamp: number;
  readonly headers: Headers;
  /** Code of the error, such as `ERR_DECODE`. */
  readonly code: string;
  readonly message: string;
  /** The step that failed. */
  readonly step: string;
  /** The record that failed; `undefined` for a kept row, such as that of a window. */
  readonly origin: { readonly topic: string; readonly partition: number; readonly offset: number } | undefined;
}

/** All letters in a topic. */
export function deadLettersIn(log: MemoryLog, topic: string): TestDeadLetter[] {
  const raw = new TopicReader(log, topic).read({ key: bytes(), value: bytes() });
  return raw.map(({ headers, key, timestamp, value }) => {
    const text = (name: string): string | undefined => {
      const found = headers.find(([each]) => each === `millrace.${name}`)?.[1];
      return found ? new TextDecoder().decode(found) : undefined;
    };
    const from = text('origin.topic');
    const [partition, offset] = [Number(text('origin.partition')), Number(text('origin.offset'))];
    const origin = from === undefined ? undefined : { topic: from, partition, offset };
    const [code = '', message = '', step = ''] = [text('error.code'), text('error.message'), text('step')];
    return { topic, key, value, timestamp, headers, code, message, step, origin };
  });
}

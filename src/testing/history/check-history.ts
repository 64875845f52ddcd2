import type { Anomaly, HistoryEvent, PublishedEvent, ReadEvent } from './events.ts';
import { HistoryIndex, recordKey, type Session, type Write } from './history-index.ts';

/**
 * Checks what was published, processed and read, and reports anything that a log or an application must not do. It
 * knows nothing about Millrace: the history can be that of any application on any log with topics, partitions and
 * offsets.
 *
 * Ids identify the records of a topic. Missing information is not held against a history: without the offsets of
 * acknowledgements nothing is known about records that readers have passed, and without writers nothing about order.
 * Leave out topics that are compacted or whose old records were removed: they lose records intentionally.
 *
 * @param events - The events, in the order in which they became known.
 * @returns the anomalies, each with the fewest events that show it; empty if the history is correct.
 *
 * @example
 * ```ts
 * import { checkHistory } from 'millrace/testing';
 *
 * const anomalies = checkHistory([
 *   { type: 'published', topic: 'orders', id: 'a', partition: 0, offset: 0 },
 *   { type: 'published', topic: 'orders', id: 'b', partition: 0, offset: 1 },
 *   { type: 'published', topic: 'orders', id: 'c', outcome: 'failed' },
 *   { type: 'read', topic: 'orders', partition: 0, offset: 1, id: 'b' },
 *   { type: 'read', topic: 'orders', partition: 0, offset: 2, id: 'c' },
 * ]);
 * for (const { kind, message } of anomalies) console.log(`${kind}: ${message}`);
 * // => lost write: a was acknowledged at orders/0@0, and reader has read on to 1 without it
 * // => aborted read: c was read at orders/0@2, and its writing had failed
 * ```
 * @public
 */
export function checkHistory(events: Iterable<HistoryEvent>): Anomaly[] {
  const all = [...events];
  const index = new HistoryIndex(all);
  return [
    ...missing(index),
    ...duplicates(index),
    ...committedTwice(all),
    ...unwritten(index),
    ...inconsistent(all, index),
    ...[...index.partitions.values()].flatMap((partition) => partition.sessions.flatMap(goneBack)),
    ...disorder(all, index),
  ];
}

const place = ({ offset, partition, topic }: Pick<ReadEvent, 'topic' | 'partition' | 'offset'>): string =>
  `${topic}/${partition}@${offset}`;

const nameOf = ({ reader = 'reader' }: ReadEvent): string => reader;

/** Acknowledged records that nobody has received. */
function missing(index: HistoryIndex): Anomaly[] {
  const anomalies: Anomaly[] = [];
  const read = new Set(
    [...index.partitions.values()].flatMap(({ sessions, topic }) => (sessions.length > 0 ? topic : [])),
  );
  for (const write of index.writes.values()) {
    const { event, id, outcome, topic } = write;
    if (outcome !== 'ok') continue;
    const lost = event.type === 'published' ? passed(event, index) : undefined;
    const seen = index.reads.has(recordKey(topic, id));
    if (lost !== undefined) anomalies.push(lost);
    else if (!seen && read.has(topic)) {
      anomalies.push({
        kind: 'unseen',
        topic,
        message: `${id} was acknowledged, and nobody has read it`,
        evidence: [event],
      });
    }
  }
  return anomalies;
}

/** The proof that a record at a known place was skipped. */
function passed(event: PublishedEvent, index: HistoryIndex): Anomaly | undefined {
  const { id, offset, partition, topic } = event;
  if (offset === undefined || partition === undefined) return undefined;
  const { processed, sessions } = index.partition(topic, partition);
  const at = `${id} was acknowledged at ${place({ topic, partition, offset })}`;
  if (!index.reads.has(recordKey(topic, id))) {
    const later = sessions.filter(({ from }) => from <= offset).flatMap(({ reads }) => nextAfter(reads, offset) ?? []);
    const next = later.sort((left, right) => left.offset - right.offset)[0];
    if (next !== undefined) {
      const message = `${at}, and ${nameOf(next)} has read on to ${next.offset} without it`;
      return { kind: 'lost write', topic, message, evidence: [event, next] };
    }
  }
  if (processed.has(offset)) return undefined;
  const next = nextAfter([...processed.values()], offset);
  if (next === undefined) return undefined;
  const message = `${at}, and ${next.by ?? 'the application'} has processed ${next.offset} without it`;
  return { kind: 'lost write', topic, message, evidence: [event, next] };
}

function nextAfter<E extends { readonly offset: number }>(events: readonly E[], offset: number): E | undefined {
  return events.reduce<E | undefined>((next, event) => {
    return event.offset > offset && (next === undefined || event.offset < next.offset) ? event : next;
  }, undefined);
}

function duplicates(index: HistoryIndex): Anomaly[] {
  return [...index.reads.values()].flatMap((reads): Anomaly[] => {
    const [first, second] = reads;
    if (first === undefined || second === undefined) return [];
    const message = `${first.id} was read at ${reads.map(place).join(' and ')}`;
    return [{ kind: 'duplicate', topic: first.topic, message, evidence: [first, second] }];
  });
}

/** Inputs whose processing was committed twice. */
function committedTwice(events: readonly HistoryEvent[]): Anomaly[] {
  const anomalies: Anomaly[] = [];
  const done = new Map<string, HistoryEvent>();
  for (const event of events) {
    if (event.type !== 'processed' || (event.outcome ?? 'ok') !== 'ok') continue;
    const before = done.get(place(event));
    if (before === undefined) done.set(place(event), event);
    else {
      const message = `the processing of ${place(event)} was committed twice`;
      anomalies.push({ kind: 'duplicate', topic: event.topic, message, evidence: [before, event] });
    }
  }
  return anomalies;
}

/** Records that were read but should not exist. */
function unwritten(index: HistoryIndex): Anomaly[] {
  return [...index.reads.entries()].flatMap(([key, [read]]): Anomaly[] => {
    if (read === undefined || !index.written.has(read.topic)) return [];
    const { id, topic } = read;
    const write: Write | undefined = index.writes.get(key);
    const was = `${id} was read at ${place(read)}, and`;
    if (write === undefined) return [{ kind: 'invented', topic, message: `${was} nobody wrote it`, evidence: [read] }];
    if (write.outcome !== 'failed') return [];
    return [{ kind: 'aborted read', topic, message: `${was} its writing had failed`, evidence: [write.event, read] }];
  });
}

/** Offsets at which two different records were seen. */
function inconsistent(events: readonly HistoryEvent[], index: HistoryIndex): Anomaly[] {
  const told = new Set<string>();
  return events.flatMap((event): Anomaly[] => {
    const seen = event.type === 'read' || (event.type === 'published' && (event.outcome ?? 'ok') === 'ok');
    if (!seen || event.partition === undefined || event.offset === undefined) return [];
    const { id, offset, partition, topic } = event as ReadEvent;
    const first = index.partition(topic, partition).at.get(offset);
    const where = place({ topic, partition, offset });
    if (first === undefined || first.id === id || told.has(where)) return [];
    told.add(where);
    const message = `${first.id} and ${id} were both at ${where}`;
    return [{ kind: 'inconsistent offsets', topic, message, evidence: [first.event, event] }];
  });
}

/** Places where a reader went back without having been reassigned. */
function goneBack({ reads }: Session): Anomaly[] {
  return reads.flatMap((event, at): Anomaly[] => {
    const before = reads[at - 1];
    if (before === undefined || event.offset > before.offset) return [];
    const how = event.offset === before.offset ? 'again' : `after ${before.offset}`;
    const message = `${nameOf(event)} read ${place(event)} ${how}, without having begun again`;
    return [{ kind: 'non-monotonic poll', topic: event.topic, message, evidence: [before, event] }];
  });
}

/** Records of one writer and one key or partition whose order in the log is reversed. */
function disorder(events: readonly HistoryEvent[], index: HistoryIndex): Anomaly[] {
  const anomalies: Anomaly[] = [];
  const last = new Map<string, { readonly write: PublishedEvent; readonly read: ReadEvent }>();
  for (const write of events) {
    if (write.type !== 'published' || write.writer === undefined || (write.outcome ?? 'ok') !== 'ok') continue;
    const { key, topic, writer } = write;
    const reads = index.reads.get(recordKey(topic, write.id)) ?? [];
    const [read] = reads;
    if (read === undefined || reads.length > 1 || index.writes.get(recordKey(topic, write.id))?.again === true)
      continue;
    const line = JSON.stringify([writer, topic, read.partition, key ?? null]);
    const before = last.get(line);
    if (before !== undefined && before.read.offset > read.offset) {
      const [one, other] = [place(before.read), place(read)];
      const message = `${writer} wrote ${before.write.id} before ${write.id}, and they are at ${one} and ${other}`;
      anomalies.push({ kind: 'order violated', topic, message, evidence: [before.write, write, read, before.read] });
    } else last.set(line, { write, read });
  }
  return anomalies;
}

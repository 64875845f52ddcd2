import { checkEvents } from './check-events.ts';
import type { Anomaly, HistoryEvent, HistoryId, PublishedEvent, ReadEvent } from './events.ts';
import { HistoryIndex, type Placed, recordKey, type Session, samePlace, type Write } from './history-index.ts';

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
 * @throws ConfigError `ERR_OPTION` for an event without what its type needs.
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
  const all = checkEvents(events);
  const index = new HistoryIndex(all);
  const anomalies = [
    ...missing(index),
    ...duplicates(index),
    ...committedTwice(all),
    ...unwritten(index),
    ...inconsistent(all, index),
    ...[...index.partitions.values()].flatMap((partition) => partition.sessions.flatMap(goneBack)),
    ...disorder(all, index),
  ];
  return anomalies.length === 0 ? [] : inOrderOf(all, anomalies);
}

/** Anomalies with their evidence in the order of the history. */
function inOrderOf(events: readonly HistoryEvent[], anomalies: readonly Anomaly[]): Anomaly[] {
  const places = new Map(events.map((event, at) => [event, at]));
  const at = (event: HistoryEvent): number => places.get(event) ?? 0;
  return anomalies.map((anomaly) => ({
    ...anomaly,
    evidence: anomaly.evidence.toSorted((one, other) => at(one) - at(other)),
  }));
}

const place = ({ offset, partition, topic }: Pick<ReadEvent, 'topic' | 'partition' | 'offset'>): string =>
  `${topic}/${partition}@${offset}`;

const nameOf = ({ reader = 'reader' }: ReadEvent): string => reader;

/** Acknowledged records that were passed over, or that nobody has received. */
function missing(index: HistoryIndex): Anomaly[] {
  const anomalies: Anomaly[] = [];
  const partitions = [...index.partitions.values()];
  const read = new Set(partitions.flatMap(({ sessions, topic }) => (sessions.length > 0 ? topic : [])));
  const worked = new Set(partitions.flatMap(({ processed, topic }) => (processed.size > 0 ? topic : [])));
  for (const { event, id, outcome, topic } of index.writes.values()) {
    if (outcome !== 'ok') continue;
    const lost = event.type === 'published' ? passed(event, index) : undefined;
    const unseen = (what: string): void => {
      const message = `${id} was acknowledged, and nobody has ${what} it`;
      anomalies.push({ kind: 'unseen', topic, message, evidence: [event] });
    };
    if (lost !== undefined) anomalies.push(lost);
    else if (read.has(topic)) {
      if (!index.reads.has(recordKey(topic, id))) unseen('read');
    } else if (event.type === 'published' && worked.has(topic) && isUnprocessed(event, index)) unseen('processed');
  }
  return anomalies;
}

function isUnprocessed({ offset, partition, topic }: PublishedEvent, index: HistoryIndex): boolean {
  if (offset === undefined || partition === undefined) return false;
  return !index.partition(topic, partition).processed.has(offset);
}

/** The proof that a reader, or the application, has skipped a record at a known place. */
function passed(event: PublishedEvent, index: HistoryIndex): Anomaly | undefined {
  const { id, offset, partition, topic } = event;
  if (offset === undefined || partition === undefined) return undefined;
  const { processed, sessions } = index.partition(topic, partition);
  const at = `${id} was acknowledged at ${place({ topic, partition, offset })}`;
  const reads = index.reads.get(recordKey(topic, id));
  // Without assignments, another reader may have had the partition in between.
  const later = sessions
    .filter(({ begun }) => begun !== undefined || reads === undefined)
    .filter(({ from, highest, offsets }) => from <= offset && highest > offset && !offsets.has(offset))
    .flatMap((session) => nextAfter(session.reads, offset) ?? []);
  const next = later.sort((left, right) => left.offset - right.offset)[0];
  // What was read only at another place is a duplicate.
  const elsewhere = reads !== undefined && !reads.some((read) => samePlace(read, { partition, offset }));
  if (next !== undefined && !elsewhere) {
    const message = `${at}, and ${nameOf(next)} has read on to ${next.offset} without it`;
    return { kind: 'lost write', topic, message, evidence: [event, next] };
  }
  if (processed.has(offset)) return undefined;
  const beyond = nextAfter([...processed.values()], offset);
  if (beyond === undefined) return undefined;
  const message = `${at}, and ${beyond.by ?? 'the application'} has processed ${beyond.offset} without it`;
  return { kind: 'lost write', topic, message, evidence: [event, beyond] };
}

function nextAfter<E extends { readonly offset: number }>(events: readonly E[], offset: number): E | undefined {
  return events.reduce<E | undefined>((next, event) => {
    return event.offset > offset && (next === undefined || event.offset < next.offset) ? event : next;
  }, undefined);
}

/** Records at two places, of which an acknowledgement may name one. */
function duplicates(index: HistoryIndex): Anomaly[] {
  const records = new Map<string, { readonly topic: string; readonly id: HistoryId }>();
  for (const [key, [first]] of index.reads) if (first !== undefined) records.set(key, first);
  for (const [key, write] of index.writes) if (write.acknowledged.length > 0) records.set(key, write);
  return Array.from(records.values()).flatMap(({ id, topic }): Anomaly[] => {
    const places = index.placesOf(topic, id);
    const [first, second] = places;
    if (first === undefined || second === undefined) return [];
    const said = (type: HistoryEvent['type'], what: string): string[] => {
      const of = places.filter((event) => event.type === type).map((event) => place(event));
      return of.length === 0 ? [] : [`${what} at ${of.join(' and ')}`];
    };
    const message = `${id} was ${[...said('published', 'acknowledged'), ...said('read', 'read')].join(' and ')}`;
    return [{ kind: 'duplicate', topic, message, evidence: [first, second] }];
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
function goneBack({ begun, from, reads }: Session): Anomaly[] {
  return reads.flatMap((event, at): Anomaly[] => {
    const before = reads[at - 1];
    const what = `${nameOf(event)} read ${place(event)}`;
    if (before === undefined) {
      if (begun === undefined || event.offset >= from) return [];
      const message = `${what}, and had begun at ${from}`;
      return [{ kind: 'non-monotonic poll', topic: event.topic, message, evidence: [begun, event] }];
    }
    if (event.offset > before.offset) return [];
    const how = event.offset === before.offset ? 'again' : `after ${before.offset}`;
    const message = `${what} ${how}, without being assigned again`;
    return [{ kind: 'non-monotonic poll', topic: event.topic, message, evidence: [before, event] }];
  });
}

/** Records of one writer and one key or partition whose order in the log is reversed. */
function disorder(events: readonly HistoryEvent[], index: HistoryIndex): Anomaly[] {
  const anomalies: Anomaly[] = [];
  type At = Placed<PublishedEvent | ReadEvent>;
  const last = new Map<string, { readonly write: PublishedEvent; readonly at: At }>();
  for (const write of events) {
    if (write.type !== 'published' || write.writer === undefined || (write.outcome ?? 'ok') !== 'ok') continue;
    const { id, key, topic, writer } = write;
    const [found, second] = index.placesOf(topic, id);
    if (found === undefined || second !== undefined || index.writes.get(recordKey(topic, id))?.again === true) continue;
    // Its own acknowledgement is the shortest proof of where it is.
    const at: At = write.partition !== undefined && write.offset !== undefined ? (write as At) : found;
    const line = JSON.stringify([writer, topic, at.partition, key ?? null]);
    const before = last.get(line);
    if (before !== undefined && before.at.offset > at.offset) {
      const [one, other] = [place(before.at), place(at)];
      const message = `${writer} wrote ${before.write.id} before ${id}, and they are at ${one} and ${other}`;
      const evidence = [...new Set([before.write, write, before.at, at])];
      anomalies.push({ kind: 'order violated', topic, message, evidence });
    } else last.set(line, { write, at });
  }
  return anomalies;
}

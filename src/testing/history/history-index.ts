import type {
  AssignedEvent,
  HistoryEvent,
  HistoryId,
  Outcome,
  ProcessedEvent,
  PublishedEvent,
  ReadEvent,
} from './events.ts';

/** A write of a record according to the history. */
export interface Write {
  readonly topic: string;
  readonly id: HistoryId;
  /** The final outcome: a retried record may fail first. */
  outcome: Outcome;
  event: PublishedEvent | ProcessedEvent;
  /** Whether it was tried more than once: its place in the order of its writer is then unknown. */
  again: boolean;
  /** Acknowledgements that named a place, one for each place. */
  readonly acknowledged: Placed<PublishedEvent>[];
}

/** An event that says where a record is. */
export type Placed<E extends PublishedEvent | ReadEvent> = E & { readonly partition: number; readonly offset: number };

/** Where records were seen in one partition. */
export interface Partition {
  readonly topic: string;
  readonly partition: number;
  /** The first event that saw a record at an offset. */
  readonly at: Map<number, { readonly id: HistoryId; readonly event: PublishedEvent | ReadEvent }>;
  readonly processed: Map<number, ProcessedEvent>;
  /** For each reader, the offset at which it started and what it has read since. */
  readonly sessions: Session[];
}

/** What a reader did between two assignments. */
export interface Session {
  readonly from: number;
  /** `undefined` for a reader that is not known to have been assigned. */
  readonly begun: AssignedEvent | undefined;
  readonly reads: ReadEvent[];
  readonly offsets: Set<number>;
  highest: number;
}

/** A history, indexed for the checks. */
export class HistoryIndex {
  readonly writes: Map<string, Write> = new Map();
  readonly partitions: Map<string, Partition> = new Map();
  /** Reads of a record by its topic and id, one for each place. */
  readonly reads: Map<string, ReadEvent[]> = new Map();
  /** Topics whose writes are part of the history. */
  readonly written: Set<string> = new Set();
  readonly #sessions = new Map<string, Session>();

  constructor(events: Iterable<HistoryEvent>) {
    for (const event of events) this.#add(event);
  }

  /** Where a record is, by reads and by acknowledgements; one event for each place. */
  placesOf(topic: string, id: HistoryId): Placed<PublishedEvent | ReadEvent>[] {
    const key = recordKey(topic, id);
    const reads = this.reads.get(key) ?? [];
    // What an acknowledgement says is doubtful where another record was seen.
    const acknowledged = (this.writes.get(key)?.acknowledged ?? []).filter(
      ({ offset, partition }) => this.partition(topic, partition).at.get(offset)?.id === id,
    );
    return [...reads, ...acknowledged.filter((event) => !reads.some((read) => samePlace(read, event)))];
  }

  partition(topic: string, partition: number): Partition {
    const key = `${topic}/${partition}`;
    let found = this.partitions.get(key);
    if (found === undefined) {
      found = { topic, partition, at: new Map(), processed: new Map(), sessions: [] };
      this.partitions.set(key, found);
    }
    return found;
  }

  #add(event: HistoryEvent): void {
    if (event.type === 'published') this.#published(event);
    else if (event.type === 'processed') this.#processed(event);
    else if (event.type === 'assigned') this.#begin(event.reader, event, event);
    else this.#read(event);
  }

  #published(event: PublishedEvent): void {
    const { id, offset, outcome = 'ok', partition, topic } = event;
    this.#write(topic, id, outcome, event);
    if (outcome !== 'ok' || partition === undefined || offset === undefined) return;
    const { at } = this.partition(topic, partition);
    if (!at.has(offset)) at.set(offset, { id, event });
    const { acknowledged } = this.writes.get(recordKey(topic, id)) as Write;
    if (!acknowledged.some((other) => samePlace(other, { partition, offset })))
      acknowledged.push(event as Placed<PublishedEvent>);
  }

  #processed(event: ProcessedEvent): void {
    const { offset, outcome = 'ok', outputs = [], partition, topic } = event;
    for (const { id, topic: to } of outputs) this.#write(to, id, outcome, event);
    const { processed } = this.partition(topic, partition);
    if (outcome === 'ok' && !processed.has(offset)) processed.set(offset, event);
  }

  #write(topic: string, id: HistoryId, outcome: Outcome, event: PublishedEvent | ProcessedEvent): void {
    this.written.add(topic);
    const key = recordKey(topic, id);
    const known = this.writes.get(key);
    if (known === undefined) {
      this.writes.set(key, { topic, id, outcome, event, again: false, acknowledged: [] });
      return;
    }
    known.again = true;
    if (RANK[outcome] < RANK[known.outcome]) {
      known.outcome = outcome;
      known.event = event;
    }
  }

  #read(event: ReadEvent): void {
    const { id, offset, partition, reader = 'reader', topic } = event;
    const { at } = this.partition(topic, partition);
    if (!at.has(offset)) at.set(offset, { id, event });
    const session = this.#sessions.get(sessionKey(reader, event)) ?? this.#begin(reader, { ...event, offset: 0 });
    session.reads.push(event);
    session.offsets.add(offset);
    session.highest = Math.max(session.highest, offset);
    const key = recordKey(topic, id);
    const places = this.reads.get(key);
    if (places === undefined) this.reads.set(key, [event]);
    else if (!places.some((other) => samePlace(other, event))) places.push(event);
  }

  #begin(reader: string, at: Pick<AssignedEvent, 'topic' | 'partition' | 'offset'>, begun?: AssignedEvent): Session {
    const session: Session = { from: at.offset, begun, reads: [], offsets: new Set(), highest: -1 };
    this.#sessions.set(sessionKey(reader, at), session);
    this.partition(at.topic, at.partition).sessions.push(session);
    return session;
  }
}

/** The rank of outcomes for a record that was tried more than once: it exists if any try was acknowledged. */
const RANK: Readonly<Record<Outcome, number>> = { ok: 0, unknown: 1, failed: 2 };

interface Place {
  readonly partition: number;
  readonly offset: number;
}

export function samePlace(one: Place, other: Place): boolean {
  return one.partition === other.partition && one.offset === other.offset;
}

/** The ids `1` and `'1'` are different. */
export function recordKey(topic: string, id: HistoryId): string {
  return JSON.stringify([topic, id]);
}

function sessionKey(reader: string, { partition, topic }: Pick<AssignedEvent, 'topic' | 'partition'>): string {
  return JSON.stringify([reader, topic, partition]);
}

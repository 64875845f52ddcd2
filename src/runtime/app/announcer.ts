import type { OutputTopic } from '../../log/outputs.ts';
import type { OutgoingBatch } from '../../log/transport.ts';
import type { ShuffleWriter } from '../../plan/shuffles.ts';
import type { Stage } from '../../plan/stages.ts';
import { RecordBatchBuilder } from '../../protocol/batch-builder.ts';
import {
  announcementBytes,
  encodeAnnouncement,
  type TaskTimeEntry,
  TIME_HEADER,
  tasksWithin,
} from '../../protocol/time-announcement.ts';
import type { Headers } from '../../record.ts';
import type { Task } from '../task/task.ts';

/** An announcement, as it is written to every partition of a topic. */
interface Announcement {
  readonly headers: Headers;
  readonly timestamp: number;
  readonly bytes: number;
}

/** What is flushed to a partition of a shuffle. */
interface Written {
  /** Its last batch. */
  last: OutgoingBatch;
  /** No record is older than one before it. */
  inOrder: boolean;
}

/** One task and one topic that it writes. */
interface Saying {
  readonly task: Task;
  /** The last announcement; `undefined` before the first. */
  last: TaskTimeEntry | undefined;
  /** The generation of the last announcement. */
  epoch: number;
}

/** A topic, and the tasks of one stage in this process that write it. */
interface Speakers {
  readonly topic: string;
  readonly writer: ShuffleWriter;
  sayings: readonly Saying[];
}

/** What tasks of a stage announce before and after their records. */
interface Changes {
  readonly first: readonly TaskTimeEntry[];
  readonly last: readonly TaskTimeEntry[];
}

/**
 * Announces the progress of tasks in the shuffles that they write to: after the records of each flush, and before them
 * if a task that had read its input to the end has fallen behind. Only changes are announced, for all tasks of a stage
 * together. A task that keeps up announces nothing, unless what the tasks flush is out of order because rows have waited
 * longer in one of them: then it counts as behind until all these rows have been read. In each generation of the group every task announces once before
 * its first records, because earlier announcements about it no longer count.
 */
export class Announcer {
  readonly #speakers: readonly Speakers[];
  /** The shuffles, with the number of tasks that write each. */
  readonly #topics: ReadonlyMap<string, number>;
  readonly #limits: (topic: string) => OutputTopic;
  /** Whether windows that are open at the end of the input are closed. */
  readonly #closes: boolean;
  /** Those that do not announce in this generation that their input was read to the end. */
  readonly #behind = new Set<Saying>();
  /** Tasks whose end was announced. */
  readonly #ended = new WeakSet<Task>();
  #epoch = 0;

  constructor(
    shuffles: ReadonlyMap<string, readonly ShuffleWriter[]>,
    limits: (topic: string) => OutputTopic,
    closes: boolean,
  ) {
    this.#closes = closes;
    this.#speakers = Array.from(shuffles, ([topic, writers]) => {
      return writers.map((writer): Speakers => ({ topic, writer, sayings: [] }));
    }).flat();
    this.#topics = new Map(
      Array.from(shuffles, ([topic, writers]) => [topic, writers.reduce((sum, { tasks }) => sum + tasks, 0)]),
    );
    this.#limits = limits;
  }

  /** Whether tasks of a stage announce their progress. */
  speaks(stage: Stage): boolean {
    return this.#speakers.some(({ writer }) => writer.stage === stage);
  }

  /** The current generation of the tasks; see `TaskSession`. */
  get epoch(): number {
    return this.#epoch;
  }

  /** Starts a new generation of the tasks. */
  begin(epoch: number): void {
    if (epoch === this.#epoch) return;
    this.#epoch = epoch;
    for (const { sayings } of this.#speakers) for (const saying of sayings) this.#behind.add(saying);
  }

  /** Adds a task that has started. */
  add(task: Task): void {
    for (const speakers of this.#speakers) {
      if (speakers.writer.stage !== task.stage) continue;
      const saying: Saying = { task, last: undefined, epoch: -1 };
      speakers.sayings = [...speakers.sayings, saying];
      this.#behind.add(saying);
    }
  }

  remove(task: Task): void {
    for (const speakers of this.#speakers) {
      for (const saying of speakers.sayings) if (saying.task === task) this.#behind.delete(saying);
      speakers.sayings = speakers.sayings.filter((saying) => saying.task !== task);
    }
  }

  /** Whether a task must announce that it has read its input to the end. */
  get due(): boolean {
    for (const { task } of this.#behind) if (this.#atEnd(task) && task.pendingAsync() === 0) return true;
    return false;
  }

  /**
   * Whether a task will emit nothing more for its current input. Rows that wait for the end of a bounded input are
   * still to come.
   */
  #atEnd({ reach }: Task): boolean {
    return reach.atEnd && (reach.completed || !this.#closes || !reach.holdsRows);
  }

  /** Adds the announcements of tasks to their outputs. */
  announce(outputs: readonly OutgoingBatch[]): readonly OutgoingBatch[] {
    if (this.#speakers.length === 0) return outputs;
    const before: OutgoingBatch[] = [];
    const after: OutgoingBatch[] = [];
    const written = new Map<string, Map<number, Written>>();
    for (const batch of outputs) if (this.#topics.has(batch.topic)) note(batch, written);
    for (const { sayings, topic, writer } of this.#speakers) {
      const there = written.get(topic);
      const mixed = (this.#topics.get(topic) as number) > 1 && isMixed(there);
      const kept = mixed ? this.#keepUp(sayings) : [];
      const changes = this.#changes(sayings, topic, writer);
      if (changes.first.length + changes.last.length + kept.length === 0) continue;
      const { maxMessageBytes, partitions } = this.#limits(topic);
      const say = ({ first, last }: Changes) => ({
        fallenBehind: announcements(writer, this.#epoch, first, maxMessageBytes),
        reached: announcements(writer, this.#epoch, last, maxMessageBytes),
      });
      const usual = say(changes);
      const ofMixed = kept.length === 0 ? usual : say(aroundAll(kept, changes));
      for (let partition = 0; partition < partitions; partition += 1) {
        const own = there?.get(partition);
        const { fallenBehind, reached } = own?.inOrder === false ? ofMixed : usual;
        if (own !== undefined) for (const each of fallenBehind) before.push(alone(topic, partition, each));
        for (const each of reached) {
          if (own !== undefined && own.last.records.sizeInBytes + each.bytes < maxMessageBytes) join(own.last, each);
          else after.push(alone(topic, partition, each));
        }
      }
    }
    for (const { sayings } of this.#speakers) {
      for (const { task } of sayings) if (task.reach.completed) this.#ended.add(task);
    }
    return before.length + after.length === 0 ? outputs : [...before, ...outputs, ...after];
  }

  /** The last announcements of tasks that had read their input to the end and have again, and so announce nothing themselves. */
  #keepUp(sayings: readonly Saying[]): TaskTimeEntry[] {
    const entries: TaskTimeEntry[] = [];
    for (const { epoch, last, task } of sayings) {
      const ends = task.reach.completed && !this.#ended.has(task);
      if (last?.caughtUp === true && epoch === this.#epoch && !ends && this.#atEnd(task)) entries.push(last);
    }
    return entries;
  }

  #changes(sayings: readonly Saying[], topic: string, writer: ShuffleWriter): Changes {
    const first: TaskTimeEntry[] = [];
    const last: TaskTimeEntry[] = [];
    for (const saying of sayings) {
      const { last: before, task } = saying;
      const isNew = saying.epoch !== this.#epoch;
      const known = before?.time ?? -1;
      // Results of asynchronous calls come later and may be as old as the last announcement.
      const waits = task.pendingAsync() > 0;
      const caughtUp = this.#atEnd(task) && (!waits || (before?.caughtUp === true && !isNew));
      // Rows emitted at the end of a bounded input may be as old as the records that the task has held back.
      const ends = task.reach.completed && !this.#ended.has(task);
      if (caughtUp && before?.caughtUp === true && !ends && !isNew) continue;
      const reached = waits ? known : timeOf(task, topic, writer);
      const time = Number.isFinite(reached) ? Math.max(known, reached) : known;
      const { partition } = task;
      if (ends || isNew || (!caughtUp && before?.caughtUp !== false))
        first.push({ partition, time: known, caughtUp: false });
      if (!ends && !isNew && before?.caughtUp === caughtUp && time === known) continue;
      const entry = { partition, time, caughtUp };
      last.push(entry);
      saying.last = entry;
      saying.epoch = this.#epoch;
      if (caughtUp) this.#behind.delete(saying);
      else this.#behind.add(saying);
    }
    return { first, last };
  }
}

function note(batch: OutgoingBatch, written: Map<string, Map<number, Written>>): void {
  const { partition, records, topic } = batch;
  const there = written.get(topic);
  const before = there?.get(partition);
  const follows =
    before === undefined || (before.inOrder && records.firstTimestamp >= before.last.records.maxTimestamp);
  const inOrder = follows && records.inOrder;
  if (there === undefined) written.set(topic, new Map([[partition, { last: batch, inOrder }]]));
  else there.set(partition, { last: batch, inOrder });
}

function isMixed(written: ReadonlyMap<number, Written> | undefined): boolean {
  if (written !== undefined) for (const { inOrder } of written.values()) if (!inOrder) return true;
  return false;
}

/** The changes, and tasks that keep up as if they had fallen behind in between. */
function aroundAll(kept: readonly TaskTimeEntry[], { first, last }: Changes): Changes {
  return { first: [...first, ...kept.map((entry) => ({ ...entry, caughtUp: false }))], last: [...last, ...kept] };
}

function timeOf({ reach }: Task, topic: string, { follows }: ShuffleWriter): number {
  if (follows === 'input') return reach.time;
  return follows === 'written' ? reach.written(topic) : -1;
}

/** Several announcements, if one has no room for all tasks. */
function announcements(
  { number }: ShuffleWriter,
  epoch: number,
  tasks: readonly TaskTimeEntry[],
  maxMessageBytes: number,
): Announcement[] {
  const made: Announcement[] = [];
  const most = tasksWithin(maxMessageBytes);
  for (let from = 0; from < tasks.length; from += most) {
    const some = tasks.slice(from, from + most);
    const timestamp = some.reduce((latest, { time }) => Math.max(latest, time), 0);
    const headers: Headers = [[TIME_HEADER, encodeAnnouncement({ stage: number, epoch, tasks: some })]];
    made.push({ headers, timestamp, bytes: announcementBytes(some.length) });
  }
  return made;
}

/** Appends an announcement to a batch. */
function join({ origins, records }: OutgoingBatch, { headers, timestamp }: Announcement): void {
  records.append(timestamp, null, null, headers);
  origins?.add(-1, undefined);
}

function alone(topic: string, partition: number, { bytes, headers, timestamp }: Announcement): OutgoingBatch {
  const records = new RecordBatchBuilder(bytes);
  records.append(timestamp, null, null, headers);
  return { topic, partition, records, compression: 'none' };
}

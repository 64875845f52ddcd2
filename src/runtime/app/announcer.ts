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

/**
 * Announces the progress of tasks in the shuffles that they write to: after the records of each flush, and before them
 * if a task that had read its input to the end has fallen behind. Only changes are announced, for all tasks of a stage
 * together; a task that keeps up announces nothing. In each generation of the group every task announces once before
 * its first records, because earlier announcements about it no longer count.
 */
export class Announcer {
  readonly #speakers: readonly Speakers[];
  readonly #topics: ReadonlySet<string>;
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
    this.#topics = new Set(shuffles.keys());
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
    /** The last batch of each partition. */
    const batches = new Map<string, Map<number, OutgoingBatch>>();
    for (const batch of outputs) {
      if (!this.#topics.has(batch.topic)) continue;
      const written = batches.get(batch.topic);
      if (written === undefined) batches.set(batch.topic, new Map([[batch.partition, batch]]));
      else written.set(batch.partition, batch);
    }
    for (const { sayings, topic, writer } of this.#speakers) {
      const { first, last } = this.#changes(sayings, topic, writer);
      if (first.length === 0 && last.length === 0) continue;
      const { maxMessageBytes, partitions } = this.#limits(topic);
      const fallenBehind = announcements(writer, this.#epoch, first, maxMessageBytes);
      const reached = announcements(writer, this.#epoch, last, maxMessageBytes);
      for (let partition = 0; partition < partitions; partition += 1) {
        const batch = batches.get(topic)?.get(partition);
        if (batch !== undefined) for (const each of fallenBehind) before.push(alone(topic, partition, each));
        for (const each of reached) {
          if (batch !== undefined && batch.records.sizeInBytes + each.bytes < maxMessageBytes) join(batch, each);
          else after.push(alone(topic, partition, each));
        }
      }
    }
    for (const { sayings } of this.#speakers) {
      for (const { task } of sayings) if (task.reach.completed) this.#ended.add(task);
    }
    return before.length + after.length === 0 ? outputs : [...before, ...outputs, ...after];
  }

  /** The announcements of a stage's tasks before and after their records. */
  #changes(sayings: readonly Saying[], topic: string, writer: ShuffleWriter) {
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

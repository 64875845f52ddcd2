import { describe, expect, it } from 'vitest';
import type { FetchedBatch } from '../../log/transport.ts';
import { type ShuffleWriter, stageNumber } from '../../plan/shuffles.ts';
import type { Stage } from '../../plan/stages.ts';
import { RecordBatchBuilder } from '../../protocol/batch-builder.ts';
import { encodeAnnouncement, TIME_HEADER } from '../../protocol/time-announcement.ts';
import { int32 } from '../../serdes/int32.ts';
import type { Serde } from '../../serdes/serde.ts';
import { type InputFeed, InputSet } from './input-set.ts';
import { ShuffleTime } from './shuffle-time.ts';

/** Topics whose batches and ends a test sets by hand. */
class Feed implements InputFeed {
  readonly #batches = new Map<string, FetchedBatch[]>();
  readonly ends = new Map<string, number>();
  /** Ends of what is written, where that is more than can be read. */
  readonly written = new Map<string, number>();

  put(topic: string, baseOffset: number, ...timestamps: number[]): void {
    const builder = new RecordBatchBuilder();
    for (const timestamp of timestamps) builder.append(timestamp, null, int32().serialize(timestamp), []);
    this.add(topic, builder, baseOffset, baseOffset + timestamps.length);
  }

  add(topic: string, builder: RecordBatchBuilder, baseOffset: number, end: number): void {
    const columns = Object.assign(builder.columns(baseOffset), { endOffset: end });
    this.#batches.set(topic, [...(this.#batches.get(topic) ?? []), columns]);
    this.ends.set(topic, Math.max(end, this.ends.get(topic) ?? 0));
  }

  assign(): void {}

  poll(topic: string): FetchedBatch | undefined {
    return this.#batches.get(topic)?.shift();
  }

  endOffset(topic: string): number | undefined {
    return this.ends.get(topic);
  }

  writtenEnd(topic: string): number | undefined {
    return this.written.get(topic) ?? this.ends.get(topic);
  }
}

function setOf(
  feed: Feed,
  names: readonly string[],
): { readonly set: InputSet; readonly seen: string[]; all(): string[] } {
  const seen: string[] = [];
  const uses = names.map((name) => ({ name, value: int32() as Serde<unknown> }));
  const set = new InputSet(uses, 0, new Map(), feed, (error) => {
    throw error;
  });
  for (const { name, value } of uses) {
    set.add(name, {
      key: undefined,
      value,
      tombstones: false,
      table: false,
      deliver: ({ timestamp, topic }) => void seen.push(`${topic}@${timestamp}`),
      complete: () => undefined,
    });
  }
  set.refuseAfter(Number.POSITIVE_INFINITY);
  const all = (): string[] => {
    while (set.step());
    return seen.splice(0);
  };
  return { set, seen, all };
}

describe('the inputs of a task', () => {
  it('give the lowest timestamp among the heads, ties by topic name, offsets in order (TM-4)', () => {
    const feed = new Feed();
    feed.put('b', 0, 5, 1, 9);
    feed.put('a', 0, 7, 5);
    feed.put('c', 0, 5);
    expect(setOf(feed, ['c', 'b', 'a']).all()).toEqual(['b@5', 'b@1', 'c@5', 'a@7', 'a@5', 'b@9']);
  });

  it('wait for an input that may still have data on its way (TM-5)', () => {
    const feed = new Feed();
    feed.put('a', 0, 5);
    const { all, set } = setOf(feed, ['a', 'b']);
    expect(all(), 'the end of b is unknown').toEqual([]);
    expect(set.waitingFor()).toMatch(/b\/0 from offset 0/);
    feed.ends.set('b', 1);
    expect(all(), 'b lags').toEqual([]);
    feed.put('b', 0, 3);
    expect(all()).toEqual(['b@3', 'a@5']);
    feed.put('a', 1, 4);
    expect(all(), 'a late one too, when b is caught up').toEqual(['a@4']);
    expect(set.waitingFor()).toBeUndefined();
  });

  it('wait for records of open transactions that were written before another record arrived', () => {
    const feed = new Feed();
    feed.ends.set('a', 0);
    feed.written.set('a', 2);
    feed.put('b', 0, 5, 6);
    const { all, set } = setOf(feed, ['a', 'b']);
    expect(all()).toEqual([]);
    expect(set.waitingFor()).toMatch(/a\/0 from offset 0/);
    // The first transaction ends, and others have begun in the meantime.
    feed.written.set('a', 9);
    feed.put('a', 0, 3);
    expect(all(), 'the record is there, the end of its transaction is not').toEqual(['a@3']);
    feed.put('a', 1, 4);
    feed.written.set('a', 2);
    expect(all()).toEqual(['a@4', 'b@5', 'b@6']);
  });

  it('do not wait for transactions that begin while they wait for others', () => {
    const feed = new Feed();
    feed.ends.set('a', 0);
    feed.written.set('a', 1);
    feed.put('b', 0, 5, 6);
    const { all } = setOf(feed, ['a', 'b']);
    expect(all()).toEqual([]);
    // An aborted transaction: its offsets are passed without a record.
    feed.written.set('a', 4);
    feed.add('a', new RecordBatchBuilder(), 2, 2);
    expect(all()).toEqual(['b@5', 'b@6']);
    feed.put('b', 2, 7);
    expect(all(), 'a later record waits for what had been written before it').toEqual([]);
  });

  it('do not wait for later transactions of an input whose own records keep arriving', () => {
    const feed = new Feed();
    feed.ends.set('a', 0);
    feed.written.set('a', 1);
    feed.put('b', 0, 5, 6);
    const { all } = setOf(feed, ['a', 'b']);
    expect(all()).toEqual([]);
    // It is far behind in time, and its next transaction always begins before the last one ends.
    feed.written.set('a', 2);
    feed.put('a', 0, 1);
    expect(all()).toEqual(['a@1', 'b@5', 'b@6']);
  });

  it('wait once for records that arrived together, in however many batches', () => {
    const feed = new Feed();
    feed.ends.set('a', 0);
    feed.written.set('a', 1);
    for (const offset of [0, 1, 2]) feed.put('b', offset, 5 + offset);
    const { all } = setOf(feed, ['a', 'b']);
    expect(all()).toEqual([]);
    feed.put('b', 3, 8);
    feed.written.set('a', 2);
    feed.put('a', 0, 1);
    expect(all(), 'the last one has arrived after the next transaction began').toEqual(['a@1', 'b@5', 'b@6', 'b@7']);
    feed.written.set('a', 3);
    feed.put('a', 1, 2);
    expect(all()).toEqual(['a@2', 'b@8']);
  });

  it('wait for transactions of an input that was not looked into yet when a record arrived', () => {
    const feed = new Feed();
    feed.put('b', 0, 5);
    const { all, set } = setOf(feed, ['a', 'b']);
    expect(all()).toEqual([]);
    feed.ends.set('a', 0);
    feed.written.set('a', 1);
    expect(all()).toEqual([]);
    expect(set.waitingFor()).toMatch(/a\/0 from offset 0/);
    feed.put('a', 0, 1);
    expect(all()).toEqual(['a@1', 'b@5']);
  });

  it('wait for what was written when a record arrived, also if somebody looks how far they are in between', () => {
    const feed = new Feed();
    feed.ends.set('z', 0);
    feed.written.set('z', 1);
    feed.put('b', 0, 5, 6);
    const { all, set } = setOf(feed, ['z', 'b']);
    expect(all()).toEqual([]);
    feed.written.set('z', 4);
    expect(set.readTo(() => 9)).toBe(false);
    feed.add('z', new RecordBatchBuilder(), 2, 2);
    expect(all()).toEqual(['b@5', 'b@6']);
  });

  it('do not wait when there is one input only, or when the others are caught up', () => {
    const feed = new Feed();
    feed.put('a', 0, 5);
    expect(setOf(feed, ['a']).all()).toEqual(['a@5']);
    const two = new Feed();
    two.ends.set('b', 0);
    two.put('a', 0, 5, 6);
    expect(setOf(two, ['a', 'b']).all()).toEqual(['a@5', 'a@6']);
  });

  it('hand over only offsets that moved, each once', () => {
    const feed = new Feed();
    feed.ends.set('b', 0);
    feed.put('a', 0, 5, 6);
    const { all, set } = setOf(feed, ['a', 'b']);
    expect(set.takeOffsets()).toEqual([]);
    all();
    expect(set.takeOffsets()).toEqual([{ topic: 'a', partition: 0, offset: 2 }]);
    expect(set.takeOffsets()).toEqual([]);
  });

  it('are committed up to the record after the last one, inside of a batch too', () => {
    const feed = new Feed();
    feed.put('a', 10, 5, 6, 7);
    const { set } = setOf(feed, ['a']);
    const offsets: number[] = [];
    while (set.step()) {
      // The engine rests after each turn: the record is left behind then.
      set.rest();
      offsets.push(...set.takeOffsets().map(({ offset }) => offset));
    }
    expect(offsets).toEqual([11, 12, 13]);
  });

  it('let what waits for time happen before another record sees that its limit has risen', () => {
    const stage = stageNumber('app', 'source');
    const writer: ShuffleWriter = {
      stage: { name: 'source' } as Stage,
      number: stage,
      tasks: 2,
      follows: 'input',
      alone: false,
    };
    const time = new ShuffleTime(new Map([['a', [writer]]]), new Map());
    const builder = new RecordBatchBuilder();
    const says = (at: number): void => {
      const tasks = [0, 1].map((partition) => ({ partition, time: at, caughtUp: false }));
      builder.append(at, null, null, [[TIME_HEADER, encodeAnnouncement({ stage, epoch: 0, tasks })]]);
    };
    const carries = (at: number): void => builder.append(at, null, int32().serialize(at), []);
    // Between two records of a batch, and where a batch begins and ends.
    says(1);
    for (const at of [3, 4]) carries(at);
    says(4);
    for (const at of [7, 8]) carries(at);
    says(8);
    const feed = new Feed();
    feed.add('a', builder, 0, 7);
    const { all, seen, set } = setOf(feed, ['a']);
    set.listen(time);
    set.follow = () => {
      time.risen = false;
      seen.push(`limit ${time.limit}`);
      return true;
    };
    expect(all()).toEqual(['limit 1', 'a@3', 'a@4', 'limit 4', 'a@7', 'a@8']);
    expect([time.limit, time.risen], 'what comes behind the last record is for the end of the turn').toEqual([8, true]);
    const ended = new Feed();
    ended.put('b', 0, 5);
    const other = setOf(ended, ['b']);
    other.set.listen(time);
    other.set.follow = () => false;
    expect(other.all(), 'the task has failed').toEqual([]);
  });

  it('are refused where nothing reads one of them', () => {
    const set = new InputSet(
      [{ name: 'a', value: int32() as Serde<unknown> }],
      0,
      new Map(),
      new Feed(),
      () => undefined,
    );
    expect(() => set.checkConsumed('a')).toThrow(/share\(\)/);
  });
});

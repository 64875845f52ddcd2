import { describe, expect, it } from 'vitest';
import {
  agg,
  aggregate,
  countByKey,
  joinTable,
  json,
  keyBy,
  type MillraceError,
  memoryTransport,
  type OpenTransport,
  type Pipeline,
  run,
  string,
  table,
  through,
  to,
  topic,
  tumbling,
  windowBy,
} from '../../index.ts';
import type { CommitUnit } from '../../log/transport.ts';
import { RecordBatchBuilder } from '../../protocol/batch-builder.ts';
import { memoryStores } from '../../state/memory-backend.ts';
import { TopicReader } from '../../testing/topic-reader.ts';
import { MemoryLog } from '../../transports/memory/index.ts';
import { withoutState } from './changelog.fixtures.ts';

const numbers = topic('numbers', { key: string(), value: json<number>(), partitions: 1 });
const out = topic('out', { key: string(), value: json<number>(), partitions: 1 });
const more = topic('more', { key: string(), value: json<number>(), partitions: 1 });
const counting = numbers.pipe(countByKey({ store: 'counts' }), to(out));
const shuffle = topic('shuffle', { key: string(), value: json<number>() });
const place = { topic: 'numbers', partition: 0 };

type Kind = 'state with the log' | 'changelogs, exactly once' | 'changelogs, at least once';

/** An application that is started again and again on one log. */
class Bench {
  log = new MemoryLog();
  readonly warnings: string[] = [];
  onCommit: (unit: CommitUnit) => void = () => undefined;
  /** Offsets of before this are not there any more, as after their retention. */
  #expired: string | undefined;
  readonly #kind: Kind;

  constructor(kind: Kind) {
    this.#kind = kind;
  }

  publish(count: number, name = 'numbers', from = 1000, partition = 0): void {
    this.log.create(name, { ifMissing: true });
    const batch = new RecordBatchBuilder();
    for (let i = 0; i < count; i += 1) batch.append(from + i, 'a', '1', []);
    this.log.append([this.log.prepare({ topic: name, partition }, batch)]);
  }

  expire(): void {
    this.#expired = JSON.stringify(this.log.committed('app', [place]));
  }

  set(offset: number): void {
    this.log.setCommitted('app', [{ ...place, offset }]);
  }

  committed(): number | undefined {
    return this.log.committed('app', [place])[0]?.offset;
  }

  async run(
    pipeline: Pipeline = counting,
    startFrom: 'earliest' | 'latest' = 'earliest',
  ): Promise<MillraceError | undefined> {
    const logger = {
      debug() {},
      info() {},
      warn: (_: object, message: string) => void this.warnings.push(message),
      error() {},
    };
    const app = run(pipeline, { applicationId: 'app', transport: this.#open, until: 'end', startFrom, logger });
    return app.done.then(
      () => undefined,
      (error: MillraceError) => error,
    );
  }

  last(): number | null | undefined {
    return new TopicReader(this.log, 'out').read(out).at(-1)?.value;
  }

  /** Whatever the log does not hold is gone, so that all state comes from the changelogs. */
  readonly #open: OpenTransport = async () => {
    const open =
      this.#kind === 'state with the log'
        ? memoryTransport(this.log)
        : withoutState(this.log, memoryStores(), this.#kind === 'changelogs, exactly once', (unit) =>
            this.onCommit(unit),
          );
    const transport = await open();
    return new Proxy(transport, {
      get: (target, name) => {
        const member: unknown = Reflect.get(target, name, target);
        if (name === 'committed') {
          return async (...[group, places]: Parameters<typeof target.committed>) => {
            const found = await target.committed(group, places);
            return JSON.stringify(this.log.committed('app', [place])) === this.#expired ? [] : found;
          };
        }
        return typeof member === 'function' ? member.bind(target) : member;
      },
    });
  };
}

const KINDS: readonly Kind[] = ['state with the log', 'changelogs, exactly once', 'changelogs, at least once'];

describe.each(KINDS)('a start compares offsets and state: %s', (kind) => {
  it('goes on with the state where the offsets have expired, and says so', async () => {
    const bench = new Bench(kind);
    bench.publish(3);
    await bench.run();
    bench.expire();
    bench.publish(1);
    expect(await bench.run()).toBeUndefined();
    expect(bench.last()).toBe(4);
    expect(bench.warnings).toEqual([expect.stringContaining('no offset of numbers/0 is committed: it continues at 3')]);
    bench.publish(1);
    expect(await bench.run()).toBeUndefined();
    expect(bench.last()).toBe(5);
    expect(bench.warnings).toHaveLength(1);
  });

  it('does so wherever new partitions are to start', async () => {
    const bench = new Bench(kind);
    bench.publish(3);
    await bench.run();
    bench.expire();
    bench.publish(2);
    expect(await bench.run(counting, 'latest')).toBeUndefined();
    expect(bench.last()).toBe(5);
  });

  it('stops where the offset was set back by hand, and goes on when it is set right', async () => {
    const bench = new Bench(kind);
    bench.publish(3);
    await bench.run();
    bench.set(1);
    expect(await bench.run()).toMatchObject({
      code: 'ERR_OFFSET_BEHIND_STATE',
      errorClass: 'fatal',
      topic: 'numbers',
      partition: 0,
      offset: 1,
      lastOffset: 2,
      hint: expect.stringContaining('counted twice') as string,
    });
    expect(bench.last()).toBe(3);
    bench.set(3);
    bench.publish(1);
    expect(await bench.run()).toBeUndefined();
    expect(bench.last()).toBe(4);
  });

  it('passes over records where the offset was set forward by hand, and says which', async () => {
    const bench = new Bench(kind);
    bench.publish(3);
    await bench.run();
    bench.publish(4);
    bench.set(5);
    expect(await bench.run()).toBeUndefined();
    expect(bench.last()).toBe(5);
    expect(bench.warnings).toEqual([expect.stringContaining('offsets 3 to 4 of numbers/0 were skipped by hand')]);
    expect(await bench.run()).toBeUndefined();
    expect(bench.warnings).toHaveLength(1);
  });

  it('lets a new store begin empty, and says so', async () => {
    const bench = new Bench(kind);
    bench.publish(3);
    await bench.run();
    const both = [counting, numbers.pipe(aggregate(agg.count(), { store: 'more' }), to(more))];
    bench.publish(1);
    expect(await bench.run(both)).toBeUndefined();
    expect(bench.last()).toBe(4);
    expect(bench.warnings).toEqual([expect.stringContaining('store more is empty and starts at offset 3')]);
    expect(await bench.run(both)).toBeUndefined();
    expect(bench.warnings).toHaveLength(1);
  });

  it('stops where a store was out of use while the application went on', async () => {
    const bench = new Bench(kind);
    bench.publish(2);
    await bench.run();
    bench.publish(2);
    const other = numbers.pipe(countByKey({ store: 'other' }), to(out));
    expect(await bench.run(other)).toBeUndefined();
    expect(await bench.run()).toMatchObject({ code: 'ERR_STATE_BEHIND', offset: 2, lastOffset: 3 });
  });

  it('stops where a store was out of use while the application went on without any', async () => {
    const bench = new Bench(kind);
    const copy = numbers.pipe(to(more));
    bench.publish(2);
    await bench.run();
    bench.publish(2);
    expect(await bench.run(copy)).toBeUndefined();
    expect(await bench.run()).toMatchObject({ code: 'ERR_STATE_BEHIND', offset: 2, lastOffset: 3 });
    bench.set(4);
    expect(await bench.run(), 'somebody skips them on purpose').toBeUndefined();
    expect(bench.last()).toBe(2);
    bench.set(1);
    bench.publish(1);
    expect(await bench.run(), 'the store has some of them').toMatchObject({ code: 'ERR_OFFSET_BEHIND_STATE' });
  });

  it('goes on where a shuffle before a step was added and removed', async () => {
    const bench = new Bench(kind);
    const behind = numbers.pipe(through(shuffle), countByKey({ store: 'counts' }), to(out));
    for (const pipeline of [counting, behind, counting, behind]) {
      bench.publish(2);
      expect(await bench.run(pipeline)).toBeUndefined();
    }
    expect(bench.last()).toBe(8);
    expect(bench.warnings).toEqual([expect.stringContaining('behind another topic: what it had not read there')]);
  });

  it('stops where a store behind a shuffle was out of use while records passed it by', async () => {
    const bench = new Bench(kind);
    const behind = numbers.pipe(through(shuffle), countByKey({ store: 'counts' }), to(out));
    bench.publish(2);
    await bench.run(behind);
    bench.publish(3);
    await bench.run(numbers.pipe(to(more)));
    bench.publish(1);
    await bench.run(numbers.pipe(to(more)));
    for (const pipeline of [behind, counting]) {
      expect(await bench.run(pipeline)).toMatchObject({
        code: 'ERR_STATE_BEHIND',
        message: expect.stringMatching(/^store counts lacks the records of numbers\/0 from offset 2 to 5: /) as string,
        offset: 2,
        lastOffset: 5,
        hint: expect.stringContaining('set the offset to 6 to go on without them') as string,
      });
    }
    bench.set(2);
    expect(await bench.run(behind), 'they are processed again').toBeUndefined();
    expect(bench.last()).toBe(6);
  });

  it('goes on with what a shuffle has kept for a stage that was left out', async () => {
    const bench = new Bench(kind);
    const first = numbers.pipe(to(shuffle));
    const second = shuffle.pipe(countByKey({ store: 'counts' }), to(out));
    for (const pipeline of [[first, second], [first], [first], [first, second]]) {
      bench.publish(2);
      expect(await bench.run(pipeline)).toBeUndefined();
    }
    expect(bench.last()).toBe(8);
    expect(bench.warnings.filter((text) => text.includes('store counts'))).toEqual([]);
  });

  it.each(['a', 'b', 'c', 'd', 'e'])(
    'goes on where all records took the way through a shuffle to other partitions, by key %s',
    async (key) => {
      const bench = new Bench(kind);
      bench.log.create('numbers', { partitions: 2 });
      // Without announcements of time, a partition of it may get nothing at all.
      bench.log.create('shuffle', { partitions: 2, config: { cleanup: 'compact' } });
      const wide = topic('numbers', { key: string(), value: json<number>() });
      const mid = topic('shuffle', { key: string(), value: json<number>() });
      const direct = wide.pipe(countByKey({ store: 'counts' }), to(out));
      const behind = wide.pipe(
        keyBy(() => key),
        through(mid),
        countByKey({ store: 'counts' }),
        to(out),
      );
      for (const pipeline of [direct, behind, direct, behind, direct]) {
        for (const partition of [0, 1]) bench.publish(2, 'numbers', 1000, partition);
        expect(await bench.run(pipeline)).toBeUndefined();
      }
    },
  );

  it('says from where on a store behind a new shuffle gets records, and where it may count some twice', async () => {
    const bench = new Bench(kind);
    const behind = numbers.pipe(through(shuffle), countByKey({ store: 'counts' }), to(out));
    bench.publish(2);
    await bench.run(numbers.pipe(to(more)));
    expect(bench.warnings).toEqual([]);
    expect(await bench.run(behind)).toBeUndefined();
    expect(await bench.run(behind)).toBeUndefined();
    expect(bench.warnings).toEqual(['store counts, behind shuffle, gets the records of numbers/0 from offset 2 on']);
    bench.publish(1);
    await bench.run([counting, numbers.pipe(to(shuffle))]);
    bench.warnings.length = 0;
    await bench.run(behind);
    expect(bench.warnings).toEqual([
      'store counts holds records of numbers, and takes those of shuffle/0 from offset 0 on',
    ]);
  });

  it('says that a store does not get what it had not read of a shuffle that others have read since', async () => {
    const bench = new Bench(kind);
    const second = shuffle.pipe(countByKey({ store: 'counts' }), to(out));
    bench.publish(2);
    await bench.run([numbers.pipe(to(shuffle)), second]);
    bench.publish(1, 'shuffle');
    const others = [numbers.pipe(to(shuffle)), shuffle.pipe(to(more))];
    const said = (): string[] => bench.warnings.filter((text) => text.startsWith('store counts'));
    expect(await bench.run(others)).toBeUndefined();
    expect(said()).toEqual([]);
    expect(await bench.run(counting)).toBeUndefined();
    expect(said()).toEqual([
      'store counts got the records of numbers/0 before offset 2 behind another topic: what it had not read there, it does ' +
        'not get any more',
    ]);
    expect(await bench.run(counting)).toBeUndefined();
    expect(said()).toHaveLength(1);
  });

  it('believes offsets of before trails, and those that somebody has set', async () => {
    const bench = new Bench(kind);
    const behind = numbers.pipe(through(shuffle), countByKey({ store: 'counts' }), to(out));
    bench.publish(2);
    await bench.run(behind);
    for (const metadata of [undefined, 'millrace-time ', 'millrace-time 2:k:v:1:1', 'somebody else', '']) {
      const [at] = bench.log.committed('app', [place]);
      const { metadata: _, ...bare } = at!;
      bench.log.setCommitted('app', [metadata === undefined ? bare : { ...bare, metadata }]);
      bench.publish(1);
      expect(await bench.run(behind), metadata).toBeUndefined();
    }
    expect(bench.last()).toBe(7);
    expect(bench.warnings).toEqual([]);
    bench.publish(1);
    await bench.run(numbers.pipe(to(more)));
    bench.set(8);
    bench.publish(1);
    expect(await bench.run(behind)).toBeUndefined();
    expect(bench.last()).toBe(8);
  });

  it.each(['millrace-stateless', 'millrace-time 2:k:v:1:1'])(
    'stops where a store was out of use, also by an offset without a trail: %s',
    async (metadata) => {
      const bench = new Bench(kind);
      bench.publish(2);
      await bench.run(counting);
      bench.publish(3);
      await bench.run(numbers.pipe(to(more)));
      const [at] = bench.log.committed('app', [place]);
      bench.log.setCommitted('app', [{ ...at!, metadata }]);
      expect(await bench.run(counting)).toMatchObject({ code: 'ERR_STATE_BEHIND', offset: 2 });
    },
  );

  it('says what can be done where several stores differ', async () => {
    const bench = new Bench(kind);
    const other = numbers.pipe(countByKey({ store: 'other' }), to(more));
    bench.publish(2);
    await bench.run([counting, other]);
    bench.publish(2);
    expect(await bench.run(other)).toBeUndefined();
    const error = await bench.run([counting, other]);
    expect(error).toMatchObject({ code: 'ERR_STATE_BEHIND', offset: 2, lastOffset: 3 });
    expect(error?.hint).toMatch(/store other holds them up to 4.* set the offset to 4 to skip them in counts/);
    bench.set(2);
    expect(await bench.run([counting, other]), 'the other store holds them').toMatchObject({
      code: 'ERR_OFFSET_BEHIND_STATE',
    });
    bench.set(4);
    expect(await bench.run([counting, other])).toBeUndefined();
    bench.publish(1);
    expect(await bench.run([counting, other])).toBeUndefined();
    expect(bench.last()).toBe(3);
  });

  it('takes windows, several stores and several inputs together', async () => {
    const bench = new Bench(kind);
    const rates = table('rates', { key: string(), value: json<number>(), partitions: 1 });
    const pipeline = numbers.pipe(
      joinTable(rates, (n, rate) => n * rate),
      windowBy(tumbling({ size: '1h', grace: '0s' }), agg.count(), { store: 'windows' }),
      to(out),
    );
    bench.publish(1, 'rates', 500);
    bench.publish(3);
    expect(await bench.run(pipeline)).toBeUndefined();
    bench.expire();
    bench.publish(1);
    bench.publish(1, 'rates');
    expect(await bench.run(pipeline)).toBeUndefined();
    // Both runs also say that they leave a window open.
    expect(bench.warnings.filter((text) => !text.includes('still open'))).toHaveLength(2);
    const app = run(pipeline, {
      applicationId: 'app',
      transport:
        kind === 'state with the log' ? memoryTransport(bench.log) : withoutState(bench.log, memoryStores(), true),
      until: 'end',
      openWindows: 'close',
    });
    await app.done;
    expect(bench.last()).toBe(4);
  });

  it('commits where idle partitions begin, so that "latest" passes nothing over', async () => {
    const bench = new Bench(kind);
    const copy = numbers.pipe(to(out));
    for (const pipeline of [copy, counting]) {
      bench.log = new MemoryLog();
      bench.log.create('numbers');
      await bench.run(pipeline, 'latest');
      expect(bench.committed()).toBe(0);
      bench.publish(2);
      await bench.run(pipeline, 'latest');
      expect(new TopicReader(bench.log, 'out').read(out)).toHaveLength(2);
    }
  });

  it('does not take the rest of a topic of its own for all of it', async () => {
    const bench = new Bench(kind);
    const first = numbers.pipe(
      keyBy(() => 'k'),
      to(shuffle),
    );
    const second = shuffle.pipe(countByKey({ store: 'counts' }), to(out));
    bench.publish(4);
    await bench.run(first);
    bench.log.deleteRecords('shuffle', [{ partition: 0, offset: 3 }]);
    expect(await bench.run([first, second])).toMatchObject({
      code: 'ERR_OFFSET_OUT_OF_RANGE',
      topic: 'shuffle',
      offset: 0,
      lastOffset: 2,
    });
  });
});

describe.each(KINDS.slice(1))('a start compares offsets and changelogs: %s', (kind) => {
  it('stops where a changelog was deleted while the offsets stayed, until it is said where to begin', async () => {
    const bench = new Bench(kind);
    bench.publish(3);
    await bench.run();
    bench.log.delete('app-counts-changelog');
    bench.publish(1);
    expect(await bench.run()).toMatchObject({ code: 'ERR_STATE_LOST', offset: 3, topic: 'numbers' });
    expect(bench.last()).toBe(3);
    bench.set(0);
    expect(await bench.run()).toBeUndefined();
    expect(bench.last()).toBe(4);
  });

  it('stops where one of several changelogs was deleted', async () => {
    const bench = new Bench(kind);
    const both = [counting, numbers.pipe(aggregate(agg.count(), { store: 'more' }), to(more))];
    bench.publish(3);
    await bench.run(both);
    bench.log.delete('app-more-changelog');
    expect(await bench.run(both)).toMatchObject({
      code: 'ERR_STATE_LOST',
      message: expect.stringContaining('store more is empty') as string,
    });
  });

  it('stops where a changelog lacks what was committed', async () => {
    const bench = new Bench(kind);
    bench.publish(3);
    await bench.run();
    const copy = new MemoryLog();
    const old = bench.log;
    bench.publish(2);
    // The changelog as it was when two of five records had not come yet.
    for (const name of ['numbers', 'out', 'app-counts-changelog']) {
      copy.create(name);
      for (let at = 0; at < (old.endOffset(name, 0) ?? 0); ) {
        const rows = old.read(name, 0, at)!;
        const batch = new RecordBatchBuilder();
        for (let i = 0; i < rows.count; i += 1) {
          const bytes = (start: number, length: number) =>
            length < 0 ? null : rows.bytes.slice(start, start + length);
          batch.append(
            rows.timestamp[i]!,
            bytes(rows.keyStart[i]!, rows.keyLength[i]!),
            bytes(rows.valueStart[i]!, rows.valueLength[i]!),
            [],
          );
        }
        copy.append([copy.prepare({ topic: name, partition: 0 }, batch)]);
        at = rows.nextOffset;
      }
    }
    const [before] = old.committed('app', [place]);
    bench.log = copy;
    copy.setCommitted('app', [{ ...before!, offset: 5 }]);
    expect(await bench.run()).toMatchObject({ code: 'ERR_STATE_BEHIND', offset: 3, lastOffset: 4 });
  });
});

describe('at least once', () => {
  it('goes on where the state is, when it was killed before the offsets were committed', async () => {
    const bench = new Bench('changelogs, at least once');
    bench.publish(3);
    await bench.run();
    bench.publish(2);
    bench.onCommit = ({ offsets }) => {
      if (offsets.length > 0) throw new Error('killed');
    };
    expect(await bench.run()).toBeDefined();
    expect(bench.committed()).toBe(3);
    bench.onCommit = () => undefined;
    bench.publish(1);
    expect(await bench.run()).toBeUndefined();
    expect(bench.last()).toBe(6);
    expect(bench.committed()).toBe(6);
  });

  it('repeats what was done when the state had not been written', async () => {
    const bench = new Bench('changelogs, at least once');
    bench.publish(3);
    await bench.run();
    bench.publish(2);
    bench.onCommit = ({ offsets }) => {
      // The barrier behind the outputs, before the changes are sent.
      if (offsets.length === 0) throw new Error('killed');
    };
    expect(await bench.run()).toBeDefined();
    bench.onCommit = () => undefined;
    expect(await bench.run()).toBeUndefined();
    expect(bench.last()).toBe(5);
  });
});

import {
  type AppSnapshot,
  agg,
  countByKey,
  hopping,
  json,
  keyBy,
  MillraceError,
  mapAsync,
  mapValues,
  string,
  through,
  to,
  topic,
  tumbling,
  windowBy,
} from 'millrace';
import { VirtualClock } from 'millrace/testing';
import { take } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { noLogger } from '../../src/log/logger.ts';
import { FaultyLog, gate, out, rounds, shuffle, source, until } from './support.ts';

const TEN = tumbling({ size: '10ms', grace: '0s' });
const at = (key: string, value = 1, timestamp = value) => ({ key, value, timestamp });
const failure = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'nothing failed',
    (error: unknown) => error,
  );

describe('a bounded run', () => {
  const chain = source.pipe(
    keyBy((n) => `k${n % 3}`),
    through(shuffle),
    windowBy(TEN, agg.count(), { store: 'counts' }),
    to(out),
  );
  const records = Array.from({ length: 60 }, (_, n) => at(`s${n % 7}`, n, n));

  it('ends by itself over several stages and partitions, and repeats nothing when run again', async () => {
    const log = new FaultyLog().create('source', 3);
    log.publish(source, records);
    await log.run(chain, { until: 'end', openWindows: 'close' }).done;
    const total = (): number => log.values().reduce<number>((sum, n) => sum + (n as number), 0);
    const late = log.read(shuffle).length - total();
    expect(log.log.describe('shuffle')?.partitions, 'a shuffle adopts the number of its source').toBe(3);
    expect(total() + late).toBe(60);
    const before = log.values();
    await log.run(chain, { until: 'end', openWindows: 'close' }).done;
    expect(log.values()).toEqual(before);
    log.publish(source, [at('s', 3, 100)]);
    await log.run(chain, { until: 'end', openWindows: 'close' }).done;
    expect(log.values()).toEqual([...before, 1]);
  });

  it('keeps open windows for the next run, unless told to close them', async () => {
    const counts = source.pipe(windowBy(TEN, agg.count(), { store: 'counts' }), to(out));
    const log = new FaultyLog().create('source');
    const said: string[] = [];
    const logger = {
      ...noLogger,
      warn: (_fields: object, text: string) => said.push(`warn: ${text}`),
      info: (_fields: object, text: string) => said.push(`info: ${text}`),
    };
    log.publish(source, [at('a', 1), at('a', 2)]);
    await log.run(counts, { until: 'end', logger }).done;
    expect(log.values()).toEqual([]);
    expect(said.filter((text) => text.includes('open'))).toEqual([
      expect.stringMatching(/^warn: the input has ended, and 1 window of counts is still open/),
    ]);
    said.length = 0;
    log.publish(source, [at('a', 3)]);
    await log.run(counts, { until: 'end', openWindows: 'keep', logger }).done;
    expect(said.filter((text) => text.includes('open'))).toEqual([expect.stringMatching(/^info: /)]);
    await log.run(counts, { until: 'end', openWindows: 'close' }).done;
    expect(log.values()).toEqual([3]);
  });

  it('says when nobody has waited for the end, as after await run(…) without done', async () => {
    const lines: string[] = [];
    const on = (level: string) => (_fields: object, text: string) => lines.push(`${level}: ${text}`);
    const logger = { debug: on('debug'), info: on('info'), warn: on('warn'), error: on('error') };
    const ended = (): boolean => lines.includes('info: stopped');
    const log = new FaultyLog().create('source');
    log.publish(source, [at('a', 1)]);
    // oxlint-disable-next-line typescript/await-thenable -- that is the mistake
    await log.run(source.pipe(to(out)), { until: 'end', logger });
    await until('the end', ended);
    expect(lines).toContainEqual(
      expect.stringMatching(/^warn: .*nothing has waited for that: `await run\(…\)` continues at once/),
    );
    lines.length = 0;
    const app = log.run(source.pipe(to(out)), { until: 'end', logger });
    await app.done;
    expect(lines.filter((line) => line.includes('waited'))).toEqual([]);
  });

  it('gives rows of closing windows to asynchronous steps below', async () => {
    const slow = source.pipe(
      windowBy(TEN, agg.count(), { store: 'counts' }),
      mapAsync(async (n) => n * 10),
      to(out),
    );
    const log = new FaultyLog().create('source');
    log.publish(source, [at('a', 1), at('b', 2), at('a', 3)]);
    await log.run(slow, { until: 'end', openWindows: 'close' }).done;
    expect(log.values()).toEqual([20, 10]);
  });

  it('ends on empty topics, and where the last records are no records any more', async () => {
    const log = new FaultyLog().create('source', 2);
    await log.run(chain, { until: 'end' }).done;
    log.publish(source, records);
    log.log.deleteRecords('source', [{ partition: 0, offset: log.log.endOffset('source', 0) as number }]);
    await log.run(source.pipe(to(out)), { until: 'end', applicationId: 'other' }).done;
  });

  it('leaves what comes later to the next run, and loses none of it', async () => {
    const log = new FaultyLog().create('source');
    log.publish(source, [at('a', 1)]);
    let published = false;
    const meddling = source.pipe(
      through(shuffle),
      mapValues((n) => {
        // The first stage has ended by now, or is about to.
        if (!published) log.publish(source, [at('a', 2), at('a', 3)]);
        published = true;
        return n;
      }),
      to(out),
    );
    // Each of them may see the later records or leave them; none may lose them.
    for (let round = 0; round < 3; round += 1) await log.run(meddling, { until: 'end' }).done;
    expect(log.values()).toEqual([1, 2, 3]);
  });
});

describe('an endless run', () => {
  it('follows its topics, and stops when asked, with everything committed', async () => {
    const log = new FaultyLog().create('source', 2);
    const app = log.run(
      source.pipe(
        mapValues((n) => n * 2),
        to(out),
      ),
    );
    log.publish(
      source,
      ['a', 'b', 'c', 'd'].map((key, n) => at(key, n)),
    );
    await until('four rows', () => log.values().length === 4);
    log.publish(source, [at('e', 4)]);
    await until('five rows', () => log.values().length === 5);
    await app.stop();
    await app.done;
    await app.stop();
    expect(app.snapshot()).toMatchObject({ state: 'stopped', waitingFor: [], errors: 0 });
    const committed = [0, 1].reduce((sum, partition) => sum + (log.committed('app', 'source', partition) ?? 0), 0);
    expect(committed).toBe(5);
    expect(log.closed).toBe(1);
  });

  it('finishes asynchronous work that is under way when it stops', async () => {
    const log = new FaultyLog().create('source');
    const { open, wait } = gate();
    const app = log.run(
      source.pipe(
        mapAsync((n) => wait.then(() => n)),
        to(out),
      ),
    );
    log.publish(source, [at('a', 1), at('b', 2)]);
    await until('two calls', () => app.snapshot().tasks[0]?.pendingAsync === 2);
    const stopped = app.stop();
    expect(app.snapshot().state).toBe('stopping');
    await rounds();
    expect(app.snapshot().waitingFor.join('; ')).toMatch(/a commit waits for 2 asynchronous calls/);
    open();
    await stopped;
    expect(log.values()).toEqual([1, 2]);
    expect(log.committed('app', 'source')).toBe(2);
  });

  it('gives up at the deadline of a stop, and commits nothing past unfinished work', async () => {
    const log = new FaultyLog().create('source');
    const clock = new VirtualClock();
    const app = log.run(
      source.pipe(
        mapAsync(() => new Promise<number>(() => undefined)),
        to(out),
      ),
      { clock, commitInterval: '1h' },
    );
    log.publish(source, [at('a', 1)]);
    await until('a call', () => app.snapshot().tasks[0]?.pendingAsync === 1);
    const stopped = failure(app.stop({ deadline: '5s' }));
    await rounds();
    clock.advance(5_000);
    expect(await stopped).toMatchObject({ code: 'ERR_STOP_DEADLINE', errorClass: 'fatal' });
    await failure(app.done);
    await until('the transport is closed', () => log.closed === 1);
    expect(log.committed('app', 'source')).toBeUndefined();
    const next = log.run(
      source.pipe(
        mapAsync(async (n) => n),
        to(out),
      ),
      { until: 'end' },
    );
    await next.done;
    expect(log.values(), 'the record is called again').toEqual([1]);
  });

  it('ends at the deadline also when a commit hangs', async () => {
    const log = new FaultyLog().create('source');
    const clock = new VirtualClock();
    log.fault = (call) => (call === 'commit' ? new Promise<void>(() => undefined) : undefined);
    const app = log.run(source.pipe(to(out)), { clock });
    log.publish(source, [at('a', 1)]);
    await until('a commit', () => log.calls.includes('commit'));
    const stopped = failure(app.stop({ deadline: '1s' }));
    await rounds();
    clock.advance(1_000);
    expect(await stopped).toMatchObject({ code: 'ERR_STOP_DEADLINE' });
    expect(app.snapshot().state).toBe('failed');
  });

  it('is stopped by its signal, also one that is aborted already', async () => {
    const log = new FaultyLog().create('source');
    const before = new AbortController();
    before.abort();
    await log.run(source.pipe(to(out)), { signal: before.signal }).done;
    expect(log.opened).toBe(0);
    const later = new AbortController();
    const app = log.run(source.pipe(to(out)), { signal: later.signal });
    log.publish(source, [at('a', 1)]);
    await until('a row', () => log.values().length === 1);
    later.abort();
    await app.done;
    later.abort();
    expect(app.snapshot().state).toBe('stopped');
  });

  it('is stopped at the end of its block by await using', async () => {
    const log = new FaultyLog().create('source');
    let app;
    {
      await using inner = log.run(source.pipe(to(out)));
      app = inner;
      await until('it runs', () => inner.snapshot().state === 'running');
    }
    expect(app.snapshot().state).toBe('stopped');
  });

  it('can be stopped at any moment of its start, and leaves nothing behind', async () => {
    for (let ticks = 0; ticks < 60; ticks += 1) {
      const log = new FaultyLog().create('source', 2);
      log.publish(source, [at('a', 1)]);
      const app = log.run(
        source.pipe(
          keyBy((n) => `k${n}`),
          through(shuffle),
          countByKey({ store: 's' }),
          to(out),
        ),
      );
      for (let tick = 0; tick < ticks; tick += 1) await Promise.resolve();
      await app.stop();
      expect(log.closed, `after ${ticks} ticks`).toBe(log.opened);
      expect(log.log.groups.hasMembers('app'), `a member is left after ${ticks} ticks`).toBe(false);
    }
  });

  it('closes a log that is being opened when it stops, and waits for that', async () => {
    const log = new FaultyLog().create('source');
    const { open, wait } = gate();
    log.fault = (call) => (call === 'open' ? wait : undefined);
    const app = log.run(source.pipe(to(out)));
    const stopped = app.stop();
    open();
    await stopped;
    expect([log.opened, log.closed]).toEqual([1, 1]);
    expect(log.log.list()).toEqual(['source']);
  });

  it('closes a log that opens after the deadline of the stop', async () => {
    const log = new FaultyLog().create('source');
    const { open, wait } = gate();
    log.fault = (call) => (call === 'open' ? wait : undefined);
    const app = log.run(source.pipe(to(out)));
    expect(await failure(app.stop({ deadline: '1ms' }))).toMatchObject({ code: 'ERR_STOP_DEADLINE' });
    open();
    await until('it is closed', () => log.closed === 1);
    expect(log.log.list()).toEqual(['source']);
  });

  it('is refused while another run has its name, and says so', async () => {
    const log = new FaultyLog().create('source');
    const first = log.run(source.pipe(to(out)));
    await until('it runs', () => first.snapshot().state === 'running');
    const second = log.run(source.pipe(to(out)));
    expect(await failure(second.done)).toMatchObject({ code: 'ERR_APPLICATION_RUNNING' });
    expect(first.snapshot().state).toBe('running');
    await first.stop();
  });

  it('starts its shuffles at the beginning, wherever its sources start', async () => {
    const log = new FaultyLog().create('source');
    log.publish(source, [at('a', 1)]);
    const chain = source.pipe(through(shuffle), to(out));
    let commits = 0;
    const first = log.run(chain, { startFrom: 'latest' });
    await until('it waits', () => first.snapshot().lag === 0);
    log.fault = (call) => {
      if (call === 'commit') commits += 1;
      if (call === 'commit' && commits === 2) throw new MillraceError('fatal', 'ERR_TEST', 'power cut');
    };
    log.publish(source, [at('a', 2)]);
    expect(await failure(first.done)).toMatchObject({ code: 'ERR_TEST' });
    expect(log.values(shuffle), 'the first stage has committed').toEqual([2]);
    log.fault = () => undefined;
    await log.run(chain, { startFrom: 'latest', until: 'end' }).done;
    expect(log.values()).toEqual([2]);
  });
});

describe('commits', () => {
  it('come a linger after work, each time', async () => {
    const log = new FaultyLog().create('source');
    const clock = new VirtualClock();
    const app = log.run(source.pipe(to(out)), { clock, batch: { linger: '50ms' }, commitInterval: '1s' });
    await until('it runs', () => app.snapshot().state === 'running');
    for (let n = 1; n <= 3; n += 1) {
      log.publish(source, [at('a', n)]);
      await until('it is processed', () => app.snapshot().recordsIn === n);
      await rounds();
      clock.advance(49);
      await rounds();
      expect(app.snapshot().commits, 'not before').toBe(n - 1);
      clock.advance(1);
      await until('the commit', () => app.snapshot().commits === n);
    }
    await app.stop();
  });

  it('bound what waits for them: turns stop while one is under way', async () => {
    const log = new FaultyLog().create('source');
    const { open, wait } = gate();
    log.fault = (call) => (call === 'commit' ? wait : undefined);
    const large = 'x'.repeat(200 * 1024);
    log.publish(
      source,
      Array.from({ length: 600 }, (_, n) => at('a', n)),
    );
    const app = log.run(
      source.pipe(
        mapValues(() => large),
        to(out),
      ),
    );
    await until('it waits', () => app.snapshot().waitingFor.includes('a commit in progress, before more is written'));
    await rounds();
    const { lag, recordsIn } = app.snapshot();
    // 8 MiB make a commit, 32 MiB stop the turns, a turn adds 8 MiB at most.
    expect(recordsIn * 200 * 1024).toBeLessThan((8 + 32 + 2 * 8) * 1024 * 1024);
    expect(lag).toBe(600 - recordsIn);
    open();
    await until('all is written', () => app.snapshot().lag === 0);
    await app.stop();
    expect(log.read(out)).toHaveLength(600);
  });

  it('take outputs, state and offsets together', async () => {
    const log = new FaultyLog().create('source');
    log.fault = (call) => {
      if (call === 'commit') throw new MillraceError('fatal', 'ERR_TEST', 'no');
    };
    log.publish(source, [at('a', 1)]);
    const counts = source.pipe(countByKey({ store: 's' }), to(out));
    expect(await failure(log.run(counts).done)).toMatchObject({ code: 'ERR_TEST' });
    expect(log.values()).toEqual([]);
    expect(log.committed('app', 'source')).toBeUndefined();
    expect(log.log.stores.list('app')).toEqual([]);
  });
});

describe('snapshots', () => {
  it('tell lag, time, counters and windows at each stage', async () => {
    const log = new FaultyLog().create('source', 2);
    const pipeline = source.pipe(
      windowBy(hopping({ size: '10ms', advance: '5ms', grace: '0s' }), agg.count(), { store: 's' }),
      to(out),
    );
    const app = log.run(pipeline);
    expect(app.snapshot()).toMatchObject({ state: 'starting', waitingFor: ['opening the log'], tasks: [], commits: 0 });
    log.publish(source, [
      { ...at('a', 30), partition: 0 },
      { ...at('a', 7), partition: 0 },
      { ...at('b', 12), partition: 1 },
    ]);
    await until('all is read', () => app.snapshot().recordsIn === 3 && app.snapshot().commits > 0);
    await until('a commit', () => log.committed('app', 'source', 1) === 1 && log.committed('app', 'source', 0) === 2);
    const snapshot: AppSnapshot = app.snapshot();
    expect(snapshot).toMatchObject({
      applicationId: 'app',
      state: 'running',
      kind: 'memory',
      guarantee: 'exactly-once',
      recordsIn: 3,
      recordsOut: 0,
      late: 2,
      dropped: 0,
      errors: 0,
      lag: 0,
      streamTime: 30,
      openWindows: 4,
      restarts: 0,
      waitingFor: [],
    });
    expect(snapshot.lastCommitAgeMs).toBeGreaterThanOrEqual(0);
    expect(snapshot.uptimeMs).toBeGreaterThan(0);
    expect(snapshot.tasks.map(({ id, recordsIn, streamTime }) => [id, recordsIn, streamTime])).toEqual([
      ['source/0', 2, 30],
      ['source/1', 1, 12],
    ]);
    expect(snapshot.tasks[0]?.inputs).toEqual([
      { topic: 'source', partition: 0, position: 2, end: 2, lag: 0, lagMs: 0, streamTime: 30 },
    ]);
    expect(snapshot.tasks[0]?.stores).toMatchObject([{ name: 's', openWindows: 2, streamTime: 30, dirty: 0 }]);
    await app.stop();
    expect(app.snapshot()).toMatchObject({ state: 'stopped', recordsIn: 3, lag: 0 });
    expect(JSON.parse(JSON.stringify(app.snapshot())), 'a snapshot is plain data').toMatchObject({ late: 2 });
  });

  it('name what is waited for: full asynchronous work', async () => {
    const log = new FaultyLog().create('source');
    const { open, wait } = gate();
    const app = log.run(
      source.pipe(
        mapAsync((n) => wait.then(() => n), { concurrency: 1 }),
        to(out),
      ),
      { commitInterval: '1h' },
    );
    log.publish(source, [at('a', 1), at('b', 2)]);
    await until('a call', () => app.snapshot().tasks[0]?.pendingAsync === 1);
    expect(app.snapshot().waitingFor).toEqual(['task source/0 waits for 1 asynchronous call of mapAsync']);
    expect(app.snapshot()).toMatchObject({ lag: 1, recordsIn: 1 });
    open();
    await until('both are written', () => log.values().length === 2 || app.snapshot().recordsIn === 2);
    await app.stop();
    expect(log.values()).toEqual([1, 2]);
  });

  it('name the error that tasks are rebuilt after', async () => {
    const log = new FaultyLog().create('source');
    const clock = new VirtualClock();
    let fail = true;
    log.fault = (call) => {
      if (call === 'commit' && fail) throw new MillraceError('retriable', 'ERR_TEST', 'not now');
    };
    const app = log.run(source.pipe(to(out)), { clock });
    log.publish(source, [at('a', 1)]);
    await until('a restart', () => app.snapshot().restarts === 1);
    expect(app.snapshot().waitingFor).toContain('rebuilding tasks from the last commit after ERR_TEST');
    fail = false;
    await rounds();
    clock.advance(100);
    await until('the row', () => log.values().length === 1);
    expect(app.snapshot()).toMatchObject({ restarts: 1, state: 'running', waitingFor: [] });
    await app.stop();
  });

  it('come as an Observable at once, every so often, and once more at the end', async () => {
    const log = new FaultyLog().create('source');
    const clock = new VirtualClock();
    const app = log.run(source.pipe(to(out)), { clock });
    const states: string[] = [];
    const complete = new Promise<void>((resolve) => {
      app.snapshots('1s').subscribe({ next: ({ state }) => states.push(state), complete: resolve });
    });
    expect(states).toEqual(['starting']);
    await until('it runs', () => app.snapshot().state === 'running');
    clock.advance(2_500);
    expect(states).toEqual(['starting', 'running', 'running']);
    await app.stop();
    await complete;
    expect(states.at(-1)).toBe('stopped');
    const after: string[] = [];
    app.snapshots().subscribe({ next: ({ state }) => after.push(state), complete: () => after.push('complete') });
    expect(after).toEqual(['stopped', 'complete']);
  });

  it('stop their timers when nobody listens any more', async () => {
    const log = new FaultyLog().create('source');
    const timers = new Set<number>();
    let next = 0;
    const clock = {
      now: () => Date.now(),
      monotonic: () => performance.now(),
      after: (ms: number, callback: () => void) => {
        const id = next++;
        const timer = setTimeout(() => {
          timers.delete(id);
          callback();
        }, ms);
        timers.add(id);
        return () => {
          timers.delete(id);
          clearTimeout(timer);
        };
      },
      soon: (callback: () => void) => void setImmediate(callback),
    };
    const app = log.run(source.pipe(to(out)), { clock });
    await until('it runs', () => app.snapshot().state === 'running');
    await rounds();
    const before = timers.size;
    app.snapshots('1h').pipe(take(1)).subscribe();
    app.snapshots('1h').subscribe().unsubscribe();
    expect(timers.size).toBe(before);
    await app.stop();
    await until('no timer is left', () => timers.size === 0);
  });
});

describe('the logger', () => {
  it('is silent unless one is given', async () => {
    const written: unknown[] = [];
    const { error, info, log: print, warn } = console;
    for (const name of ['log', 'info', 'warn', 'error'] as const) console[name] = (...args) => void written.push(args);
    try {
      const log = new FaultyLog().create('source');
      log.publish(source, [at('a', 1)]);
      const bad = source.pipe(
        mapValues(() => {
          throw new Error('x');
        }),
      );
      await log.run(bad, { until: 'end', onRecordError: 'skip' }).done;
      await failure(log.run(bad, { until: 'end', applicationId: 'b' }).done);
    } finally {
      Object.assign(console, { error, info, log: print, warn });
    }
    expect(written).toEqual([]);
  });

  it('hears of start, skipped records, restarts, end and failure', async () => {
    const lines: string[] = [];
    const level =
      (name: string) =>
      (fields: object, message: string): void =>
        void lines.push(`${name} ${message} ${(fields as { code?: string }).code ?? ''}`.trim());
    const logger = { debug: level('debug'), info: level('info'), warn: level('warn'), error: level('error') };
    const log = new FaultyLog().create('source');
    log.publish(source, [at('a', 1)]);
    const bad = source.pipe(
      mapValues(() => {
        throw new Error('x');
      }),
    );
    await log.run(bad, { until: 'end', onRecordError: 'skip', logger }).done;
    expect(lines).toEqual(['info running', 'warn record skipped ERR_USER_CODE', 'info stopped']);
    lines.length = 0;
    await failure(log.run(bad, { until: 'end', applicationId: 'b', logger }).done);
    expect(lines).toEqual(['info running', 'error failed ERR_USER_CODE']);
  });
});

describe('topics', () => {
  const partitions = (log: FaultyLog, name: string): number | undefined => log.log.describe(name)?.partitions;

  it('that are missing are created, with the numbers that fit', async () => {
    const log = new FaultyLog().create('source', 3);
    const wide = topic('wide', { key: string(), value: json<number>(), partitions: 5 });
    const fresh = topic('fresh', { key: string(), value: json<number>(), partitions: 2 });
    await log.run([source.pipe(through(shuffle), to(out)), source.pipe(to(wide)), fresh.pipe(mapValues((n) => n))], {
      until: 'end',
    }).done;
    expect(['shuffle', 'out', 'wide', 'fresh'].map((name) => partitions(log, name))).toEqual([3, 3, 5, 2]);
  });

  it('that are missing sources are named, with the name that may be meant', async () => {
    const log = new FaultyLog().create('sources');
    const error = await failure(log.run(source.pipe(to(out))).done);
    expect(error).toMatchObject({ code: 'ERR_UNKNOWN_TOPIC', topic: 'source', errorClass: 'fatal' });
    expect((error as Error).message).toMatch(/no topic source.*did you mean sources/);
    expect(partitions(log, 'out')).toBeUndefined();
    expect(log.closed).toBe(1);
  });
});

describe('ready', () => {
  it('resolves once topics exist and tasks run', async () => {
    const log = new FaultyLog().create('source');
    const app = log.run(source.pipe(to(out)));
    expect(log.log.describe('out')).toBeUndefined();
    await app.ready;
    expect(log.log.describe('out')).toMatchObject({ partitions: 1 });
    expect(app.snapshot()).toMatchObject({ waitingFor: [], tasks: [{ id: 'source/0' }] });
    await app.stop();
  });

  it('rejects with what ended the application before it, and ends no process when nobody looks', async () => {
    const log = new FaultyLog();
    const app = log.run(source.pipe(to(out)));
    const error = await failure(app.done);
    expect(error).toMatchObject({ code: 'ERR_UNKNOWN_TOPIC' });
    expect(await failure(app.ready)).toBe(error);
  });

  it('rejects when the application was stopped before', async () => {
    const log = new FaultyLog().create('source');
    const held = gate();
    log.fault = (call) => (call === 'group' ? held.wait : undefined);
    const app = log.run(source.pipe(to(out)));
    await until('joining', () => log.calls.includes('group'));
    const stopped = app.stop();
    held.open();
    await stopped;
    expect(await failure(app.ready)).toMatchObject({ code: 'ERR_STOPPED' });
  });
});

import { createHash } from 'node:crypto';
import {
  bytes,
  ConfigError,
  connect,
  deadLetter,
  type Header,
  type Headers,
  joinTable,
  json,
  mapValues,
  nullable,
  type RunOptions,
  run,
  string,
  type TopicConfig,
  table,
  through,
  to,
  topic,
} from 'millrace';
import { merge, tap } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { MillraceError } from '../../src/errors.ts';
import { RecordBatchBuilder } from '../../src/protocol/batch-builder.ts';
import { FaultyLog, hastyClock, out, shuffle, source, until } from './support.ts';

const raw = topic('source', { key: nullable(string()), value: nullable(bytes()) });
const dead = topic('dead', { key: nullable(string()), value: nullable(bytes()) });
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const at = (key: string, value: number, timestamp = value) => ({ key, value, timestamp });
const failure = (work: Promise<unknown>): Promise<MillraceError> =>
  work.then(
    () => {
      throw new Error('nothing failed');
    },
    (error: unknown) => error as MillraceError,
  );
const picky = source.pipe(
  mapValues((n) => {
    if (n === 2) throw new Error('two');
    return n;
  }),
  to(out),
);

describe('a poison record', () => {
  const poison = (log: FaultyLog): void =>
    log.publish(raw, [
      { key: 'a', value: utf8('1') },
      { key: 'b', value: utf8('{broken') },
      { key: 'c', value: null },
      { key: null, value: utf8('3') },
      { key: 'd', value: utf8('4') },
    ]);

  it('fails the application by default, says where it is, shows its bytes and the choices', async () => {
    const log = new FaultyLog().create('source');
    poison(log);
    const error = await failure(log.run(source.pipe(to(out)), { until: 'end' }).done);
    expect(error).toBeInstanceOf(MillraceError);
    expect(error).toMatchObject({ code: 'ERR_DECODE', errorClass: 'record', topic: 'source', partition: 0, offset: 1 });
    expect(error.message).toContain(Buffer.from('{broken').toString('hex'));
    expect(error.message).toMatch(/source\/0@1/);
    expect(error.message, 'how to choose').toMatch(/error policy/);
    expect(log.values(), 'what came before it in the same commit does not count').toEqual([]);
  });

  it('is told by the snapshot of the application that it has ended', async () => {
    const log = new FaultyLog().create('source');
    poison(log);
    const app = log.run(source.pipe(to(out)), { until: 'end' });
    const error = await failure(app.done);
    const { code, errorClass, message, offset, partition, topic } = error;
    expect(app.snapshot()).toMatchObject({
      state: 'failed',
      errors: 1,
      error: { code, errorClass, message, topic, partition, offset, stage: 'source' },
    });
    expect(() => structuredClone(app.snapshot())).not.toThrow();
  });

  it.each(['skip', 'deadLetter'] as const)(
    'is warned about with the reason, and without its bytes: %s',
    async (way) => {
      const log = new FaultyLog().create('source');
      poison(log);
      const lines: string[] = [];
      const quiet = (): void => undefined;
      const warn = (fields: object, message: string): void => void lines.push(`${message} ${JSON.stringify(fields)}`);
      const onRecordError = way === 'skip' ? way : deadLetter('dead');
      const logger = { debug: quiet, info: quiet, warn, error: quiet };
      await log.run(source.pipe(to(out)), { until: 'end', onRecordError, logger }).done;
      expect(lines[0]).toContain('json cannot read');
      expect(lines.join()).not.toContain(Buffer.from('{broken').toString('hex'));
      expect(lines[1]).toMatch(/ERR_NULL_VALUE.*has no value/);
    },
  );

  it('is skipped and counted, each kind', async () => {
    const log = new FaultyLog().create('source');
    poison(log);
    const app = log.run(source.pipe(to(out)), { until: 'end', onRecordError: 'skip' });
    await app.done;
    expect(log.values()).toEqual([1, 4]);
    expect(app.snapshot()).toMatchObject({ errors: 3, recordsIn: 5, error: undefined });
    expect(log.committed('app', 'source')).toBe(5);
  });

  it('goes to the dead-letter topic untouched, with its reason', async () => {
    const log = new FaultyLog().create('source');
    poison(log);
    await log.run(source.pipe(to(out)), { until: 'end', onRecordError: deadLetter('dead') }).done;
    const letters = log.read(dead);
    expect(letters.map(({ key, value }) => [key, value === null ? null : Buffer.from(value).toString()])).toEqual([
      ['b', '{broken'],
      ['c', null],
      [null, '3'],
    ]);
    const codes = letters.map(({ headers }) => headers.find(([name]) => name === 'millrace.error.code')?.[1]);
    expect(codes.map((code) => new TextDecoder().decode(code ?? undefined))).toEqual([
      'ERR_DECODE',
      'ERR_NULL_VALUE',
      'ERR_NULL_KEY',
    ]);
  });
});

describe('a timestamp that cannot be used', () => {
  const odd = [-1, -5, 2 ** 53, 2 ** 60 + 2 ** 20, Number(2n ** 63n)];

  it.each(['skip', 'deadLetter', 'fail'] as const)('is a failure of its record only: %s', async (kind) => {
    for (const timestamp of odd) {
      const log = new FaultyLog().create('source');
      log.publish(source, [at('a', 1)]);
      const builder = new RecordBatchBuilder();
      for (const value of ['2', '3', '4']) builder.append(1, 'a', value, []);
      const prepared = log.log.prepare({ topic: 'source', partition: 0 }, builder);
      prepared.columns.timestamp[1] = timestamp;
      log.log.append([prepared]);
      const onRecordError = kind === 'deadLetter' ? deadLetter('dead') : kind;
      const app = log.run(source.pipe(to(out)), { until: 'end', onRecordError, maxFutureSkew: 'unlimited' });
      if (kind === 'fail') {
        expect(await failure(app.done)).toMatchObject({ code: 'ERR_TIMESTAMP', topic: 'source', offset: 2 });
        continue;
      }
      await app.done;
      expect(log.values(), `${timestamp}`).toEqual([1, 2, 4]);
      expect(app.snapshot().errors).toBe(1);
      if (kind === 'skip') continue;
      const [letter] = log.read(dead);
      expect(Number.isSafeInteger(letter?.timestamp)).toBe(true);
      const text = letter?.headers.find(([name]) => name === 'millrace.origin.timestamp')?.[1];
      expect(Number(new TextDecoder().decode(text ?? undefined))).toBe(timestamp);
    }
  });

  it('does not keep its partition waiting for that time', async () => {
    const log = new FaultyLog().create('source').create('other');
    const other = topic('other', { key: string(), value: json<number>() });
    const builder = new RecordBatchBuilder();
    for (const value of ['1', '2']) builder.append(1, 'a', value, []);
    const prepared = log.log.prepare({ topic: 'source', partition: 0 }, builder);
    prepared.columns.timestamp[0] = 2 ** 60;
    log.log.append([prepared]);
    log.publish(other, [at('a', 3), at('a', 4)]);
    await log.run(merge(source, other).pipe(to(out)), { until: 'end', onRecordError: 'skip' }).done;
    expect(log.values()).toEqual([2, 3, 4]);
  });
});

describe('record policies', () => {
  it('of a topic go before that of the application', async () => {
    const lenient = topic('lenient', { key: string(), value: json<number>(), onRecordError: 'skip' });
    const strict = topic('strict', { key: string(), value: json<number>(), onRecordError: 'fail' });
    const lettered = topic('lettered', { key: string(), value: json<number>(), onRecordError: deadLetter('dead') });
    const boom = mapValues((): number => {
      throw new Error('boom');
    });
    const log = new FaultyLog().create('lenient').create('strict').create('lettered');
    for (const each of [lenient, lettered]) log.publish(each, [at('a', 1)]);
    const both = [lenient.pipe(boom), lettered.pipe(boom)];
    const app = log.run(both, { until: 'end' });
    await app.done;
    expect(app.snapshot().tasks.map(({ deadLettered, id, skipped }) => [id, skipped, deadLettered])).toEqual([
      ['lenient/0', 1, 0],
      ['lettered/0', 0, 1],
    ]);
    log.publish(strict, [at('a', 1)]);
    const error = await failure(
      log.run(strict.pipe(boom), { until: 'end', onRecordError: 'skip', applicationId: 's' }).done,
    );
    expect(error.code).toBe('ERR_USER_CODE');
  });

  it('of a table’s topic apply to its rows', async () => {
    const names = table('names', { key: string(), value: json<string>(), onRecordError: 'skip' });
    const log = new FaultyLog().create('source').create('names');
    log.publish(topic('names', { key: string(), value: bytes() }), [
      { key: 'a', value: utf8('"Ada"') },
      { key: 'a', value: utf8('{') },
    ]);
    log.publish(source, [at('a', 1, 5)]);
    await log.run(
      source.pipe(
        joinTable(names, (n, name) => `${name}${n}`),
        to(out),
      ),
      { until: 'end' },
    ).done;
    expect(log.values()).toEqual(['Ada1']);
  });

  it('keep dead letter and offset together', async () => {
    const log = new FaultyLog().create('source');
    log.publish(source, [at('a', 2)]);
    log.fault = (call) => {
      if (call === 'commit') throw new MillraceError('fatal', 'ERR_TEST', 'no');
    };
    expect(await failure(log.run(picky, { onRecordError: deadLetter('dead') }).done)).toMatchObject({
      code: 'ERR_TEST',
    });
    expect(log.values(dead)).toEqual([]);
    expect(log.committed('app', 'source')).toBeUndefined();
    log.fault = () => undefined;
    await log.run(picky, { onRecordError: deadLetter('dead'), until: 'end' }).done;
    expect(log.values(dead)).toHaveLength(1);
  });

  it('cut what the dead-letter topic does not take, and say of how much and of what', async () => {
    const value = utf8(`[${'1,'.repeat(2_000)}`);
    for (const limit of [500, 700, 1000, 2000, 3000, 4000, 4500, 5000]) {
      const log = new FaultyLog().create('source');
      log.log.create('dead', { config: { maxMessageBytes: limit } });
      log.publish(topic('source', { key: string(), value: bytes() }), [{ key: 'a', value }]);
      await log.run(source.pipe(to(out)), { until: 'end', onRecordError: deadLetter('dead') }).done;
      const [letter] = log.read(dead);
      const texts = new Map(letter?.headers.map(([name, text]) => [name, new TextDecoder().decode(text ?? undefined)]));
      const kept = letter?.value ?? new Uint8Array();
      expect(Buffer.compare(kept, value.subarray(0, kept.length)), `${limit}: a head`).toBe(0);
      expect(texts.get('millrace.origin.offset'), `${limit}`).toBe('0');
      if (kept.length === value.length) {
        expect(limit).toBe(5000);
        continue;
      }
      expect(kept.length, `${limit}: as much as there is room`).toBeGreaterThan(limit - 1000);
      expect(texts.get('millrace.origin.value.size')).toBe(String(value.length));
      const hash = createHash('sha256').update(value).digest('hex');
      expect(texts.get('millrace.origin.value.sha256'), `${limit}`).toBe(hash);
    }
  });

  it('write a letter about any record: long keys, large headers, no key in a compacted topic', async () => {
    const long = 'k'.repeat(3000);
    const big: Header = ['big', new Uint8Array(3000)];
    const small: Header = ['small', utf8('x')];
    const letterOf = async (config: TopicConfig, record: { key: string | null; headers?: Headers }) => {
      const log = new FaultyLog().create('source');
      log.log.create('dead', { config });
      const builder = new RecordBatchBuilder();
      builder.append(7, record.key, '{', record.headers ?? []);
      log.log.append([log.log.prepare({ topic: 'source', partition: 0 }, builder)]);
      await log.run(source.pipe(to(out)), { until: 'end', onRecordError: deadLetter('dead') }).done;
      const [letter] = log.read(topic('dead', { key: nullable(string()), value: nullable(bytes()) }));
      return { letter, names: letter?.headers.map(([name]) => name) };
    };
    const limit = { maxMessageBytes: 2000 };
    const cutKey = await letterOf(limit, { key: long });
    expect(cutKey.letter?.key).toMatch(/^k{100,2000}$/);
    expect(cutKey.names).toContain('millrace.origin.key.sha256');
    expect(cutKey.letter?.value, 'the value fits').toEqual(utf8('{'));
    const cutHeaders = await letterOf(limit, { key: 'a', headers: [big, small] });
    expect(cutHeaders.names).toEqual(expect.arrayContaining(['small', 'millrace.origin.headers.left-out']));
    expect(cutHeaders.names).not.toContain('big');
    expect((await letterOf({ cleanup: 'compact' }, { key: null })).letter?.key).toBe('source/0/0');
    expect((await letterOf({ cleanup: 'compact' }, { key: 'a' })).letter?.key).toBe('a');
    expect((await letterOf({ ...limit, cleanup: 'compact' }, { key: long })).letter?.key).toBe('source/0/0');
  });

  it('fail clearly where the dead-letter topic takes nothing', async () => {
    const log = new FaultyLog().create('source');
    log.log.create('dead', { config: { maxMessageBytes: 100 } });
    log.publish(topic('source', { key: string(), value: bytes() }), [
      { key: 'a', value: utf8(`[${'1,'.repeat(2_000)}`) },
    ]);
    const error = await failure(
      log.run(source.pipe(to(out)), { until: 'end', onRecordError: deadLetter('dead') }).done,
    );
    expect(error).toMatchObject({ code: 'ERR_RECORD_TOO_LARGE', topic: 'dead' });
    expect(log.committed('app', 'source'), 'the record is not lost').toBeUndefined();
  });

  it('refuse a dead-letter topic that the stage reads', async () => {
    const log = new FaultyLog().create('source');
    log.publish(source, [at('a', 2)]);
    // It would feed itself for ever.
    expect(() => log.run(picky, { onRecordError: deadLetter('source') })).toThrow(/its own source source/);
    const own = topic('own', { key: string(), value: json<number>(), onRecordError: deadLetter('own') });
    expect(() => log.run(own.pipe(to(out)))).toThrow(ConfigError);
  });
});

describe('a throw in a plain RxJS operator', () => {
  it('rebuilds the tasks from the last commit, three times, then ends the application', async () => {
    const log = new FaultyLog().create('source');
    let calls = 0;
    const broken = source.pipe(
      tap(({ value }) => {
        if (value === 2) {
          calls += 1;
          throw new TypeError('plain');
        }
      }),
      to(out),
    );
    log.publish(source, [at('a', 1)]);
    const app = log.run(broken, { clock: hastyClock, onRecordError: 'skip' });
    await until('the first row', () => log.values().length === 1);
    log.publish(source, [at('a', 2)]);
    const error = await failure(app.done);
    expect(error).toMatchObject({ code: 'ERR_CHAIN', errorClass: 'abortable', step: 'to(out)' });
    expect(error, 'the record on which it threw').toMatchObject({ topic: 'source', partition: 0, offset: 1 });
    expect(error.message).toMatch(/above to\(out\) threw: TypeError: plain.*record policy/);
    expect(calls).toBe(4);
    expect(app.snapshot()).toMatchObject({ restarts: 3, state: 'failed' });
    expect(log.values(), 'nothing twice').toEqual([1]);
    expect(log.committed('app', 'source')).toBe(1);
  });

  it('is forgotten when a later try succeeds, and the count begins anew after a commit', async () => {
    const log = new FaultyLog().create('source');
    const failures = new Map<number, number>();
    const shaky = source.pipe(
      tap(({ value }) => {
        const before = failures.get(value) ?? 0;
        failures.set(value, before + 1);
        if (before < 3) throw new Error('shaky');
      }),
      to(out),
    );
    log.publish(source, [at('a', 1)]);
    const app = log.run(shaky, { clock: hastyClock });
    await until('the first row', () => log.values().length === 1);
    log.publish(source, [at('a', 2)]);
    await until('the second row', () => log.values().length === 2);
    await app.stop();
    expect(app.snapshot()).toMatchObject({ restarts: 6, state: 'stopped' });
  });
});

describe('a retriable failure of the log', () => {
  it('is tried again, with nothing twice', async () => {
    const log = new FaultyLog().create('source');
    let left = 3;
    log.fault = (call) => {
      if ((call === 'send' || call === 'commit') && left > 0) {
        left -= 1;
        throw new MillraceError('retriable', 'ERR_TEST', 'not now');
      }
    };
    log.publish(source, [at('a', 1), at('b', 3)]);
    const app = log.run(picky, { clock: hastyClock, until: 'end' });
    await app.done;
    expect(log.values()).toEqual([1, 3]);
    expect(app.snapshot().restarts).toBe(3);
  });

  it('ends the application when it stays, with its own error', async () => {
    const log = new FaultyLog().create('source');
    log.fault = (call) => {
      if (call === 'send') throw new MillraceError('retriable', 'ERR_TEST', 'never');
    };
    log.publish(source, [at('a', 1)]);
    expect(await failure(log.run(picky, { clock: hastyClock }).done)).toMatchObject({ code: 'ERR_TEST' });
    expect(log.closed).toBe(1);
  });

  it('of another kind than ours ends it with a typed error', async () => {
    for (const call of ['open', 'describe', 'group', 'commit', 'poll'] as const) {
      const log = new FaultyLog().create('source');
      log.publish(source, [at('a', 1)]);
      log.fault = (each) => {
        if (each === call) throw new TypeError(`a bug in ${call}`);
      };
      const error = await failure(log.run(picky, { until: 'end' }).done);
      expect(error, call).toBeInstanceOf(MillraceError);
      expect(error.cause ?? error, call).toBeInstanceOf(Error);
      expect(error.message, call).toContain(`a bug in ${call}`);
    }
  });
});

describe('topics that do not fit', () => {
  it('are refused when they are used together and differ in partitions', async () => {
    const names = table('names', { key: string(), value: json<string>() });
    const log = new FaultyLog().create('source', 2).create('names', 3);
    const error = await failure(
      log.run(
        source.pipe(
          joinTable(names, () => 1),
          to(out),
        ),
      ).done,
    );
    expect(error).toBeInstanceOf(ConfigError);
    expect(error).toMatchObject({ code: 'ERR_NOT_COPARTITIONED', stage: 'source+names' });
    expect(error.message).toMatch(/source has 2.*names has 3.* – .*through/);
  });

  it('adopt the number of what they are joined with', async () => {
    const names = table('names', { key: string(), value: json<string>() });
    const log = new FaultyLog().create('source', 2).create('names', 3);
    await log.run(
      source.pipe(
        through(shuffle),
        joinTable(names, () => 1),
        to(out),
      ),
      { until: 'end' },
    ).done;
    expect(log.log.describe('shuffle')?.partitions).toBe(3);
  });

  it.each([
    [2, 4],
    [4, 2],
  ])('take the larger number where two shuffles meet: of %s and %s', async (first, last) => {
    const second = topic('second', { key: string(), value: json<number>() });
    const other = topic('other', { key: string(), value: json<number>() });
    const log = new FaultyLog().create('source', first).create('second', last);
    await log.run(
      merge(source.pipe(through(shuffle)), second.pipe(through(other))).pipe(
        mapValues((n) => n),
        to(out),
      ),
      {
        until: 'end',
      },
    ).done;
    expect([log.log.describe('shuffle')?.partitions, log.log.describe('other')?.partitions]).toEqual([4, 4]);
  });

  it('are refused when they have another number than they are declared with', async () => {
    const three = topic('source', { key: string(), value: json<number>(), partitions: 3 });
    const error = await failure(new FaultyLog().create('source', 2).run(three.pipe(to(out))).done);
    expect(error).toMatchObject({ code: 'ERR_PARTITION_COUNT', topic: 'source' });
    const sink = topic('out', { key: string(), value: json<number>(), partitions: 3 });
    const log = new FaultyLog().create('source', 2).create('out', 2);
    expect(await failure(log.run(source.pipe(to(sink))).done)).toMatchObject({
      code: 'ERR_PARTITION_COUNT',
      topic: 'out',
    });
  });

  it('are refused with another number in one of several places', async () => {
    const log = new FaultyLog().create('source', 2);
    const readable = topic('shuffle', { key: string(), value: json<number>() });
    const wide = topic('shuffle', { key: string(), value: json<number>(), partitions: 3 });
    log.create('shuffle', 2);
    const error = await failure(log.run([source.pipe(to(wide)), readable.pipe(to(out))], { until: 'end' }).done);
    expect(error).toMatchObject({ code: 'ERR_PARTITION_COUNT', topic: 'shuffle' });
  });
});

describe('records that are gone', () => {
  it('end the application with the range that is lost', async () => {
    const log = new FaultyLog().create('source');
    log.publish(
      source,
      [1, 3, 5, 7].map((n) => at('a', n)),
    );
    await log.run(source.pipe(to(out)), { until: 'end' }).done;
    log.publish(
      source,
      [9, 11, 13].map((n) => at('a', n)),
    );
    log.log.deleteRecords('source', [{ partition: 0, offset: 6 }]);
    const error = await failure(log.run(source.pipe(to(out)), { until: 'end' }).done);
    expect(error).toMatchObject({
      code: 'ERR_OFFSET_OUT_OF_RANGE',
      topic: 'source',
      partition: 0,
      offset: 4,
      lastOffset: 5,
    });
    expect(error.message).toMatch(/4 to 5/);
    expect(log.values()).toEqual([1, 3, 5, 7]);
    // What it says can be done, and is enough.
    expect(error.hint).toContain("client.setCommitted('app', 'source', new Map([[0, 6]]))");
    const client = await connect({ transport: log.open });
    await client.setCommitted('app', 'source', new Map([[0, 6]]));
    await client.close();
    await log.run(source.pipe(to(out)), { until: 'end' }).done;
    expect(log.values()).toEqual([1, 3, 5, 7, 13]);
  });
});

describe('options that cannot be meant are refused at once', () => {
  const options = (wrong: object): RunOptions => ({ applicationId: 'app', transport: new FaultyLog().open, ...wrong });

  it.each<[string, object, string]>([
    ['no name', { applicationId: undefined }, 'ERR_APPLICATION_ID'],
    ['an empty name', { applicationId: '' }, 'ERR_APPLICATION_ID'],
    ['a name with a blank', { applicationId: 'my app' }, 'ERR_APPLICATION_ID'],
    ['a name that is a path', { applicationId: '../app' }, 'ERR_APPLICATION_ID'],
    ['another until', { until: 'now' }, 'ERR_OPTION'],
    ['openWindows without until', { openWindows: 'close' }, 'ERR_OPTION'],
    ['another openWindows', { until: 'end', openWindows: 'shut' }, 'ERR_OPTION'],
    ['another start', { startFrom: 'beginning' }, 'ERR_OPTION'],
    ['another policy', { onRecordError: 'ignore' }, 'ERR_OPTION'],
    ['a policy without topic', { onRecordError: {} }, 'ERR_OPTION'],
    ['a dead-letter topic that cannot be', { onRecordError: deadLetter('no topic!') }, 'ERR_TOPIC_NAME'],
    ['an interval without unit', { commitInterval: '100' }, 'ERR_DURATION'],
    ['a deadline that is a number', { stopDeadline: 10 }, 'ERR_DURATION'],
    ['another compression', { compression: 'brotli' }, 'ERR_OPTION'],
    ['a negative cache', { cacheEntries: -1 }, 'ERR_OPTION'],
    ['a cache of half a byte', { cacheBytes: 0.5 }, 'ERR_OPTION'],
    ['a durability beside a transport', { durability: 'fsync' }, 'ERR_OPTION'],
    ['a path beside a transport', { path: './data' }, 'ERR_OPTION'],
    ['another durability', { transport: undefined, durability: 'disk' }, 'ERR_OPTION'],
    ['a slip of the fingers', { comitInterval: '1s' }, 'ERR_OPTION'],
    ['an option of kafka in the wrong place', { guarantee: 'exactly-once' }, 'ERR_OPTION'],
    ['a batch by another name', { batch: { size: 100 } }, 'ERR_OPTION'],
    ['a broker without port', { transport: undefined, brokers: ['localhost'] }, 'ERR_OPTION'],
    [
      'a slip in what is about Kafka',
      { transport: undefined, brokers: ['localhost:9092'], kafka: { garantee: 'exactly-once' } },
      'ERR_OPTION',
    ],
  ])('%s', (_name, wrong, code) => {
    let error: unknown;
    try {
      run(source.pipe(to(out)), options(wrong)).done.catch(() => undefined);
    } catch (caught) {
      error = caught;
    }
    expect(error).toBeInstanceOf(ConfigError);
    expect(error).toMatchObject({ code });
    expect((error as ConfigError).hint).toBeDefined();
  });

  it('no options at all, and what is no pipeline', () => {
    expect(() => run(source.pipe(to(out)), undefined as never)).toThrow(ConfigError);
    for (const nothing of [undefined, null, 7, 'source', {}, [], [1], table('t', { key: string(), value: json() })]) {
      expect(() => run(nothing as never, options({})), JSON.stringify(nothing)).toThrow(/not a pipeline/);
    }
    expect(() => run(source.pipe(to(source)), options({}))).toThrow(/its own source/);
  });
});

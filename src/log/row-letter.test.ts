import {
  agg,
  aggregate,
  bytes,
  type Client,
  connect,
  deadLetter,
  filterValues,
  hopping,
  int32,
  json,
  type Logger,
  mapAsync,
  mapValues,
  memoryTransport,
  msgpack,
  nullable,
  type Pipeline,
  type RunOptions,
  run,
  string,
  type Topic,
  to,
  topic,
  tumbling,
  union,
  windowBy,
} from 'millrace';
import { TestDriver, type TestDriverOptions } from 'millrace/testing';
import { map } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { memoryStores } from '../state/memory-backend.ts';

const clicks = topic('clicks', { key: string(), value: json<number>(), partitions: 1 });
const counts = topic('counts', { key: string(), value: json<unknown>(), partitions: 1 });
const letters = topic('letters', { key: string(), value: nullable(json<unknown>()), partitions: 1 });
const raw = topic('letters', { key: nullable(bytes()), value: nullable(bytes()), partitions: 1 });

const TEN = tumbling({ size: '10ms', grace: '0s' });
const PUT_ASIDE = { onRecordError: deadLetter('letters') };
const at = (timestamp: number, key: string, value = 1) => ({ key, value, timestamp });
const sum = agg.sum((n: number) => n);

function refuse(value: number): number {
  if (value >= 13) throw new Error('too many');
  return value;
}

type Headed = { readonly headers: readonly (readonly [string, Uint8Array | null])[] };

/** The headers of the library, without that prefix, and without what is the same in all of these tests. */
function said({ headers }: Headed): Record<string, string> {
  const decoder = new TextDecoder();
  const ours = headers.map(([name, value]) => [name.replace('millrace.', ''), decoder.decode(value ?? undefined)]);
  const own = ours.filter(([name]) => /^(row|origin|applied|step)/.test(name ?? ''));
  return Object.fromEntries(own) as Record<string, string>;
}

/** A window of ada's with 13 and of bob's with 2, closed by a record of cy's. */
function closing(pipeline: Pipeline, options: TestDriverOptions = PUT_ASIDE): TestDriver {
  const driver = new TestDriver(pipeline, options);
  driver.pipeAll(clicks, [at(1, 'ada', 12), at(2, 'bob', 2), at(3, 'ada', 1)]);
  driver.pipe(clicks, at(10, 'cy', 100));
  return driver;
}

const windowed = clicks.pipe(windowBy(TEN, sum, { store: 'sums' }));

describe('a row of a closed window that fails below it', () => {
  it('becomes a letter of its own: key and value of the row, and nothing of the record that closed the window', () => {
    const driver = closing(
      windowed.pipe(
        mapValues((n) => refuse(n)),
        to(counts),
      ),
    );
    expect(driver.read(counts).map(({ key, value }) => [key, value])).toEqual([['bob', 2]]);
    const [letter, ...others] = driver.read(letters);
    expect(others).toEqual([]);
    expect(letter).toMatchObject({ key: 'ada', value: 13 });
    expect(said(letter as Headed)).toEqual({
      step: 'mapValues',
      'row.step': 'windowBy(sums)',
      'row.key': 'ada',
      'row.window.start': '0',
      'row.window.end': '10',
      'row.timestamp': '3',
      'row.holds': 'value',
      'row.encoding': 'json',
      'row.emitted-at.topic': 'clicks',
      'row.emitted-at.partition': '0',
      'row.emitted-at.offset': '3',
    });
    expect(driver.tasks()[0]).toMatchObject({ deadLettered: 1 });
  });

  it('is named by the error that ends the application, which points at no record', () => {
    const failing = (): unknown =>
      closing(
        windowed.pipe(
          mapValues((n) => refuse(n)),
          to(counts),
        ),
        {},
      );
    expect(failing).toThrow(
      expect.objectContaining({
        code: 'ERR_USER_CODE',
        topic: 'clicks',
        partition: 0,
        offset: undefined,
        message: expect.stringContaining(
          'user code failed: Error: too many (this is a row of windowBy(sums) with key "ada" and window [0, 10), emitted at clicks/0@3)',
        ) as string,
      }),
    );
  });

  it('is named where a plain operator throws, too', () => {
    const pipeline = windowed.pipe(
      map((record) => ({ ...record, value: refuse(record.value) })),
      filterValues(() => true),
      to(counts),
    );
    expect(() => closing(pipeline)).toThrow(/ERR_CHAIN|too many \(this is a row of windowBy\(sums\) with key "ada"/);
    expect(() => closing(pipeline)).toThrow(expect.objectContaining({ code: 'ERR_CHAIN', offset: undefined }));
  });

  it('stays one while an asynchronous step works on it', async () => {
    const driver = closing(
      windowed.pipe(
        mapAsync(async (value) => refuse(value)),
        to(counts),
      ),
    );
    await driver.settled();
    driver.pipe(clicks, at(11, 'cy'));
    const put = driver.read(letters);
    expect(put.map(({ key, value }) => [key, value])).toEqual([['ada', 13]]);
    expect(said(put[0] as Headed)).toMatchObject({ 'row.window.end': '10', 'row.emitted-at.offset': '3' });
    expect(said(put[0] as Headed)).not.toHaveProperty('origin.offset');
  });

  it('stays one below an asynchronous step', async () => {
    const driver = closing(
      windowed.pipe(
        mapAsync(async (value) => value),
        mapValues((n) => refuse(n)),
        to(counts),
      ),
    );
    await driver.settled();
    expect(driver.read(letters).map(({ key, value }) => [key, value])).toEqual([['ada', 13]]);
  });

  it('is one when the windows close at the end of a bounded run', () => {
    const driver = new TestDriver(
      windowed.pipe(
        mapValues((n) => refuse(n)),
        to(counts),
      ),
      PUT_ASIDE,
    );
    driver.pipe(clicks, at(1, 'ada', 13));
    driver.end('close');
    const [letter] = driver.read(letters);
    expect(letter).toMatchObject({ key: 'ada', value: 13 });
    expect(said(letter as Headed)).toMatchObject({ 'row.window.start': '0', 'row.emitted-at.offset': '-1' });
    const failing = new TestDriver(
      windowed.pipe(
        mapValues((n) => refuse(n)),
        to(counts),
      ),
    );
    failing.pipe(clicks, at(1, 'ada', 13));
    expect(() => failing.end('close')).toThrow(/key "ada" and window \[0, 10\), emitted at the end of the input\)/);
  });

  it('is that of the window nearest above', () => {
    const twice = windowed.pipe(
      windowBy(tumbling({ size: '20ms', grace: '0s' }), sum, { store: 'twenties' }),
      mapValues((n) => refuse(n)),
      to(counts),
    );
    const driver = closing(twice);
    driver.pipe(clicks, at(30, 'dan', 1));
    driver.pipe(clicks, at(90, 'dan', 1));
    driver.pipe(clicks, at(190, 'dan', 1));
    const put = driver.read(letters);
    expect(put.map(({ key, value }) => [key, value])).toEqual([
      ['ada', 13],
      ['cy', 100],
    ]);
    expect(said(put[0] as Headed)).toMatchObject({ 'row.step': 'windowBy(twenties)', 'row.window.end': '20' });
  });

  it('stays one where two ways meet again', () => {
    const both = union(windowed, windowed.pipe(mapValues((n) => n + 1)));
    const driver = closing(
      both.pipe(
        mapValues((n) => refuse(n)),
        to(counts),
      ),
    );
    const put = driver.read(letters);
    expect(put.map((letter) => [letter.value, said(letter)['row.key'], said(letter)['origin.offset']])).toEqual([
      [13, 'ada', undefined],
      [13, 'ada', undefined],
    ]);
  });

  it('leaves the record at hand what it is', () => {
    const driver = new TestDriver(
      [
        clicks.pipe(
          windowBy(TEN, sum, { store: 'sums' }),
          mapValues((n) => refuse(n)),
          to(counts),
        ),
        clicks.pipe(
          mapValues((n) => refuse(n)),
          to(counts),
        ),
      ],
      PUT_ASIDE,
    );
    driver.pipeAll(clicks, [at(1, 'ada', 12), at(2, 'ada', 12), at(10, 'cy', 100)]);
    const put = driver.read(letters);
    expect(put.map(({ key, value }) => [key, value])).toEqual([
      ['ada', 24],
      ['cy', 100],
    ]);
    expect(said(put[1] as Headed)).toMatchObject({ 'origin.topic': 'clicks', 'origin.offset': '2' });
    expect(said(put[1] as Headed)).not.toHaveProperty('row.step');
  });
});

describe('a row that cannot be made', () => {
  const picky = agg.custom({
    init: () => ({ sum: 0 }),
    add: (state, n: number) => ({ sum: state.sum + n }),
    result: (state) => refuse(state.sum),
  });

  it('becomes a letter with the state of its window, which is in no store any more', () => {
    const driver = closing(clicks.pipe(windowBy(TEN, picky, { store: 'sums' }), to(counts)));
    const [letter] = driver.read(letters);
    expect(letter).toMatchObject({ key: 'ada', value: { sum: 13 } });
    expect(said(letter as Headed)).toMatchObject({ step: 'windowBy(sums)', 'row.holds': 'state', 'row.key': 'ada' });
  });

  it('becomes a letter with the stored bytes where they cannot be read', () => {
    const stores = memoryStores();
    const start = (schema: z.ZodType<{ n: number }>) => {
      const kept = agg.custom({ name: 'kept', init: () => ({ n: 1 }), add: (all) => all, state: json(schema) });
      return new TestDriver(clicks.pipe(windowBy(TEN, kept, { store: 'kept' }), to(counts)), { stores, ...PUT_ASIDE });
    };
    start(z.object({ n: z.number() })).pipe(clicks, at(1, 'ada'));
    const after = start(z.object({ n: z.literal(2) }) as z.ZodType<{ n: number }>);
    after.end('close');
    const [letter] = after.read(raw);
    expect(new TextDecoder().decode(letter?.key ?? undefined)).toBe('ada');
    expect(new TextDecoder().decode(letter?.value ?? undefined)).toContain('{"n":1}');
    expect(said(letter as Headed)).toMatchObject({
      'row.holds': 'stored',
      'row.encoding': 'bytes',
      'row.timestamp': '-1',
    });
  });
});

describe('the value of such a letter', () => {
  const made = (result: unknown): [encoding: string, value: Uint8Array | null | undefined] => {
    const strange = agg.custom({ init: () => 0, add: (n: number) => n, result: () => result });
    const fail = (): never => {
      throw new Error('no');
    };
    const driver = closing(clicks.pipe(windowBy(TEN, strange, { store: 'sums' }), mapValues(fail), to(counts)));
    const [letter] = driver.read(raw);
    return [said(letter as Headed)['row.encoding'] ?? '', letter?.value];
  };
  const text = (value: Uint8Array | null | undefined): string => new TextDecoder().decode(value ?? undefined);

  it('is JSON where that says all of it', () => {
    for (const value of ['a', 1.5, true, null, [1, null], { a: { b: ['c'] } }]) {
      const [encoding, written] = made(value);
      expect([encoding, text(written)]).toEqual(['json', JSON.stringify(value)]);
    }
  });

  it('is MessagePack where only that does', () => {
    for (const value of [5n, { at: new Date(5) }, [Number.NaN], { raw: Uint8Array.of(1, 2) }]) {
      const [encoding, written] = made(value);
      expect(encoding).toBe('msgpack');
      expect(msgpack().deserialize(written as Uint8Array)).toEqual(value);
    }
  });

  it('is never nothing, which would be a tombstone', () => {
    for (const value of [new Map([[1, 2]]), undefined]) {
      const [encoding, written] = made(value);
      expect(encoding).toBe('text');
      expect(text(written)).not.toBe('');
    }
  });

  it('is cut to what the topic takes, with size and hash of the whole', async () => {
    const long = agg.custom({ init: () => '', add: (all: string) => `${all}${'x'.repeat(2000)}` });
    const transport = memoryTransport();
    const writer = await connect({ transport });
    await writer.topics.create('letters', { partitions: 1, config: { maxMessageBytes: 1500 } });
    await writer.publishAll(clicks, [at(1, 'ada'), at(10, 'bob')]);
    const fail = (): never => {
      throw new Error('no');
    };
    const pipeline = clicks.pipe(windowBy(TEN, long, { store: 'long' }), mapValues(fail), to(counts));
    await run(pipeline, { applicationId: 'cut', transport, until: 'end', ...PUT_ASIDE }).done;
    const [letter] = await records(writer, raw);
    expect(letter?.value?.length).toBeGreaterThan(100);
    expect(said(letter as Headed)).toMatchObject({ 'row.key': 'ada', 'row.value.size': '2002' });
    expect(said(letter as Headed)['row.value.sha256']).toMatch(/^[0-9a-f]{64}$/);
    await writer.close();
  });
});

describe('a row on update', () => {
  it('is about the record at hand, whose letter says that it is counted already', () => {
    const stepsOf = (pipeline: Pipeline): unknown[] => {
      const driver = new TestDriver(pipeline, PUT_ASIDE);
      driver.pipeAll(clicks, [at(1, 'ada', 12), at(2, 'ada', 2)]);
      return driver
        .read(letters)
        .map((letter) => [letter.value, said(letter)['applied'], said(letter)['origin.offset']]);
    };
    expect(
      stepsOf(
        clicks.pipe(
          aggregate(sum, { store: 'sums' }),
          mapValues((n) => refuse(n)),
          to(counts),
        ),
      ),
    ).toEqual([[2, 'aggregate(sums)', '1']]);
    const updates = { store: 'sums', emit: 'updates' } as const;
    expect(
      stepsOf(
        clicks.pipe(
          windowBy(TEN, sum, updates),
          mapValues((n) => refuse(n)),
          to(counts),
        ),
      ),
    ).toEqual([[2, 'windowBy(sums)', '1']]);
    const hops = hopping({ size: '10ms', advance: '5ms', grace: '0s' });
    const own = agg.custom({ init: () => 0, add: (n, more: number) => n + more, result: (n) => refuse(n) });
    expect(stepsOf(clicks.pipe(windowBy(hops, own, { store: 'sums', emit: 'updates' }), to(counts)))).toEqual([
      [2, 'windowBy(sums)', '1'],
    ]);
    expect(
      stepsOf(
        clicks.pipe(
          mapValues((n) => refuse(n + 11)),
          to(counts),
        ),
      ),
    ).toEqual([
      [12, undefined, '0'],
      [2, undefined, '1'],
    ]);
  });
});

async function records<V>(client: Client, from: Topic<Uint8Array | null, V>) {
  const all = [];
  for await (const record of client.records(from, { from: 'earliest', until: 'end' })) all.push(record);
  return all;
}

describe('what a log is told of it', () => {
  const warnings: (readonly [string, Record<string, unknown>])[] = [];
  const logger: Logger = {
    debug() {},
    info() {},
    warn: (fields, message) => void warnings.push([message, fields as Record<string, unknown>]),
    error() {},
  };

  async function warned(options: Partial<RunOptions>): Promise<typeof warnings> {
    warnings.length = 0;
    const transport = memoryTransport();
    const client = await connect({ transport });
    const byNumber = topic('numbers', { key: int32(), value: json<number>(), partitions: 1 });
    await client.publishAll(byNumber, [
      { key: 7, value: 13, timestamp: 1 },
      { key: 8, value: 1, timestamp: 10 },
    ]);
    const pipeline = byNumber.pipe(
      windowBy(TEN, sum, { store: 'sums' }),
      mapValues((n) => refuse(n)),
    );
    await run(pipeline, { applicationId: 'warned', transport, until: 'end', openWindows: 'keep', logger, ...options })
      .done;
    await client.close();
    return warnings.filter(([message]) => message.includes('row'));
  }

  it('names key and window', async () => {
    const named = { row: 'windowBy(sums)', key: '7', window: { start: 0, end: 10 }, error: 'Error: too many' };
    expect(await warned({ onRecordError: 'skip' })).toEqual([['row skipped', expect.objectContaining(named)]]);
    expect(await warned(PUT_ASIDE)).toEqual([['row sent to the dead-letter topic', expect.objectContaining(named)]]);
    await expect(warned({})).rejects.toThrow(/with key 7 and window \[0, 10\)/);
  });
});

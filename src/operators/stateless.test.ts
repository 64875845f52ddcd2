import {
  deadLetter,
  filterValues,
  flatMapRecord,
  flatMapValues,
  keyBy,
  mapRecord,
  mapValues,
  RecordError,
  type StreamRecord,
  to,
} from 'millrace';
import { TestDriver, type TestRecord } from 'millrace/testing';
import { map, type Observable, tap } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { dead, headers, input, other, output, show, shown, texts, thrown } from './operators.fixtures.ts';

const original = { key: 'k', value: 4, timestamp: 77, headers: headers(['h', '1'], ['h', '2']) };

type Feed = TestRecord<string | null, number | null>;

/** Runs one record through a pipeline and returns what it writes. */
function through(pipeline: Observable<unknown>, record: Feed = original): StreamRecord<unknown, unknown>[] {
  const driver = new TestDriver(pipeline);
  driver.pipe(input, record);
  return driver.read(output);
}

describe('stateless operators keep what they do not change', () => {
  it.each([
    [
      'mapValues',
      input.pipe(
        mapValues((n) => (n ?? 0) * 2),
        to(output),
      ),
      'k=8@77',
    ],
    [
      'filterValues',
      input.pipe(
        filterValues((n) => n === 4),
        to(output),
      ),
      'k=4@77',
    ],
    [
      'flatMapValues',
      input.pipe(
        flatMapValues((n) => new Set([n])),
        to(output),
      ),
      'k=4@77',
    ],
    [
      'keyBy',
      input.pipe(
        keyBy((n) => `n${n}`),
        to(output),
      ),
      'n4=4@77',
    ],
    [
      'mapRecord',
      input.pipe(
        mapRecord(({ key, value }) => ({ key: `${key}!`, value })),
        to(output),
      ),
      'k!=4@77',
    ],
    [
      'flatMapRecord',
      input.pipe(
        flatMapRecord(({ key, value }) => [{ key: `${key}?`, value }]),
        to(output),
      ),
      'k?=4@77',
    ],
    [
      'rxjs map',
      input.pipe(
        map((record) => ({ ...record, value: 5 })),
        to(output),
      ),
      'k=5@77',
    ],
  ])('%s: timestamp and headers, with duplicates and their order', (_name, pipeline, expected) => {
    const [row, ...more] = through(pipeline);
    expect(more).toEqual([]);
    expect(row && show(row)).toBe(expected);
    expect(row?.headers).toEqual(original.headers);
  });

  it('tell user code about the whole record', () => {
    const seen: unknown[] = [];
    const note = (
      value: unknown,
      record: { offset: number; topic: string; partition: number; key: unknown },
    ): boolean => {
      seen.push([value, record.key, record.topic, record.partition, record.offset]);
      return true;
    };
    const pipeline = input.pipe(
      mapValues(note),
      filterValues(note),
      flatMapValues((v, r) => [note(v, r)]),
      keyBy(note),
    );
    new TestDriver(pipeline).pipe(input, original);
    expect(seen).toEqual([
      [4, 'k', 'input', 0, 0],
      [true, 'k', 'input', 0, 0],
      [true, 'k', 'input', 0, 0],
      [true, 'k', 'input', 0, 0],
    ]);
  });

  it('let null keys and null values pass: they are stateless', () => {
    const same = input.pipe(
      mapValues((n) => n),
      filterValues(() => true),
      flatMapValues((n) => [n]),
      to(output),
    );
    expect(shown(through(same, { key: null, value: 1, timestamp: 1 }))).toEqual(['null=1@1']);
    expect(shown(through(same, { key: 'a', value: null, timestamp: 1 }))).toEqual(['a=null@1']);
  });
});

describe('a throw in user code goes to the record policy', () => {
  const boom = (n: number | null): number => {
    if (n === 2) throw new TypeError('two is not allowed');
    return n ?? 0;
  };
  const pipelines: Readonly<Record<string, Observable<unknown>>> = {
    mapValues: input.pipe(mapValues(boom), to(output)),
    filterValues: input.pipe(
      filterValues((n) => boom(n) >= 0),
      to(output),
    ),
    flatMapValues: input.pipe(
      flatMapValues((n) => [boom(n)]),
      to(output),
    ),
  };
  const feed = (driver: TestDriver): void =>
    driver.pipeAll(
      input,
      [1, 2, 3].map((value) => ({ ...original, value })),
    );

  it.each(Object.entries(pipelines))('%s: fail', (name, pipeline) => {
    const driver = new TestDriver(pipeline);
    const error = thrown(() => feed(driver));
    expect(error).toBeInstanceOf(RecordError);
    expect(error).toMatchObject({
      code: 'ERR_USER_CODE',
      topic: 'input',
      partition: 0,
      offset: 1,
      step: name,
      stage: 'input',
    });
    expect(error.message).toMatch(
      /TypeError: two is not allowed \[input\/0@1, step \w+, stage input\] – .*onRecordError/,
    );
    expect(error.cause).toBeInstanceOf(TypeError);
    expect(driver.read(output), 'nothing after the last commit counts').toEqual([]);
    expect(
      thrown(() => driver.pipe(input, original)),
      'it stays failed',
    ).toBe(error);
  });

  it.each(Object.entries(pipelines))('%s: skip', (_name, pipeline) => {
    const driver = new TestDriver(pipeline, { onRecordError: 'skip' });
    feed(driver);
    expect(driver.read(output)).toHaveLength(2);
    expect(driver.tasks()[0]).toMatchObject({ recordsIn: 3, recordsOut: 2, skipped: 1, deadLettered: 0 });
    driver.restart();
    expect(driver.read(output), 'its offset is committed').toEqual([]);
  });

  it('keeps siblings and what the record has written before the failing step', () => {
    const driver = new TestDriver(
      [
        input.pipe(to(other), mapValues(boom), to(output)),
        input.pipe(
          mapValues(() => 's'),
          to(output),
        ),
      ],
      {
        onRecordError: 'skip',
      },
    );
    feed(driver);
    expect(driver.read(other).map(({ value }) => value)).toEqual([1, 2, 3]);
    expect(driver.read(output).map(({ value }) => value)).toEqual([1, 's', 's', 3, 's']);
    expect(driver.tasks()[0]).toMatchObject({ skipped: 1 });
  });

  it('writes dead letters with the bytes and headers as they were, why and whence', () => {
    const driver = new TestDriver(
      input.pipe(
        mapValues((n) => n),
        keyBy(() => 'changed'),
        mapValues(boom),
        to(output),
      ),
      {
        onRecordError: deadLetter('dead'),
        applicationId: 'app',
        startTime: 5000,
      },
    );
    feed(driver);
    const letters = driver.read(dead);
    expect(shown(letters), 'as old as the failure').toEqual(['k=2@5000']);
    expect(letters[0]?.headers.slice(0, 2)).toEqual(original.headers);
    expect(texts(letters[0]?.headers ?? [])).toMatchObject({
      'millrace.error.code': 'ERR_USER_CODE',
      'millrace.error.class': 'record',
      'millrace.error.message': expect.stringContaining('two is not allowed'),
      'millrace.application': 'app',
      'millrace.stage': 'input',
      'millrace.step': 'mapValues',
      'millrace.origin.topic': 'input',
      'millrace.origin.partition': '0',
      'millrace.origin.offset': '1',
      'millrace.origin.timestamp': '77',
    });
    expect(driver.tasks()[0]).toMatchObject({ skipped: 0, deadLettered: 1 });
  });

  it('also where something else than an error is thrown', () => {
    const driver = new TestDriver(
      input.pipe(
        mapValues(() => {
          throw undefined as unknown;
        }),
      ),
    );
    expect(thrown(() => driver.pipe(input, original))).toMatchObject({ code: 'ERR_USER_CODE' });
  });

  it('but not where a plain RxJS operator throws: that breaks the chain', () => {
    const driver = new TestDriver(
      input.pipe(
        tap(({ value }) => boom(value)),
        to(output),
      ),
      { onRecordError: 'skip' },
    );
    expect(thrown(() => feed(driver))).toMatchObject({ code: 'ERR_CHAIN', errorClass: 'abortable' });
  });
});

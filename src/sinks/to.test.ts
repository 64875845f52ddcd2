import {
  agg,
  bytes,
  deadLetter,
  int32,
  json,
  keyBy,
  mapValues,
  nullable,
  string,
  to,
  topic,
  tumbling,
  windowBy,
} from 'millrace';
import { TestDriver } from 'millrace/testing';
import { describe, expect, it } from 'vitest';
import { dead, headers, input, other, output, shown, texts, thrown } from '../operators/operators.fixtures.ts';

const at = (key: string | null, value: number | null, timestamp = 1) => ({ key, value, timestamp });

describe('to', () => {
  it('writes a record and passes it on', () => {
    const driver = new TestDriver(
      input.pipe(
        to(output),
        mapValues((n) => [n]),
        to(other),
      ),
    );
    driver.pipe(input, at('a', 1));
    expect(shown(driver.read(output))).toEqual(['a=1@1']);
    expect(shown(driver.read(other))).toEqual(['a=[1]@1']);
    expect(driver.tasks()[0]).toMatchObject({ recordsOut: 2 });
  });

  it('sets headers and timestamp of what it writes, not of what it passes on', () => {
    const driver = new TestDriver(
      input.pipe(
        to(output, { headers: (r) => headers(['key', `${r.key}`]), timestamp: (r) => r.timestamp + 5 }),
        to(other),
      ),
    );
    driver.pipe(input, { ...at('a', 1), headers: headers(['h', 'x']) });
    const [row] = driver.read(output);
    expect(row?.timestamp).toBe(6);
    expect(texts(row?.headers ?? [])).toEqual({ key: 'a' });
    expect(driver.read(other)).toMatchObject([{ timestamp: 1, headers: headers(['h', 'x']) }]);
  });

  it('writes the bounds of a window into headers where it is told to, instead of those that came along', () => {
    const windows = input.pipe(
      windowBy(tumbling({ size: '10ms', grace: '0s' }), agg.count(), { store: 'counts', emit: 'updates' }),
    );
    const driver = new TestDriver([windows.pipe(to(output, { window: 'headers' })), windows.pipe(to(other))]);
    driver.pipe(input, { ...at('a', 1, 25), headers: headers(['h', 'x'], ['millrace.window.start', '7']) });
    expect(
      driver.read(output)[0]?.headers.map(([name, value]) => [name, new TextDecoder().decode(value ?? undefined)]),
    ).toEqual([
      ['h', 'x'],
      ['millrace.window.start', '20'],
      ['millrace.window.end', '30'],
    ]);
    expect(texts(driver.read(other)[0]?.headers ?? [])).toEqual({ h: 'x', 'millrace.window.start': '7' });
    expect(thrown(() => to(output, { window: 'key' as never }))).toMatchObject({ code: 'ERR_OPTION' });
  });

  it.each([-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY])('refuses to write the timestamp %s', (timestamp) => {
    const driver = new TestDriver(input.pipe(to(output, { timestamp: () => timestamp })), { onRecordError: 'skip' });
    driver.pipe(input, at('a', 1));
    expect(driver.read(output)).toEqual([]);
    expect(driver.tasks()[0]).toMatchObject({ skipped: 1, recordsOut: 0 });
  });

  it('picks a topic by record, among those declared', () => {
    const pipeline = input.pipe(
      to((r) => (r.value === 1 ? output : r.value === 2 ? other : dead), { topics: [output, other] }),
    );
    const driver = new TestDriver(pipeline, { onRecordError: 'skip' });
    driver.pipeAll(input, [at('a', 1), at('b', 2), at('c', 3)]);
    expect(shown(driver.read(output))).toEqual(['a=1@1']);
    expect(shown(driver.read(other))).toEqual(['b=2@1']);
    expect(driver.tasks()[0]).toMatchObject({ skipped: 1 });
    const strict = new TestDriver(pipeline);
    const error = thrown(() => strict.pipe(input, at('c', 3)));
    expect(error).toMatchObject({ code: 'ERR_UNDECLARED_TOPIC' });
    expect(error.message).toContain('dead');
  });

  it('goes to the policy when the pick returns nothing or throws', () => {
    const nothing = to((() => undefined) as never, { topics: [output] });
    const throws = to(
      (() => {
        throw new Error('pick');
      }) as never,
      { topics: [output] },
    );
    for (const pick of [nothing, throws]) {
      const driver = new TestDriver(input.pipe(pick as never), { onRecordError: 'skip' });
      driver.pipe(input, at('a', 1));
      expect(driver.tasks()[0]).toMatchObject({ skipped: 1 });
    }
  });

  it('refuses a function without topics', () => {
    for (const topics of [undefined, []]) {
      expect(thrown(() => to(() => output, { topics: topics as [] }))).toMatchObject({ code: 'ERR_SINK_TOPICS' });
    }
  });

  it('writes tombstones, and refuses a null key where the topic has none', () => {
    const strict = topic('strict', { key: string(), value: json<number>() });
    const driver = new TestDriver(input.pipe(to(strict as never)), { onRecordError: 'skip' });
    driver.pipeAll(input, [at('a', null), at(null, 1)]);
    expect(shown(driver.read(topic('strict', { key: nullable(string()), value: nullable(json<number>()) })))).toEqual([
      'a=null@1',
    ]);
    expect(driver.tasks()[0]).toMatchObject({ skipped: 1 });
    expect(thrown(() => new TestDriver(input.pipe(to(strict as never))).pipe(input, at(null, 1)))).toMatchObject({
      code: 'ERR_NULL_KEY',
      topic: 'input',
    });
  });

  it('sends what its serde cannot write to the policy', () => {
    const narrow = topic('narrow', { key: nullable(string()), value: int32() });
    const driver = new TestDriver(
      input.pipe(
        mapValues((n) => (n ?? 0) + 0.5),
        to(narrow),
      ),
      { onRecordError: deadLetter('dead') },
    );
    driver.pipe(input, at('a', 1));
    expect(driver.read(narrow)).toEqual([]);
    expect(shown(driver.read(dead))).toEqual(['a=1@0']);
  });

  it('sends a record that is too large for its topic to the policy, and the next one goes on', () => {
    const blobs = topic('blobs', { value: bytes() });
    const build = (n: number | null): Uint8Array => new Uint8Array((n ?? 0) * 1024 * 1024);
    const driver = new TestDriver(
      input.pipe(
        keyBy(() => null),
        mapValues(build),
        to(blobs),
      ),
      { onRecordError: deadLetter('dead') },
    );
    driver.pipeAll(input, [at('a', 0), at('b', 2), at('c', 0)]);
    expect(driver.read(blobs).map(({ value }) => value?.length)).toEqual([0, 0]);
    const letters = driver.read(dead);
    expect(shown(letters)).toEqual(['b=2@0']);
    expect(texts(letters[0]?.headers ?? [])).toMatchObject({ 'millrace.error.code': 'ERR_RECORD_TOO_LARGE' });
    const strict = new TestDriver(
      input.pipe(
        keyBy(() => null),
        mapValues(build),
        to(blobs),
      ),
    );
    expect(thrown(() => strict.pipe(input, at('b', 2)))).toMatchObject({ code: 'ERR_RECORD_TOO_LARGE' });
  });

  it('spreads records without a key over the partitions, batch by batch', () => {
    const keyless = topic('keyless', { value: json<number | null>() });
    const driver = new TestDriver(input.pipe(to(keyless as never)), { partitions: 3 });
    for (let n = 0; n < 6; n += 1) driver.pipe(input, { ...at('a', n), partition: 0 });
    const used = new Set(driver.read(keyless).map(({ partition }) => partition));
    expect(used).toEqual(new Set([0, 1, 2]));
  });
});

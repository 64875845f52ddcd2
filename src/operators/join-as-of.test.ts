import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { bytes, joinTable, json, nullable, string, table, to, topic } from '../index.ts';
import { memoryStores } from '../state/memory-backend.ts';
import { TestDriver, type TestDriverOptions } from '../testing/index.ts';
import { headers, shown, texts, thrown } from './operators.fixtures.ts';

const source = topic('source', { key: nullable(string()), value: nullable(json<string>()) });
const rows = topic('rows', { key: string(), value: nullable(json<string>()) });
const known = table('rows', { key: string(), value: json<string>(), history: '100ms' });
const out = topic('out', { key: nullable(string()), value: json<string>() });
const dead = topic('dead', { key: nullable(string()), value: nullable(bytes()) });
const pair = (value: string, row: string | null): string => `${value}+${row}`;
const waits = { grace: '5ms', store: 'waiting' } as const;

const row = (key: string, value: string | null, timestamp: number) => ({ key, value, timestamp });
const joined = (options: object = {}) =>
  source.pipe(joinTable(known, pair, { type: 'left', ...options } as { type: 'left' }), to(out));

describe('joinTable with a table that has a history', () => {
  it('finds the row of the time of the record (JT-3)', () => {
    const driver = new TestDriver(joined());
    driver.pipeAll(rows, [row('a', 'v10', 10), row('a', 'v15', 15), row('a', null, 20), row('a', 'v30', 30)]);
    driver.pipeAll(
      source,
      [9, 10, 14, 15, 19, 20, 30].map((timestamp) => ({ key: 'a', value: 's', timestamp })),
    );
    expect(driver.read(out).map(({ value }) => value)).toEqual(
      ['null', 'v10', 'v10', 'v15', 'v15', 'null', 'v30'].map((found) => `s+${found}`),
    );
  });

  it('waits for rows as long as it is told, and joins what is that old at once (JT-4)', () => {
    const driver = new TestDriver(joined(waits));
    const send = (timestamp: number, key = 'a', value: string | null = 's'): string[] => {
      driver.pipe(source, { key, value, timestamp });
      return shown(driver.read(out));
    };
    driver.pipe(rows, row('a', 'v1', 10));
    expect(send(12)).toEqual([]);
    driver.restart();
    expect([...driver.store('waiting-records').entries()]).toEqual([{ key: 'a', value: 's', timestamp: 12 }]);
    driver.pipe(rows, row('a', 'v2', 11));
    expect(send(16)).toEqual([]);
    expect(send(17)).toEqual(['a="s+v2"@12']);
    expect(send(11)).toEqual(['a="s+v2"@11']);
    expect(send(12)).toEqual(['a="s+v2"@12']);
    expect(send(99, 'a', null)).toEqual([]);
    expect(send(30, 'b')).toEqual(['a="s+v2"@16', 'a="s+v2"@17']);
    driver.end('close');
    expect(shown(driver.read(out))).toEqual(['b="s+null"@30']);
    expect([...driver.store('waiting-records').entries()]).toEqual([]);
  });

  it('keeps records that come twice, their headers and their order by key and arrival', () => {
    const driver = new TestDriver(joined(waits));
    for (const [at, key] of ['b', 'a', 'b', 'a'].entries()) {
      driver.pipe(source, { key, value: `${at}`, timestamp: 7, headers: headers(['at', `${at}`]) });
    }
    driver.pipe(source, { key: null, value: 'no key', timestamp: 1 });
    driver.pipe(source, { key: 'z', value: 'z', timestamp: 12 });
    const read = driver.read(out);
    expect(read.map(({ value }) => value)).toEqual(['no key+null', '1+null', '3+null', '0+null', '2+null']);
    expect(read.slice(1).map((each) => texts(each.headers)['at'])).toEqual(['1', '3', '0', '2']);
  });

  it('puts aside the record alone that fails when it is due', () => {
    const fussy = (value: string): string => {
      if (value === 'bad') throw new Error('refused');
      return value;
    };
    const driver = new TestDriver(source.pipe(joinTable(known, fussy, { type: 'left', ...waits }), to(out)), {
      onRecordError: { deadLetter: 'dead' },
    });
    driver.pipeAll(
      source,
      ['x', 'bad', 'y', 'z'].map((value, at) => ({ key: 'a', value, timestamp: at === 3 ? 99 : 1 })),
    );
    expect(shown(driver.read(out))).toEqual(['a="x"@1', 'a="y"@1']);
    const [letter, ...others] = driver.read(dead);
    expect(others).toEqual([]);
    expect(texts(letter?.headers ?? [])).toMatchObject({
      'millrace.row.step': 'joinTable(rows)',
      'millrace.row.timestamp': '1',
    });
    expect(new TextDecoder().decode(letter?.value ?? new Uint8Array())).toBe('"bad"');
  });

  it('puts aside the bytes of what a changed schema does not take', () => {
    const stores = memoryStores();
    const start = (schema: z.ZodType<string>, more: TestDriverOptions = {}): TestDriver =>
      new TestDriver(source.pipe(joinTable(known, pair, { type: 'left', ...waits, value: json(schema) }), to(out)), {
        stores,
        ...more,
      });
    start(z.string()).pipe(source, { key: 'a', value: 'long', timestamp: 1 });
    const driver = start(z.string().max(2), { onRecordError: { deadLetter: 'dead' } });
    driver.pipe(source, { key: 'a', value: 'z', timestamp: 99 });
    expect(shown(driver.read(out))).toEqual([]);
    expect(driver.read(dead).map((letter) => texts(letter.headers)['millrace.row.holds'])).toEqual(['stored']);
    expect([...driver.store('waiting-records').entries()].map(({ value }) => value)).toEqual(['z']);
  });

  it('refuses to wait for rows that the table does not know any more', () => {
    const plain = table('plain', { key: string(), value: json<string>() });
    const code = (work: () => unknown): string => thrown(work).code;
    expect(code(() => source.pipe(joinTable(plain, pair, { type: 'left', ...waits })))).toBe('ERR_OPTION');
    expect(code(() => joined({ ...waits, grace: '101ms' }))).toBe('ERR_OPTION');
    expect(code(() => joined({ grace: '5ms' }))).toBe('ERR_STORE_NAME');
    expect(code(() => joined({ store: 'waiting' }))).toBe('ERR_OPTION');
    expect(code(() => joined({ value: json() }))).toBe('ERR_OPTION');
  });
});

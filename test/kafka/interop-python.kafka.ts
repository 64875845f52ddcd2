import {
  array,
  asyncProperty,
  assert as check,
  constant,
  integer,
  jsonValue,
  oneof,
  record,
  string,
  tuple,
  uint8Array,
} from 'fast-check';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { whyNoPython } from '../../scripts/kafka/python.ts';
import type { Client } from '../../src/client/client.ts';
import type { PublishRecord } from '../../src/client/publish/published.ts';
import { connect } from '../../src/connect.ts';
import type { Compression } from '../../src/protocol/compression.ts';
import { bytes, json, msgpack, nullable, string as text } from '../../src/serdes/index.ts';
import { topic } from '../../src/streams/topic.ts';
import { unique } from '../contract/support.ts';
import { expectCodecOnDisk } from './codecs-on-disk.ts';
import { KafkaPython, type PythonRecord } from './kafka-python.ts';
import { canRunWith } from './other-client.ts';

const codecs = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const satisfies readonly Compression[];
const hex = (data: Uint8Array): string => Buffer.from(data).toString('hex');
const orNull = (data: Uint8Array | null): string | null => (data === null ? null : hex(data));
const raw = (name: string) => topic(name, { key: nullable(bytes()), value: nullable(bytes()), partitions: 1 });

const data = uint8Array({ maxLength: 40 });
/** Records that both clients can write: kafka-python wants a key or a value, and a value for each header. */
const records = array(
  record({
    key: oneof(constant(null), data),
    value: oneof(constant(null), data),
    // Brokers refuse times of the future.
    timestamp: integer({ min: 1, max: 1_700_000_000_000 }),
    headers: array(tuple(string({ unit: 'grapheme', maxLength: 5 }), data), { maxLength: 3 }),
  }).filter(({ key, value }) => key !== null || value !== null),
  { minLength: 1, maxLength: 20 },
  // kafka-python does not compress what does not become smaller.
).map((list) => [...list, { key: null, value: new Uint8Array(2000).fill(120), timestamp: 5, headers: [] }]);

/** What JSON and MessagePack can say in both languages: Python knows integers of any size, and packs them up to 64 bits. */
const values = jsonValue({ stringUnit: 'grapheme' })
  .filter((value) => value !== null && sayable(value))
  .map((value): unknown => JSON.parse(JSON.stringify(value)));

function sayable(value: unknown): boolean {
  if (typeof value === 'number') return !Number.isInteger(value) || Number.isSafeInteger(value);
  if (typeof value !== 'object' || value === null) return true;
  return Object.entries(value).every(([key, part]) => key !== '__proto__' && sayable(part));
}

const forPython = ({ headers = [], key, timestamp, value }: PublishRecord<Uint8Array | null, Uint8Array | null>) => ({
  key: orNull(key ?? null),
  value: orNull(value),
  timestamp: timestamp!,
  headers: headers.map(([name, bytes]) => [name, orNull(bytes)] as const),
});

describe.runIf(canRunWith('kafka-python', await whyNoPython()))('kafka-python', () => {
  let python: KafkaPython;
  const clients: Client[] = [];
  const client = async (compression: Compression = 'none'): Promise<Client> => {
    const opened = await connect({ brokers: inject('brokers'), compression });
    clients.push(opened);
    return opened;
  };

  beforeAll(async () => {
    python = await KafkaPython.start(inject('brokers'));
  });
  afterAll(async () => {
    await Promise.all([python.close(), ...clients.map((each) => each.close())]);
  });

  const withoutOffset = (list: readonly (PythonRecord & { readonly offset?: number })[]): PythonRecord[] =>
    list.map(({ offset: _, ...rest }) => rest);

  it.each(codecs)('writes keys, values, nulls, headers and timestamps as they are read here: %s', async (codec) => {
    const reader = await client();
    const target = raw(unique(`from-python-${codec}`));
    await reader.topics.create(target);
    let offset = 0;
    await check(
      asyncProperty(records, async (list) => {
        const sent = await python.produce(target.name, list.map(forPython), { compression: codec });
        expect(sent.map((at) => at.offset)).toEqual(list.map((_, i) => offset + i));
        const seen = [];
        for await (const each of reader.records(target, { from: { offset }, until: 'end' })) seen.push(forPython(each));
        expect(seen).toEqual(list.map(forPython));
        offset += list.length;
      }),
      { numRuns: 8 },
    );
    await expectCodecOnDisk(target.name, codec);
  });

  it.each(codecs)('reads keys, values, nulls, headers and timestamps as they were written here: %s', async (codec) => {
    const writer = await client(codec);
    const target = raw(unique(`to-python-${codec}`));
    let offset = 0;
    await check(
      asyncProperty(records, async (list) => {
        await writer.publishAll(target, list);
        expect(withoutOffset(await python.consume(target.name, list.length, { offset }))).toEqual(list.map(forPython));
        offset += list.length;
      }),
      { numRuns: 8 },
    );
    await expectCodecOnDisk(target.name, codec);
  });

  it.each([
    ['json', json()],
    ['msgpack', msgpack()],
  ] as const)('understands values in %s, and deletions of keys', async (name, serde) => {
    const here = await client();
    const ours = topic(unique(`${name}-of-ours`), { key: text(), value: nullable(serde), partitions: 1 });
    const theirs = topic(unique(`${name}-of-python`), { key: text(), value: nullable(serde), partitions: 1 });
    await here.topics.create(theirs);
    let offset = 0;
    await check(
      asyncProperty(array(oneof(constant(null), values), { minLength: 1, maxLength: 20 }), async (list) => {
        const rows = list.map((value, i) => ({ key: `key ${i}`, value }));
        const inHex = rows.map(({ key, value }) => ({ key: Buffer.from(key).toString('hex'), value }));
        await here.publishAll(ours, rows);
        const read = await python.consume(ours.name, list.length, { values: name, offset });
        expect(read.map(({ key, value }) => ({ key, value }))).toEqual(inHex);
        await python.produce(theirs.name, inHex, { values: name });
        const seen = [];
        for await (const { key, value } of here.records(theirs, { from: { offset }, until: 'end' })) {
          seen.push({ key, value });
        }
        expect(seen).toEqual(rows);
        offset += list.length;
      }),
      { numRuns: 8 },
    );
  });

  it.each(codecs)('reads megabytes that were written at once: %s', async (codec) => {
    const target = raw(unique(`large-${codec}`));
    const count = codec === 'none' ? 900 : 3000;
    const large = Array.from({ length: count }, (_, i) => ({ value: new Uint8Array(1000).fill(i), timestamp: 5 }));
    await (await client(codec)).publishAll(target, large);
    const read = await python.consume(target.name, count);
    expect(read.map(({ value }) => value)).toEqual(large.map(({ value }) => orNull(value)));
  });

  it('writes headers whose names occur twice, and reads those without a value', async () => {
    const here = await client();
    const target = topic(unique('headers'), { value: text(), partitions: 1 });
    await here.publish(target, {
      value: 'ours',
      headers: [
        ['a', Uint8Array.of(1)],
        ['b', null],
        ['a', Uint8Array.of(2)],
      ],
    });
    await python.produce(target.name, [
      {
        value: hex(Buffer.from('theirs')),
        headers: [
          ['a', '01'],
          ['a', '02'],
        ],
      },
    ]);
    const [first] = await python.consume(target.name, 1);
    expect(first!.headers).toEqual([
      ['a', '01'],
      ['b', null],
      ['a', '02'],
    ]);
    const read = here.records(target, { from: { offset: 1 }, until: 'end' });
    for await (const { headers, value } of read) {
      expect([value, headers.map(([name, data]) => [name, orNull(data)])]).toEqual([
        'theirs',
        [
          ['a', '01'],
          ['a', '02'],
        ],
      ]);
    }
  });
});

import { bytes, float64, json, msgpack, nullable, type PublishRecord, topic, uuid } from 'millrace';
import { describe, expect, it } from 'vitest';
import { CODEC_NAMES } from '../../src/cli/codecs.ts';
import { useCli } from './processes.ts';

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const raw = (...numbers: number[]): Uint8Array => Uint8Array.from(numbers);
const declare = (name: string) => topic(name, { key: nullable(bytes()), value: nullable(bytes()), partitions: 2 });

/** What serdes write, and what others write in their place. */
const VALUES: readonly (Uint8Array | null)[] = [
  null,
  raw(),
  ...[Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0, 0, 0.1].map(float64().serialize),
  ...[
    new Date(5),
    5n,
    2n ** 63n,
    raw(1, 2),
    { a: undefined, b: [undefined] },
    new Float32Array([1, 2]),
    Number.NaN,
  ].map((value) => msgpack<unknown>().serialize(value)),
  // A map with an integer as its key, and a float of four bytes.
  raw(0x81, 1, 0xa1, 0x61),
  raw(0xca, 0x3f, 0x80, 0, 0),
  json<unknown>().serialize({ a: [1, 'ü\u2028\n'] }),
  ...['{"n": 1.0}', '{\n  "id": 12345678901234567890\n}\n', 'null', '1e400', '"a"', '\ufeff{}', 'a\rb\u2028c'].map(
    utf8,
  ),
  uuid().serialize('6f1ed002-ab59-4d5a-9c0e-5b2b2f1f0a3c'),
  utf8('6F1ED002-AB59-4D5A-9C0E-5B2B2F1F0A3C'),
  raw(0, 0, 0, 7),
  raw(0xff, 0xfe, 0x0a),
];

/** Each value as a value and as a key, with headers and times that are easily lost. */
const RECORDS: readonly PublishRecord<Uint8Array | null, Uint8Array | null>[] = VALUES.map((value, i) => ({
  key: VALUES[VALUES.length - 1 - i] as Uint8Array | null,
  value,
  timestamp: i * 1000,
  partition: i % 2,
  headers: [
    ['', null],
    ['h', raw(0x80, i)],
    ['h', utf8('"ü"\n')],
  ],
}));

describe('consume --json | produce --json', () => {
  const cli = useCli();

  it.each([undefined, ...CODEC_NAMES])('copies a topic byte for byte (%s)', async (serde) => {
    await cli.withClient(async (client) => {
      await client.publishAll(declare('from'), RECORDS);
      await client.topics.create(declare('to'));
    });
    const how = serde === undefined ? '' : ` --key ${serde} --value ${serde}`;
    const [from, to] = await cli.pipe(`consume from -J -e${how}`, `produce to -J${how}`);
    expect(from).toMatchObject({ code: 0, err: '' });
    expect(to).toEqual({ code: 0, out: '', err: `${RECORDS.length} records written to to\n` });
    await cli.withClient(async (client) => {
      const read = async (name: string): Promise<unknown[]> => {
        const all = [];
        for await (const record of client.records(declare(name), { from: 'earliest', until: 'end' })) {
          const { headers, key, offset, partition, timestamp, value } = record;
          all.push({ headers, key, offset, partition, timestamp, value });
        }
        return all;
      };
      expect(await read('to')).toEqual(await read('from'));
    });
  });

  it('shows people what JSON cannot say exactly', async () => {
    await cli.withClient((client) =>
      client.publish(declare('t'), { value: msgpack<unknown>().serialize({ at: new Date(5), id: 5n }) }),
    );
    const shown = { at: '1970-01-01T00:00:00.005Z', id: '5' };
    const { out } = await cli.run('consume t -e --value msgpack');
    expect(JSON.parse(out)).toMatchObject({ valueEncoding: 'base64', valueShown: shown });
    expect(JSON.parse((await cli.run('consume t -e --value msgpack -f %v')).out)).toEqual(shown);
  });
});

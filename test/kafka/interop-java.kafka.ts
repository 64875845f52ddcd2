import { array, constant, oneof, record, sample, string, tuple } from 'fast-check';
import { afterAll, describe, expect, inject, it } from 'vitest';
import { whyNoKafka } from '../../scripts/kafka/java.ts';
import type { Client } from '../../src/client/client.ts';
import { connect } from '../../src/connect.ts';
import type { Compression } from '../../src/protocol/compression.ts';
import type { StreamRecord } from '../../src/record.ts';
import { json, nullable, string as text } from '../../src/serdes/index.ts';
import { topic } from '../../src/streams/topic.ts';
import { unique } from '../contract/support.ts';
import { expectCodecOnDisk } from './codecs-on-disk.ts';
import { type ConsoleRecord, consoleConsume, consoleProduce } from './java-console.ts';
import { canRunWith } from './other-client.ts';

const codecs = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const satisfies readonly Compression[];
/** Texts that the console tools do not take apart. */
const word = string({ unit: 'grapheme', minLength: 1, maxLength: 12 }).filter((part) => !/[|,:\s\p{C}]/u.test(part));
const some = (): ConsoleRecord[] => [
  ...sample(
    record<ConsoleRecord>({
      key: oneof(constant(null), word),
      value: oneof(constant(null), word),
      headers: array(tuple(word, word), { maxLength: 3 }),
    }),
    100,
  ),
  { key: 'long', value: 'x'.repeat(2000), headers: [] },
];
const plain = ({ headers, key, value }: StreamRecord<string | null, string | null>): ConsoleRecord => ({
  key,
  value,
  headers: headers.map(([name, bytes]) => [name, Buffer.from(bytes ?? []).toString()] as const),
});
const rows = (name: string) => topic(name, { key: nullable(text()), value: nullable(text()), partitions: 1 });

describe.runIf(canRunWith("Kafka's console tools", await whyNoKafka()))("Kafka's console tools", () => {
  const clients: Client[] = [];
  const client = async (compression: Compression): Promise<Client> => {
    const opened = await connect({ brokers: inject('brokers'), compression });
    clients.push(opened);
    return opened;
  };
  afterAll(() => Promise.all(clients.map((each) => each.close())));

  it.each(codecs)('write keys, values, nulls and headers as they are read here: %s', async (codec) => {
    const here = await client('none');
    const target = rows(unique(`from-java-${codec}`));
    await here.topics.create(target);
    const list = some();
    await consoleProduce(target.name, list, codec);
    const seen = [];
    for await (const each of here.records(target, { from: 'earliest', until: 'end' })) seen.push(plain(each));
    expect(seen).toEqual(list);
    await expectCodecOnDisk(target.name, codec);
  });

  it.each(codecs)('read keys, values, nulls, headers and timestamps as they were written here: %s', async (codec) => {
    const target = rows(unique(`to-java-${codec}`));
    const list = some().map((each, i) => ({ ...each, timestamp: 1_600_000_000_000 + i }));
    const written = list.map(({ headers, ...rest }) => ({
      ...rest,
      headers: headers.map(([name, value]) => [name, Buffer.from(value)] as const),
    }));
    await (await client(codec)).publishAll(target, written);
    expect(await consoleConsume(target.name, list.length)).toEqual(list);
    await expectCodecOnDisk(target.name, codec);
  });

  it('see the JSON of the other', async () => {
    const here = await client('none');
    const target = topic(unique('json'), { key: text(), value: json(), partitions: 1 });
    await here.publish(target, { key: 'ours', value: { name: 'Zo\u00eb', total: 12.5 } });
    await consoleProduce(target.name, [{ key: 'theirs', value: '{"total" : 7}', headers: [] }], 'none');
    const [ours] = await consoleConsume(target.name, 1);
    expect(ours!.value).toBe('{"name":"Zo\u00eb","total":12.5}');
    const values = [];
    for await (const { value } of here.records(target, { from: 'earliest', until: 'end' })) values.push(value);
    expect(values).toEqual([{ name: 'Zo\u00eb', total: 12.5 }, { total: 7 }]);
  });
});

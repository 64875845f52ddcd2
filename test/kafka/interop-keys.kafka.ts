import { constant, oneof, sample, string } from 'fast-check';
import { describe, expect, inject, it } from 'vitest';
import { whyNoKafka } from '../../scripts/kafka/java.ts';
import { whyNoPython } from '../../scripts/kafka/python.ts';
import { connect } from '../../src/connect.ts';
import { json, string as text } from '../../src/serdes/index.ts';
import { topic } from '../../src/streams/topic.ts';
import { unique } from '../contract/support.ts';
import { consoleProduce } from './java-console.ts';
import { KafkaPython } from './kafka-python.ts';
import { canRunWith } from './other-client.ts';

const word = string({ unit: 'grapheme', minLength: 1, maxLength: 30 }).filter((part) => !/[|,:\s\p{C}]/u.test(part));
const PARTITIONS = 7;

const whyNot = (await whyNoKafka()) ?? (await whyNoPython());

describe.runIf(canRunWith('kafka-python and the Java client', whyNot))('kafka-python and the Java client', () => {
  it('give a key the partition that it has here', async () => {
    const keys = [...new Set(sample(oneof(word, constant('ada'), constant('o-1')), 500))];
    const client = await connect({ brokers: inject('brokers') });
    const python = await KafkaPython.start(inject('brokers'));
    const target = topic(unique('keys'), { key: text(), value: json<string>(), partitions: PARTITIONS });
    const published = await client.publishAll(
      target,
      keys.map((key) => ({ key, value: 'Millrace' })),
    );
    const ours = new Map(keys.map((key, i) => [key, published[i]!.partition]));
    expect(new Set(ours.values()).size).toBe(PARTITIONS);

    const inHex = keys.map((key) => ({ key: Buffer.from(key).toString('hex'), value: 'kafka-python' }));
    await python.produce(target.name, inHex, { values: 'json' });
    const lines = keys.map((key) => ({ key, value: '"Java"', headers: [] }));
    await consoleProduce(target.name, lines, 'none');

    const seen: Record<string, Map<string, number>> = {};
    for await (const { key, partition, value } of client.records(target, { from: 'earliest', until: 'end' })) {
      seen[value] ??= new Map();
      seen[value].set(key, partition);
    }
    expect(seen).toEqual({ Millrace: ours, 'kafka-python': ours, Java: ours });
    await python.close();
    await client.close();
  });
});

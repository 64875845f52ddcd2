import { describe, expect, it } from 'vitest';
import { connect, MillraceError, memoryTransport } from '../index.ts';
import { unknownTopic } from '../log/known-topic.ts';
import { batchTooLarge, corruptBatch, OutputTooLarge } from '../protocol/corrupt.ts';
import { connectFailure } from '../transports/kafka/errors.ts';
import { warnOfInsecure } from '../transports/kafka/insecure.ts';
import { kafkaSettings } from '../transports/kafka/options.ts';
import {
  applicationRunning,
  groupActive,
  unknownTopic as localUnknownTopic,
  outOfRange,
  recordTooLarge,
  topicExists,
  topicRecreated,
  unknownPartition,
} from '../transports/local/errors.ts';
import { asFlags, explain } from './explain.ts';
import { atLine, withoutHint } from './line-error.ts';

const place = { topic: 't', partition: 1 };
const failing = (code: string): Error => Object.assign(new Error('failed'), { code });

/** What a program may do and a command line cannot. */
const OF_THE_LIBRARY =
  /client\.|ifMissing|takeOver|outOfRange|applicationId|onRecordError|\bssl\b|\bsasl\b|\{|topic\('/;

describe('what a command says of an error', () => {
  it.each<[string, unknown, string]>([
    ['a topic that exists', topicExists('t'), 'add --if-not-exists'],
    ['a topic that does not', localUnknownTopic('t'), 'millrace topics create t'],
    ['a partition that does not', unknownPartition(place, 1), 'use partition 0'],
    ['a topic that was recreated', topicRecreated(place), 'start the command again'],
    ['removed records', outOfRange(place, 1, 5, 9), '--to start'],
    ['an offset beyond the end', outOfRange(place, 10, 5, 9), '--to end'],
    ['a large record', recordTooLarge(place, 10), 'millrace topics configure t -c maxMessageBytes=N'],
    ['a group in use', groupActive('g'), 'stop its members'],
    ['a group in another process', applicationRunning('g', 'in process 5', 'open with takeOver'), 'use another group'],
    ['a damaged batch', corruptBatch('it is cut', place), 'start after it with -o'],
    ['a batch that unpacks to too much', batchTooLarge(new OutputTooLarge(9), place), 'start after it with -o'],
    ['TLS where there is none', connectFailure('b:1', failing('EPROTO'), true, undefined), 'leave --tls out'],
    ['a certificate', connectFailure('b:1', failing('CERT_HAS_EXPIRED'), true, undefined), '--tls-ca'],
  ])('speaks of commands and flags: %s', (_, error, hint) => {
    for (const said of [explain(error, false), explain(atLine(3, error), false)]) {
      expect(said).toContain(hint);
      expect(said).not.toMatch(OF_THE_LIBRARY);
      expect(said.split(' – ')).toHaveLength(2);
    }
  });

  it('speaks so of topics that a client does not find', async () => {
    const transport = await memoryTransport()();
    const said = explain(await unknownTopic(transport, 't'), false);
    expect(said).toContain('millrace topics create t');
    expect(said).not.toMatch(OF_THE_LIBRARY);
    await transport.close();
  });

  it('speaks of flags in warnings too', async () => {
    const warned: string[] = [];
    const warn = (_: object, message: string): void => void warned.push(asFlags(message));
    const logger = { debug: warn, info: warn, warn, error: warn };
    const sasl = { mechanism: 'plain', username: 'u', password: 'p' } as const;
    warnOfInsecure(kafkaSettings({ brokers: ['b:1'], sasl, logger }));
    warnOfInsecure(kafkaSettings({ brokers: ['b:1'], ssl: { rejectUnauthorized: false }, logger }));
    expect(warned).toEqual([expect.stringContaining('; add --tls, or use'), expect.stringContaining('with --tls-ca')]);
  });

  it('is as the library has it where that reads right', async () => {
    const client = await connect({ transport: memoryTransport() });
    const error = await client.topics.create('a b').catch((thrown: unknown) => thrown);
    expect(explain(error, false)).toBe(`ERR_TOPIC_NAME: ${(error as Error).message}`);
    expect(withoutHint(error as MillraceError)).toBe('"a b" is not a topic name');
    await client.close();
    expect(explain(new Error('x'), false)).toBe('x');
    expect(explain('x', false)).toBe('x');
    expect(explain(new MillraceError('fatal', 'ERR_X', 'y', { cause: new Error('z') }), true)).toMatch(
      /y[^]*caused by.*z/,
    );
  });
});

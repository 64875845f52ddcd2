import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { inject } from 'vitest';
import { kafkaClassPath } from '../../scripts/kafka/java.ts';
import type { Compression } from '../../src/protocol/compression.ts';

/** A record as Kafka's console tools know it: texts without `|`, `,`, `:` and line breaks; null is the word NULL there. */
export interface ConsoleRecord {
  readonly key: string | null;
  readonly value: string | null;
  readonly headers: readonly (readonly [string, string])[];
}

const NULL = 'NULL';
/** What the consumer prints where the producer takes the word for null. */
const NO_HEADERS = 'NO_HEADERS';

const headersText = (headers: ConsoleRecord['headers']): string =>
  headers.length === 0 ? NULL : headers.map((pair) => pair.join(':')).join(',');

/** Writes records with Kafka's console producer. */
export async function consoleProduce(
  topic: string,
  records: readonly ConsoleRecord[],
  compression: Compression,
): Promise<void> {
  const properties = ['parse.key=true', 'parse.headers=true', 'key.separator=|', 'headers.delimiter=|'];
  const lines = records.map(({ headers, key, value }) => [headersText(headers), key ?? NULL, value ?? NULL].join('|'));
  await tool(
    'org.apache.kafka.tools.ConsoleProducer',
    [
      '--topic',
      topic,
      '--compression-codec',
      compression,
      ...[...properties, `null.marker=${NULL}`].flatMap((property) => ['--reader-property', property]),
    ],
    lines.map((line) => `${line}\n`).join(''),
  );
}

/** Reads so many records from the beginning with Kafka's console consumer, with their timestamps. */
export async function consoleConsume(
  topic: string,
  count: number,
): Promise<readonly (ConsoleRecord & { readonly timestamp: number })[]> {
  const parts = ['timestamp', 'headers', 'key', 'value'].map((part) => `print.${part}=true`);
  const output = await tool('org.apache.kafka.tools.consumer.ConsoleConsumer', [
    '--topic',
    topic,
    '--from-beginning',
    '--max-messages',
    String(count),
    '--timeout-ms',
    '30000',
    ...[...parts, 'key.separator=|', `null.literal=${NULL}`].flatMap((part) => ['--formatter-property', part]),
  ]);
  return output
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [time, headers, key, value] = line.split('|') as [string, string, string, string];
      const pairs = headers === NO_HEADERS ? [] : headers.split(',').map((pair) => pair.split(':') as [string, string]);
      return {
        timestamp: Number(time.replace('CreateTime:', '')),
        headers: pairs,
        key: key === NULL ? null : key,
        value: value === NULL ? null : value,
      };
    });
}

/** Runs a command line tool of Kafka to its end, and returns what it printed. */
async function tool(main: string, args: readonly string[], input = ''): Promise<string> {
  const quiet = '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn';
  const options = ['-XX:TieredStopAtLevel=1', '-Dfile.encoding=UTF-8', '-Dstdout.encoding=UTF-8', quiet, '-cp'];
  const address = ['--bootstrap-server', inject('brokers').join(',')];
  const child: ChildProcessByStdio<Writable, Readable, Readable> = spawn(
    'java',
    [...options, await kafkaClassPath(), main, ...address, ...args],
    { stdio: ['pipe', 'pipe', 'pipe'] },
  );
  let [output, errors] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
  child.stdin.end(input);
  const [code] = (await once(child, 'close')) as [number | null];
  // The console producer ends with 0 also when something went wrong; then it has said so.
  if (code !== 0 || /\bERROR\b|Exception/.test(errors))
    throw new Error(`${main} ended with ${code}: ${errors.slice(-3000)}`);
  return output;
}

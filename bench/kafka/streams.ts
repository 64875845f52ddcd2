import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { withScratch } from '../shared/scratch.ts';
import type { Contest } from './contestants.ts';
import { inputsOf, shuffledRecords } from './expected.ts';
import { BUYS, CLICKS, PRODUCTS } from './works.ts';

const run = promisify(execFile);
const FOLDER = fileURLToPath(new URL('../kafka-streams', import.meta.url));

/** With the record cache that Kafka Streams has by default, or without: that writes more, and is faster here. */
export type Cache = 'default' | 'off';

/** Where Kafka Streams puts the shuffle of a group. */
export const repartitionTopic = (group: string): string => `${group}-shuffle-repartition`;

/** Compiles the program and fetches what it needs. */
export async function buildStreams(): Promise<void> {
  await run('mvn', ['-q', '-B', 'package'], { cwd: FOLDER, maxBuffer: 2 ** 26 });
}

/** Does a work with Kafka Streams. @returns When the first record was read. */
export async function kafkaStreams(contest: Contest, cache: Cache): Promise<number> {
  const { brokers, group, guarantee, output, records, work } = contest;
  return withScratch(async (state) => {
    const settings = {
      brokers: brokers.join(','),
      group,
      guarantee,
      work,
      output,
      state,
      cache,
      records: inputsOf(work, records),
      input: CLICKS,
      buys: BUYS,
      products: PRODUCTS,
      shuffled: work === 'shuffle' ? shuffledRecords(records) : 0,
    };
    const { stdout } = await run('java', [
      ...Object.entries({ ...settings, 'org.slf4j.simpleLogger.defaultLogLevel': 'warn' }).map(
        ([name, value]) => `-D${name}=${value}`,
      ),
      '-cp',
      `${join(FOLDER, 'target', 'classes')}:${join(FOLDER, 'target', 'jars', '*')}`,
      'millrace.bench.Main',
    ]);
    return Number(stdout);
  });
}

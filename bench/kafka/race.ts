import { connect } from 'millrace';
import { kafkaTransport } from 'millrace/kafka';
import { inChild } from '../shared/child.ts';
import { CommittedOffsets } from './committed.ts';
import { type Digest, digestOf } from './compare.ts';
import type { Contest, Guarantee } from './contestants.ts';
import { expectedRows, inputsOf } from './expected.ts';
import type { RawRun } from './raw.ts';
import { type Cache, kafkaStreams, repartitionTopic } from './streams.ts';
import { BUYS, CLICKS, JOINS, PARTITIONS, shuffleTopic, WORKS, type Work } from './works.ts';

/** Somebody who does a work, and how to measure it. */
export interface Contestant {
  readonly name: string;
  readonly work: Work;
  readonly guarantee: Guarantee;
  /** False where nothing is written that could be compared. */
  readonly writes: boolean;
  /** Resolves with when the first record was read and when all was done, in ms since the epoch. */
  readonly run: (contest: Contest) => Promise<RawRun>;
}

const CONTESTANTS = new URL('contestants.ts', import.meta.url).href;
const RAW = new URL('raw.ts', import.meta.url).href;
const COMPARE = new URL('compare.ts', import.meta.url).href;

/** Works whose rows are the same with the record cache of Kafka Streams, and which have such rows. */
const CACHED: readonly Work[] = ['count-1m', 'count-10m', 'shuffle', 'sessions'];
const BY_HAND: readonly Work[] = ['map', 'count-1m', 'count-10m'];

/** All of them, as they come in the table. */
export function contestants(): Contestant[] {
  const all: Contestant[] = [
    raw('raw fetch + decode', 'pass', 'rawReading', false),
    { ...loop('pass', 'kafkajsReading'), name: 'kafkajs eachBatch, reading only', writes: false },
    raw('raw fetch + parse + stringify + produce', 'map', 'rawMap', true),
  ];
  for (const work of WORKS) {
    for (const guarantee of ['at-least-once', 'exactly-once'] as const) {
      all.push(millrace(work, guarantee), streams(work, guarantee, 'off'));
      if (CACHED.includes(work)) all.push(streams(work, guarantee, 'default'));
    }
    if (BY_HAND.includes(work)) all.push(loop(work, 'kafkajsLoop'));
  }
  return all;
}

export const millraceName = (work: Work, guarantee: Guarantee): string => `${work}, Millrace, ${guarantee}`;
export const streamsName = (work: Work, guarantee: Guarantee, cache: Cache): string =>
  `${work}, Kafka Streams${cache === 'default' ? ' with its cache' : ''}, ${guarantee}`;
export const loopName = (work: Work): string => `${work}, kafkajs loop, at-least-once`;

function millrace(work: Work, guarantee: Guarantee): Contestant {
  return {
    name: millraceName(work, guarantee),
    work,
    guarantee,
    writes: true,
    run: (contest) =>
      committed(contest, shuffleTopic(contest.output), () => inChild<number>(CONTESTANTS, 'millraceApp', contest)),
  };
}

function streams(work: Work, guarantee: Guarantee, cache: Cache): Contestant {
  return {
    name: streamsName(work, guarantee, cache),
    work,
    guarantee,
    writes: true,
    run: (contest) => committed(contest, repartitionTopic(contest.group), () => kafkaStreams(contest, cache)),
  };
}

function loop(work: Work, program: string): Contestant {
  return {
    name: loopName(work),
    work,
    guarantee: 'at-least-once',
    writes: true,
    run: (contest) => committed(contest, '', () => inChild<number>(CONTESTANTS, program, contest)),
  };
}

function raw(name: string, work: Work, program: string, writes: boolean): Contestant {
  return {
    name,
    work,
    guarantee: 'at-least-once',
    writes,
    run: (contest) => inChild<RawRun>(RAW, program, contest),
  };
}

/** From the first record until the committed offsets of all inputs are at their ends. */
async function committed(contest: Contest, between: string, work: () => Promise<number>): Promise<RawRun> {
  const topics = [
    CLICKS,
    ...(contest.work === 'shuffle' ? [between] : []),
    ...(JOINS.includes(contest.work) ? [BUYS] : []),
  ];
  const offsets = await CommittedOffsets.watch(
    kafkaTransport({ brokers: contest.brokers }),
    contest.group,
    topics,
    between,
  );
  try {
    const firstAt = await work();
    return { firstAt, doneAt: await offsets.reachedAt(contest.guarantee === 'exactly-once') };
  } finally {
    await offsets.close();
  }
}

/** Lets contestants work, one after the other, on one broker. */
export class Race {
  readonly #brokers: readonly string[];
  readonly #records: number;
  readonly #expected = new Map<Work, Digest>();
  #runs = 0;

  constructor(brokers: readonly string[], records: number) {
    this.#brokers = brokers;
    this.#records = records;
  }

  /** @returns Records per second, or none when it failed; and what is wrong with the output. */
  async run(contestant: Contestant): Promise<{ readonly rate?: number; readonly wrong: string | undefined }> {
    const { guarantee, work } = contestant;
    this.#runs += 1;
    const group = `bench-${process.pid}-${this.#runs}`;
    const output = `${group}-output`;
    const client = await connect({ brokers: this.#brokers });
    try {
      if (contestant.writes) await client.topics.create(output, { partitions: PARTITIONS, ifMissing: true });
      const contest = { brokers: this.#brokers, work, guarantee, group, output, records: this.#records };
      const { doneAt, firstAt } = await contestant.run(contest);
      const wrong = contestant.writes ? await this.#check(work, output) : undefined;
      for (const name of await client.topics.list()) if (name.startsWith(`${group}-`)) await client.topics.delete(name);
      return { rate: (inputsOf(work, this.#records) * 1000) / (doneAt - firstAt), wrong };
    } catch (error) {
      return { wrong: error instanceof Error ? error.message : String(error) };
    } finally {
      await client.close();
    }
  }

  async #check(work: Work, output: string): Promise<string | undefined> {
    const expected = this.#expected.get(work) ?? digestOf(expectedRows(work, this.#records));
    this.#expected.set(work, expected);
    return inChild(COMPARE, 'checkOutput', this.#brokers, output, work, this.#records, expected);
  }
}

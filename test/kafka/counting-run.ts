import { type Client, connect } from 'millrace';
import { type KafkaOptions, kafkaTransport } from 'millrace/kafka';
import type { CommittedOffset, Transport } from '../../src/log/transport.ts';
import { readAll, unique, until } from '../contract/support.ts';
import { type Count, clickAt, counting, expectedCounts, GRACE_MS, PARTITIONS, timeAt, WINDOW_MS } from './counting.ts';
import { CountingProcess } from './counting-process.ts';
import type { FaultTimes } from './fault-times.ts';

/** Within this time everything that is there after a fault must be processed and committed: commits come each 5 s. */
const RESUME_MS = 15_000;
/**
 * A record that blocks its process for 4 s does so again each time that it is processed again: after a fault by whoever takes
 * its task over, and by each whose tasks are rebuilt from the last commit then. That was seen up to three times.
 */
const BLOCKED_MS = 20_000;
/** For how long it is looked on after that, to tell what comes late from what does not come. */
const LOOK_ON_MS = 60_000;
/** Records that are published together. */
const ROUND = 10;
const ROUND_MS = 20;

/** What a comparison of the output with a direct computation has found. */
export interface Verdict {
  readonly records: number;
  /** Records of the input that are in its topic again: then the publisher has counted twice, not the pipeline. */
  readonly publishedTwice: number;
  readonly rows: number;
  /** Windows without a row, or with too little in it. */
  readonly lost: readonly string[];
  /** Rows that are there again. */
  readonly repeated: readonly string[];
  /** Windows of which a row holds what it should not. */
  readonly wrong: readonly string[];
  /** Records of the shuffle and the output that belong to aborted transactions. */
  readonly aborted: number;
}

/** Two processes that count, input that keeps flowing, and faults in between. */
export class CountingRun {
  readonly name: string;
  readonly processes: CountingProcess[];
  /** What came, but too late: a long run goes on to its end all the same. */
  readonly late: string[] = [];
  readonly #brokers: readonly string[];
  readonly #kafka: Omit<KafkaOptions, 'brokers'>;
  readonly #slow: boolean;
  readonly #topics: ReturnType<typeof counting>;
  readonly #client: Client;
  readonly #transport: Transport;
  readonly #start = Math.floor(Date.now() / WINDOW_MS) * WINDOW_MS;
  readonly #feeding: Promise<void>;
  #published = 0;
  #fed = false;

  private constructor(
    name: string,
    brokers: readonly string[],
    kafka: Omit<KafkaOptions, 'brokers'>,
    client: Client,
    transport: Transport,
    slow: boolean,
  ) {
    this.#slow = slow;
    this.name = name;
    this.#brokers = brokers;
    this.#kafka = kafka;
    this.#topics = counting(name);
    this.#client = client;
    this.#transport = transport;
    this.processes = [this.#launch(), this.#launch()];
    this.#feeding = this.#feed();
    this.#feeding.catch(() => undefined);
  }

  static async start(
    brokers: readonly string[],
    kafka: Omit<KafkaOptions, 'brokers'>,
    slow = false,
  ): Promise<CountingRun> {
    const name = unique('counting');
    const client = await connect({ brokers });
    const transport = await kafkaTransport({ brokers })();
    const { clicks, byUser, counts } = counting(name);
    for (const topic of [clicks, byUser, counts]) await client.topics.create(topic.name, { partitions: PARTITIONS });
    const run = new CountingRun(name, brokers, kafka, client, transport, slow);
    await run.shared();
    return run;
  }

  /** Names of the topics of the input, the shuffle and the output. */
  get topics(): { readonly clicks: string; readonly byUser: string; readonly counts: string } {
    const { clicks, byUser, counts } = this.#topics;
    return { clicks: clicks.name, byUser: byUser.name, counts: counts.name };
  }

  /** Resolves when both processes have tasks to do. */
  async shared(): Promise<void> {
    const shared = (): boolean => this.#alive() && this.processes.every(hasTasks);
    await until('both processes to have tasks', shared, 60_000 + LOOK_ON_MS).catch((error: unknown) => {
      throw new Error(`${String(error)}\n${this.#history()}`);
    });
  }

  /** Starts a process in the place of one that is gone. */
  replace(which: number): void {
    this.processes[which] = this.#launch();
  }

  /**
   * Waits until everything that is there now has been processed and committed, in all partitions. What there is grows, so the
   * time for it counts from now on: what came since the fault ended was seen less long ago than that.
   *
   * @param began - When the fault began; what the processes said since then is part of the result.
   * @param ended - When it ended; how long it took is counted from then.
   */
  async resumed(times: FaultTimes, fault: string, began: number, ended: number): Promise<void> {
    const ends = await this.#ends();
    await this.#committed(ends, performance.now() + this.#resumeMs, `${fault}: what was there then to be committed`);
    const said = this.processes.flatMap((each) => each.waitedFor(began));
    times.add(fault, performance.now() - ended, said);
  }

  get #resumeMs(): number {
    return this.#slow ? RESUME_MS + BLOCKED_MS : RESUME_MS;
  }

  /** Ends the input, closes all windows, stops the processes and compares the output with a direct computation. */
  async finish(): Promise<Verdict> {
    this.#fed = true;
    await this.#feeding;
    await this.#committed(
      await this.#ends([this.topics.clicks]),
      performance.now() + this.#resumeMs,
      'all input to be read',
    );
    const expected = expectedCounts(this.#start, this.#published);
    await this.#closeWindows();
    let rows: Count[] = [];
    const deadline = performance.now() + RESUME_MS;
    while (rows.length < expected.size && performance.now() < deadline)
      rows = [...(await this.#rows()).values()].flat();
    await Promise.all(this.processes.map((each) => each.end('SIGTERM')));
    return this.#compare(expected);
  }

  /** Ends everything, however it stands. */
  async close(): Promise<void> {
    this.#fed = true;
    await Promise.all(this.processes.map((each) => each.end('SIGKILL')));
    await this.#client.close();
    await this.#transport.close();
  }

  #launch(): CountingProcess {
    return new CountingProcess({ name: this.name, brokers: this.#brokers, kafka: this.#kafka, slow: this.#slow });
  }

  async #feed(): Promise<void> {
    while (!this.#fed) {
      const first = this.#published;
      const records = Array.from({ length: ROUND }, (_, i) => ({
        value: clickAt(first + i),
        timestamp: timeAt(this.#start, first + i),
        partition: i % PARTITIONS,
      }));
      const [acknowledged] = await Promise.all([
        this.#client.publishAll(this.#topics.clicks, records),
        new Promise((resolve) => setTimeout(resolve, ROUND_MS)),
      ]);
      this.#published += acknowledged.length;
    }
  }

  /** A last record for each partition of the shuffle, after which no window is open but those of these records. */
  async #closeWindows(): Promise<void> {
    const timestamp = timeAt(this.#start, this.#published) + WINDOW_MS + GRACE_MS;
    const keys = new Map<number, string>();
    for (let i = 0; keys.size < PARTITIONS; i++) {
      const { partition } = await this.#client.publish(this.#topics.byUser, { key: `end-${i}`, value: 0, timestamp });
      keys.set(partition, `end-${i}`);
    }
  }

  #alive(): boolean {
    const gone = this.processes.find((each) => !each.running);
    if (gone === undefined) return true;
    throw new Error(`a process has ended: ${gone.warnings.slice(-5).join('\n')}`);
  }

  /** Where the input and the shuffle end now. */
  async #ends(topics = [this.topics.clicks, this.topics.byUser]): Promise<Map<string, number>> {
    const ends = new Map<string, number>();
    for (const topic of topics) {
      for (const [partition, end] of await this.#transport.offsets(topic, 'latest'))
        ends.set(`${topic}/${partition}`, end);
    }
    return ends;
  }

  async #committed(ends: ReadonlyMap<string, number>, deadline: number, what: string): Promise<void> {
    const partitions = [...ends.keys()].map((key) => {
      const [topic = '', partition] = key.split('/');
      return { topic, partition: Number(partition) };
    });
    let committed: readonly CommittedOffset[] = [];
    let report: string | undefined;
    for (;;) {
      // It waits for transactions, and those of a broken application may never end.
      const late = new Promise<undefined>((resolve) => {
        setTimeout(() => resolve(undefined), deadline + (report === undefined ? 0 : LOOK_ON_MS) - performance.now());
      });
      const answer = await Promise.race([this.#transport.committed(this.name, partitions), late]);
      committed = answer ?? committed;
      const behind = new Map(ends);
      for (const { topic, partition, offset } of committed) {
        if (offset >= (ends.get(`${topic}/${partition}`) ?? 0)) behind.delete(`${topic}/${partition}`);
      }
      const lateMs = performance.now() - deadline;
      if (behind.size === 0 && report === undefined) return;
      if (behind.size === 0 || lateMs > LOOK_ON_MS) {
        const after = behind.size === 0 ? `it came ${Math.round(lateMs)} ms later` : 'it did not come later either';
        const failure = `waited in vain for ${what}, and ${after}\n${report}\n${this.#history()}`;
        if (behind.size > 0 || !this.#slow) throw new Error(failure);
        this.late.push(failure);
        return;
      }
      this.#alive();
      if (lateMs > 0) report ??= `${new Date().toISOString()} ${this.#report(behind, committed)}`;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  #report(behind: ReadonlyMap<string, number>, committed: readonly object[]): string {
    const processes = this.processes.map(({ state, warnings }) => JSON.stringify({ state, last: warnings.slice(-8) }));
    return [JSON.stringify([...behind]), JSON.stringify(committed), ...processes].join('\n');
  }

  #history(): string {
    return this.processes.map(({ history }, n) => [`process ${n}`, ...history].join('\n  ')).join('\n');
  }

  /** The rows of each window, as readers of committed records see them. */
  async #rows(): Promise<Map<string, Count[]>> {
    const rows = new Map<string, Count[]>();
    for (let partition = 0; partition < PARTITIONS; partition++) {
      for (const { key, value } of await readAll(this.#transport, this.topics.counts, partition)) {
        const row = JSON.parse(value ?? '') as Count;
        const at = `${key}@${row.start}`;
        rows.set(at, [...(rows.get(at) ?? []), row]);
      }
    }
    return rows;
  }

  async #compare(expected: ReadonlyMap<string, Count>): Promise<Verdict> {
    const found = await this.#rows();
    const [lost, repeated, wrong]: [string[], string[], string[]] = [[], [], []];
    for (const [at, { clicks, sum }] of expected) {
      const rows = found.get(at) ?? [];
      const most = Math.max(0, ...rows.map((row) => row.clicks));
      const seen = `${at}: ${JSON.stringify(rows)}, and not ${clicks}, ${sum}`;
      if (most < clicks) lost.push(seen);
      else if (rows.length > 1) repeated.push(seen);
      if (rows.some((row) => row.clicks !== clicks || row.sum !== sum)) wrong.push(seen);
    }
    for (const [at, rows] of found) if (!expected.has(at)) wrong.push(`${at}: ${JSON.stringify(rows)}`);
    const all = [...found.values()].reduce((sum, rows) => sum + rows.length, 0);
    const [publishedTwice, aborted] = [await this.#publishedTwice(), await this.#aborted()];
    return { records: this.#published, publishedTwice, rows: all, lost, repeated, wrong, aborted };
  }

  async #publishedTwice(): Promise<number> {
    let records = 0;
    for (let partition = 0; partition < PARTITIONS; partition++)
      records += (await readAll(this.#transport, this.topics.clicks, partition)).length;
    return records - this.#published;
  }

  /** Records that only readers of uncommitted records see. */
  async #aborted(): Promise<number> {
    let count = 0;
    for (const topic of [this.topics.byUser, this.topics.counts]) {
      for (let partition = 0; partition < PARTITIONS; partition++) {
        const place = [this.#transport, topic, partition, undefined] as const;
        const [everything, committed] = [await readAll(...place, 'uncommitted'), await readAll(...place)];
        count += everything.length - committed.length;
      }
    }
    return count;
  }
}

const hasTasks = ({ state }: CountingProcess): boolean => state.tasks.length > 0;

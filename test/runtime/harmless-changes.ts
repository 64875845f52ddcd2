import {
  type App,
  type Client,
  connect,
  countByKey,
  int32,
  joinTable,
  type MillraceError,
  mapValues,
  type OpenTransport,
  type Pipeline,
  run,
  string,
  type Topic,
  table,
  through,
  to,
  topic,
  toStream,
  union,
} from 'millrace';
import { expect } from 'vitest';
import type { TopicPartition } from '../../src/log/transport.ts';

const SOURCES: ReadonlySet<string> = new Set(['numbers', 'more', 'rates']);

/** An application whose pipeline is changed in ways that lose nothing, on any log. */
export class Changeable {
  readonly applicationId: string;
  readonly #open: OpenTransport;
  readonly #prefix: string;
  #client: Promise<Client> | undefined;
  #published = 0;
  #failure: unknown;
  readonly #topics = new Map<string, Topic<string, number>>();

  /** @param prefix - Of all names, on a log that others use too. */
  constructor(open: OpenTransport, prefix = '') {
    this.#open = open;
    this.#prefix = prefix;
    this.applicationId = `${prefix}app`;
  }

  get client(): Promise<Client> {
    this.#client ??= connect({ transport: this.#open });
    return this.#client;
  }

  /** A topic has one partition, unless it is a source and gets more. */
  topic(name: string): Topic<string, number> {
    const known = this.#topics.get(name);
    const partitions = SOURCES.has(name) ? {} : { partitions: 1 };
    const made = known ?? topic(`${this.#prefix}${name}`, { key: string(), value: int32(), ...partitions });
    this.#topics.set(name, made);
    return made;
  }

  table(name: string) {
    return table(`${this.#prefix}${name}`, { key: string(), value: int32() });
  }

  /** Publishes a record of each of three keys. */
  async publish(name = 'numbers'): Promise<void> {
    const client = await this.client;
    if ((await client.topics.describe(this.topic(name))) === undefined)
      await client.topics.create(this.topic(name), { partitions: 1 });
    const records = ['a', 'b', 'c'].map((key) => ({ key, value: 1 }));
    await client.publishAll(this.topic(name), records);
    this.#published += name === 'rates' ? 0 : records.length;
  }

  /** Starts a process that runs until it is stopped. */
  start(pipeline: Pipeline): App {
    const app = run(pipeline, {
      applicationId: this.applicationId,
      transport: this.#open,
      logger: false,
      commitInterval: '0ms',
    });
    app.done.catch((error: unknown) => (this.#failure = error));
    return app;
  }

  /** Waits until all that is published is counted, once. */
  async allCounted(): Promise<void> {
    const deadline = performance.now() + 60_000;
    for (let counted = -1; counted !== this.#published; counted = await this.counted()) {
      same(this.#failure, undefined);
      same(performance.now() < deadline, true, `${counted} of ${this.#published} are counted`);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** Publishes, and reads everything; a refusal is an error. */
  async run(pipeline: Pipeline, ...inputs: readonly string[]): Promise<void> {
    for (const name of inputs.length === 0 ? ['numbers'] : inputs) await this.publish(name);
    await this.rerun(pipeline);
  }

  async rerun(pipeline: Pipeline): Promise<void> {
    const { applicationId } = this;
    const app = run(pipeline, { applicationId, transport: this.#open, logger: false, until: 'end' });
    const refusal = await app.done.then(
      () => undefined,
      ({ message }: MillraceError) => message,
    );
    same(refusal, undefined);
  }

  /** What a table counts in all. */
  async counted(name = 'counts'): Promise<number> {
    const client = await this.client;
    const last = new Map<string, number>();
    const rows = client.records(this.topic(name), { from: 'earliest', until: 'end' });
    await rows.forEach(({ key, value }) => void last.set(key, value));
    return [...last.values()].reduce((sum, n) => sum + n, 0);
  }

  /** Makes sure that a table has counted so many records. */
  async counts(wanted: number, name = 'counts'): Promise<void> {
    same(await this.counted(name), wanted);
  }

  /** Makes sure that every record is counted once. */
  async countedAll(): Promise<void> {
    await this.counts(this.#published);
  }

  /** Makes the offsets such as versions committed that did not note which stores records came to. */
  async asBefore(): Promise<void> {
    const transport = await this.#open();
    const names = (await transport.topics.list()).filter((name) => name.startsWith(this.#prefix));
    for (const name of names) {
      const there = (await transport.topics.describe(name))?.partitions ?? 0;
      const places = Array.from({ length: there }, (_, partition): TopicPartition => ({ topic: name, partition }));
      const offsets = await transport.committed(this.applicationId, places);
      const old = offsets.map(({ metadata = '', ...offset }) => {
        const text = metadata
          .split(/[ ;]/)
          .filter((part) => !part.startsWith('>'))
          .join(' ');
        return text === '' || text === 'millrace-time' ? offset : { ...offset, metadata: text };
      });
      if (old.length > 0) await transport.setCommitted(this.applicationId, old);
    }
    await transport.close();
  }

  async set(name: string, ...offsets: readonly number[]): Promise<void> {
    const client = await this.client;
    await client.setCommitted(this.applicationId, this.topic(name), offsets);
  }

  /** As `millrace reset` does. */
  async reset(...own: readonly string[]): Promise<void> {
    const client = await this.client;
    const there = await client.topics.list();
    for (const name of [...own.map((each) => this.topic(each).name), `${this.applicationId}-counts-changelog`]) {
      if (there.includes(name)) await client.topics.delete(name);
    }
    await client.groups.delete(this.applicationId);
  }

  async close(): Promise<void> {
    if (this.#client !== undefined) await (await this.#client).close();
  }
}

function same(found: unknown, wanted: unknown, what?: string): void {
  expect(found, what).toEqual(wanted);
}

/** The pipelines that are changed into each other. */
function versions(app: Changeable) {
  const [numbers, counts, copies, mid] = [
    app.topic('numbers'),
    app.topic('counts'),
    app.topic('copies'),
    app.topic('mid'),
  ];
  return {
    numbers,
    counts,
    copies,
    mid,
    direct: numbers.pipe(countByKey({ store: 'counts' }), to(counts)),
    behind: numbers.pipe(through(mid), countByKey({ store: 'counts' }), to(counts)),
    copy: numbers.pipe(to(copies)),
  };
}

/** Changes of a pipeline, and of what it stands on, after which an application starts, and has counted everything once. */
export const harmlessChanges: ReadonlyMap<string, (app: Changeable) => Promise<void>> = new Map([
  [
    'an upgrade from a version whose offsets say nothing of stores',
    async (app) => {
      const { behind, direct } = versions(app);
      for (const pipeline of [direct, direct, behind, behind, direct]) {
        await app.run(pipeline);
        await app.asBefore();
      }
      await app.run(direct);
      await app.run(behind);
      await app.countedAll();
    },
  ],
  [
    'two versions of the library by turns, of a pipeline behind a shuffle',
    async (app) => {
      const { behind } = versions(app);
      for (let turn = 0; turn < 4; turn += 1) {
        await app.run(behind);
        if (turn % 2 === 0) await app.asBefore();
      }
      await app.countedAll();
    },
  ],
  [
    'an upgrade together with a store that was out of use, behind a shuffle',
    async (app) => {
      const { behind, copy } = versions(app);
      await app.run(behind);
      await app.run(copy);
      await app.asBefore();
      await app.run(behind);
      await app.counts(6);
    },
  ],
  [
    'new stores, on the same input, behind the same shuffle, and behind a new one',
    async (app) => {
      const { behind, mid, numbers } = versions(app);
      const own = numbers.pipe(countByKey({ store: 'own' }), to(app.topic('own')));
      const same = mid.pipe(countByKey({ store: 'same' }), to(app.topic('same')));
      const other = numbers.pipe(
        through(app.topic('more-mid')),
        countByKey({ store: 'other' }),
        to(app.topic('other')),
      );
      for (const pipeline of [behind, [behind, own], [behind, own, same], [behind, own, same, other], [behind]]) {
        await app.run(pipeline);
      }
      await app.countedAll();
    },
  ],
  [
    'sinks that come and go',
    async (app) => {
      const { behind, copy, direct, mid } = versions(app);
      const late = mid.pipe(to(app.topic('late')));
      for (const pipeline of [behind, [behind, copy], behind, [behind, late], [behind, copy, late], behind]) {
        await app.run(pipeline);
      }
      for (const pipeline of [direct, [direct, copy], direct, [direct, copy]]) await app.run(pipeline);
      await app.countedAll();
    },
  ],
  [
    'new names for steps without stores, for a shuffle, and for a store',
    async (app) => {
      const { behind, counts, numbers } = versions(app);
      const renamed = numbers.pipe(
        mapValues((n) => n),
        through(app.topic('renamed')),
        countByKey({ store: 'counts' }),
        to(counts),
      );
      for (const pipeline of [behind, renamed, renamed, behind, renamed]) await app.run(pipeline);
      await app.countedAll();
      const store = numbers.pipe(through(app.topic('renamed')), countByKey({ store: 'new' }), to(app.topic('new')));
      await app.run(store);
      await app.run(store);
      await app.counts(6, 'new');
    },
  ],
  [
    'a source that comes, goes and comes again',
    async (app) => {
      const { behind, counts, mid, numbers } = versions(app);
      const both = union(numbers, app.topic('more')).pipe(through(mid), countByKey({ store: 'counts' }), to(counts));
      await app.publish('more');
      for (const pipeline of [behind, both, behind, both]) await app.run(pipeline);
      await app.publish('more');
      await app.run(behind);
      await app.run(both, 'numbers', 'more');
      await app.countedAll();
    },
  ],
  [
    'more partitions of a source before a shuffle',
    async (app) => {
      const { behind, numbers } = versions(app);
      await app.run(behind);
      const client = await app.client;
      await client.topics.addPartitions(numbers, 3);
      await app.run(behind);
      await app.run([behind, numbers.pipe(to(app.topic('wide-copies')))]);
      await app.asBefore();
      await app.run(behind);
      await app.countedAll();
    },
  ],
  [
    'a stage in front of a shuffle, and of a store, and away again',
    async (app) => {
      const { behind, counts, direct, mid, numbers } = versions(app);
      const last = mid.pipe(countByKey({ store: 'counts' }), to(counts));
      const longer = [numbers.pipe(through(app.topic('front')), to(mid)), last];
      for (const pipeline of [direct, behind, longer, longer, behind, direct, longer, direct]) await app.run(pipeline);
      await app.countedAll();
    },
  ],
  [
    'stages that are left out while a topic keeps what they have to read',
    async (app) => {
      const { counts, mid, numbers } = versions(app);
      const front = app.topic('front');
      const [first, second] = [numbers.pipe(to(front)), front.pipe(to(mid))];
      const third = mid.pipe(countByKey({ store: 'counts' }), to(counts));
      const all = [first, second, third];
      for (const pipeline of [all, first, [first, second], first, all, [first, second], all]) await app.run(pipeline);
      await app.countedAll();
    },
  ],
  [
    'versions without a store between which nothing was read',
    async (app) => {
      const { behind, copy, direct } = versions(app);
      for (const pipeline of [direct, behind]) {
        await app.run(pipeline);
        await app.rerun(copy);
        await app.rerun([copy, pipeline]);
        await app.run(pipeline);
      }
      await app.countedAll();
    },
  ],
  [
    'steps that join two sources for a while, each of which has a store',
    async (app) => {
      const { direct, numbers } = versions(app);
      const more = app.topic('more');
      const other = more.pipe(countByKey({ store: 'other' }), to(app.topic('others')));
      const joined = union(numbers, more).pipe(to(app.topic('all')));
      for (const pipeline of [
        [direct, other, joined],
        [direct, other],
        [direct, other, joined],
        [direct, other],
      ]) {
        await app.run(pipeline, 'numbers', 'more');
      }
      await app.counts(12);
      await app.counts(12, 'others');
    },
  ],
  [
    'steps that join two stages behind shuffles for a while',
    async (app) => {
      const { behind, mid } = versions(app);
      const other = app.topic('more').pipe(countByKey({ store: 'other' }), to(app.topic('others')));
      const joined = union(mid, app.topic('more')).pipe(to(app.topic('all')));
      for (const pipeline of [
        [behind, other, joined],
        [behind, other],
        [behind, other, joined],
        [behind, other],
      ]) {
        await app.run(pipeline, 'numbers', 'more');
      }
      await app.counts(12);
      await app.counts(12, 'others');
    },
  ],
  [
    'a table that is joined, read for itself, and joined again, and left out and joined again',
    async (app) => {
      const { copies, numbers } = versions(app);
      const rates = app.table('rates');
      const joined = numbers.pipe(
        joinTable(rates, (n, rate) => n * rate),
        to(app.topic('prices')),
      );
      const own = rates.pipe(toStream(), to(app.topic('rate-copies')));
      const plain = numbers.pipe(to(copies));
      for (const pipeline of [joined, [plain, own], joined, plain, joined, [joined, own]]) {
        await app.run(pipeline, 'rates', 'numbers');
      }
    },
  ],
  [
    'a reset after a store was out of use',
    async (app) => {
      const { behind, copy } = versions(app);
      await app.run(behind);
      await app.run(copy);
      await app.reset('mid', 'counts');
      await app.run(behind);
      await app.countedAll();
    },
  ],
  [
    'offsets that somebody has set: where they are, back, and on',
    async (app) => {
      const { behind, copy } = versions(app);
      await app.run(behind);
      await app.set('numbers', 3);
      await app.run(behind);
      await app.countedAll();
      await app.run(copy);
      await app.set('numbers', 6);
      await app.run(behind);
      await app.countedAll();
      await app.run(copy);
      await app.set('numbers', 15);
      await app.run(behind);
      await app.counts(15);
    },
  ],
]);

/** The same with processes beside each other, on a log that several can use. */
export const rollingChanges: ReadonlyMap<string, (app: Changeable) => Promise<void>> = new Map([
  [
    'a rolling restart with a sink, a store and a shuffle more, and back',
    async (app) => {
      const { behind, copy, numbers } = versions(app);
      const more = numbers.pipe(through(app.topic('more-mid')), countByKey({ store: 'more' }), to(app.topic('others')));
      const client = await app.client;
      await client.topics.create(numbers, { partitions: 2 });
      let last: App | undefined;
      for (const pipeline of [behind, behind, [behind, copy], [behind, copy, more], [behind, copy, more], behind]) {
        const next = app.start(pipeline);
        await app.publish();
        await app.allCounted();
        await last?.stop();
        await app.publish();
        await app.allCounted();
        last = next;
      }
      await last?.stop();
      await app.run(behind);
      await app.countedAll();
    },
  ],
]);

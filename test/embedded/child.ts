import { writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { MillraceError } from '../../src/errors.ts';
import { RecordBatchBuilder } from '../../src/protocol/batch-builder.ts';
import { embeddedTransport, localStores } from '../../src/transports/embedded/index.ts';
import { batchSize } from './batch-size.ts';

const [task = '', path = '', ...args] = process.argv.slice(2);
/** Synchronous, so that what was said before a SIGKILL has been said. Waits while the pipe to the parent is full. */
function say(line: string): void {
  let rest = Buffer.from(`${line}\n`);
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(1, rest));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
    }
  }
}
const codeOf = (error: unknown): string => (error instanceof MillraceError ? error.code : String(error));

let unhandled = 0;
process.on('unhandledRejection', () => unhandled++);

function builderOf(values: readonly string[]): RecordBatchBuilder {
  const builder = new RecordBatchBuilder();
  for (const value of values) builder.append(Date.now(), null, value, []);
  return builder;
}

const tasks: Readonly<Record<string, () => Promise<void>>> = {
  /** Publishes batches of 1 to 50 records, several at once, until it is killed; says what was acknowledged. */
  async publish() {
    const [prefix = 'p'] = args;
    const transport = await embeddedTransport({ path })();
    await transport.topics.create('events', { partitions: 2, ifMissing: true });
    const producer = transport.producer();
    say('ready');
    const one = async (lane: number): Promise<void> => {
      for (let n = 0; ; n++) {
        const partition = (lane + n) % 2;
        const count = batchSize(lane, n);
        const values = Array.from({ length: count }, (_, i) => `${prefix}-${lane}-${n}-${i}-${count}`);
        const records = builderOf(values);
        const [result] = await producer.send([
          { topic: 'events', partition, records, compression: n % 2 ? 'lz4' : 'none' },
        ]);
        say(`ack ${partition} ${result!.baseOffset} ${count} ${values[0]}`);
      }
    };
    await Promise.all([one(0), one(1), one(2)]);
  },

  /** Runs an application: counts up in a store, writes one output per commit, until it is killed. */
  async run() {
    const [mode = 'busy', takeOver = ''] = args;
    const transport = await embeddedTransport({ path, takeOver: takeOver === 'takeOver' })();
    await transport.topics.create('out', { ifMissing: true });
    const id = { applicationId: 'app', store: 'count', partition: 0 };
    let assigned: () => void = () => undefined;
    const ready = new Promise<void>((resolve) => (assigned = resolve));
    const session = await transport.group({
      groupId: 'app',
      exclusive: true,
      tasks: [{ id: 'stage/0', partitions: [{ topic: 'out', partition: 0 }] }],
      onAssigned: async () => assigned(),
      onRevoked: async () => undefined,
      onError: (error) => say(`error ${error.code}`),
    });
    await ready;
    const store = session.stores.open(id);
    const key = new TextEncoder().encode('n');
    const commit = async (): Promise<void> => {
      const n = Number(new TextDecoder().decode(store.get(key) ?? new TextEncoder().encode('0'))) + 1;
      await session.send([{ topic: 'out', partition: 0, records: builderOf([String(n)]), compression: 'none' }]);
      await session.commit({
        generation: session.generation,
        offsets: [{ topic: 'out', partition: 0, offset: n }],
        state: [{ id, keys: [key], values: [new TextEncoder().encode(String(n))] }],
      });
      say(`commit ${n}`);
    };
    say(`ready ${process.pid}`);
    if (mode === 'busy') for (;;) await commit();
    // Waits for the signal, then commits once.
    process.on('SIGUSR2', () => {
      commit().then(
        () => say('committed'),
        (error: unknown) => say(`refused ${codeOf(error)}`),
      );
    });
    await commit();
    await sleep(600_000);
  },

  /** Says when each record arrived. */
  async follow() {
    const transport = await embeddedTransport({ path })();
    await transport.topics.create('events', { partitions: 2, ifMissing: true });
    const decoder = new TextDecoder();
    const drain = (): void => {
      for (let batch = fetcher.poll('events', 0); batch !== undefined; batch = fetcher.poll('events', 0)) {
        for (let i = 0; i < batch.count; i++) {
          const start = batch.valueStart[i]!;
          const value = decoder.decode(batch.bytes.subarray(start, start + batch.valueLength[i]!));
          say(`got ${value} ${Date.now()}`);
        }
      }
    };
    const fetcher = transport.fetcher({ onReady: drain });
    fetcher.assign('events', 0, 0);
    drain();
    const before = process.cpuUsage();
    process.on('SIGUSR2', () => {
      const { user, system } = process.cpuUsage(before);
      say(`cpu ${(user + system) / 1000}`);
    });
    say('ready');
  },

  /** Fills a store until it is killed; says what it has put there. */
  async stores() {
    const stores = await localStores(path)('app');
    const id = { applicationId: 'app', store: 's', partition: 0 };
    say('ready');
    for (let n = 0; ; n++) {
      const key = Uint8Array.of(n >> 16, n >> 8, n);
      stores.apply([{ id, keys: [key], values: [new Uint8Array(1 + (n % 3000))] }]);
      say(`put ${n}`);
      if (n % 100 === 0) await sleep(0);
    }
  },

  /** Opens and closes again and again, as a command line tool or a service that restarts would; says how often. */
  async opener() {
    say('ready');
    for (let opens = 1; ; opens++) {
      const transport = await embeddedTransport({ path })();
      await transport.close();
      say(`opened ${opens}`);
      await sleep(0);
    }
  },

  /** Opens, reads everything, closes; says what went wrong. */
  async open() {
    let transport: Awaited<ReturnType<ReturnType<typeof embeddedTransport>>> | undefined;
    try {
      transport = await embeddedTransport({ path })();
      let count = 0;
      for (const topic of await transport.topics.list()) {
        for (const [partition, start] of await transport.offsets(topic, 'earliest')) {
          const end = (await transport.offsets(topic, 'latest', [partition])).get(partition)!;
          const fetcher = transport.fetcher({ onReady: () => undefined });
          let offset = start;
          fetcher.assign(topic, partition, offset);
          while (offset < end) {
            const batch = fetcher.poll(topic, partition);
            if (batch === undefined) await sleep(1);
            else {
              count += batch.count;
              offset = batch.nextOffset;
            }
          }
          await fetcher.close();
        }
      }
      say(`read ${count}`);
    } catch (error) {
      say(`failed ${codeOf(error)} ${error instanceof Error ? error.message.replaceAll('\n', ' ') : ''}`);
    } finally {
      await transport?.close();
    }
  },

  /** Writes until the disk is full, then goes on trying after records were removed. */
  async fill() {
    const [maxBytes = '', hard = ''] = args;
    const transport = await embeddedTransport({ path, ...(maxBytes === '' ? {} : { maxBytes: Number(maxBytes) }) })();
    await transport.topics.create('events', { ifMissing: true });
    const producer = transport.producer();
    const records = builderOf(['x'.repeat(50_000)]);
    const send = () => producer.send([{ topic: 'events', partition: 0, records, compression: 'none' }]);
    let acknowledged = 0;
    let failures = 0;
    while (failures < 5) {
      try {
        await send();
        acknowledged++;
      } catch (error) {
        failures++;
        const written = error instanceof MillraceError ? error.written : '';
        say(`failed ${codeOf(error)} ${written} ${error instanceof Error ? error.message : ''}`);
      }
    }
    say(`acknowledged ${acknowledged}`);
    if (hard === 'hard') {
      // No byte can be written any more, so nothing can be removed either.
      await transport.close();
      await sleep(50);
      return say(`unhandled ${unhandled}`);
    }
    await transport.topics.deleteRecords('events', [{ partition: 0, offset: acknowledged - 5 }]);
    for (let i = 0; i < 5; i++) await send();
    say('works again');
    await transport.close();
    await sleep(50);
    say(`unhandled ${unhandled}`);
  },
};

await tasks[task]!();

import { int32, memoryTransport, run, string, to, topic } from 'millrace';
import { expect, it } from 'vitest';
import type { GroupOptions, Transport } from '../../src/log/transport.ts';
import { RecordBatchBuilder } from '../../src/protocol/batch-builder.ts';
import { TopicReader } from '../../src/testing/topic-reader.ts';
import { MemoryLog } from '../../src/transports/memory/index.ts';
import { gate, until } from './support.ts';

const source = topic('source', { key: string(), value: int32() });
const out = topic('out', { key: string(), value: int32() });

/** Gives tasks to a member in two rounds, as when those of another one that has died come later; the later ones open slowly. */
function inRounds(real: Transport, later: string, opened: Promise<void>): Transport {
  return {
    ...real,
    kind: real.kind,
    location: real.location,
    capabilities: real.capabilities,
    topics: real.topics,
    offsets: (...query) => real.offsets(...query),
    describeGroup: (...query) => real.describeGroup(...query),
    committedTopics: (...query) => real.committedTopics(...query),
    fetcher: (options) => real.fetcher(options),
    producer: () => real.producer(),
    close: () => real.close(),
    committed: async (...query) => {
      if (query[1].some(({ partition }) => later.endsWith(`/${partition}`))) await opened;
      return real.committed(...query);
    },
    group: (options: GroupOptions) =>
      real.group({
        ...options,
        onAssigned: async (ids, ...session) => {
          await options.onAssigned(
            ids.filter((id) => id !== later),
            ...session,
          );
          void options.onAssigned([later], ...session);
        },
      }),
  };
}

it.each(['keep', 'close'] as const)(
  'a bounded run is not over before all of its tasks are built (%s)',
  async (openWindows) => {
    const log = new MemoryLog();
    log.create(source.name, { partitions: 2 });
    log.create(out.name);
    for (const partition of [0, 1]) {
      const batch = new RecordBatchBuilder();
      batch.append(1, 'key', Uint8Array.of(0, 0, 0, partition), []);
      log.append([log.prepare({ topic: source.name, partition }, batch)]);
    }
    const opened = gate();
    const read = (): readonly (number | null)[] => new TopicReader(log, out.name).read(out).map(({ value }) => value);
    const app = run(source.pipe(to(out)), {
      applicationId: 'app',
      until: 'end',
      openWindows,
      logger: false,
      transport: async () => inRounds(await memoryTransport(log)(), 'source/0', opened.wait),
    });
    await until('the first task has read everything', () => read().length === 1);
    // The engine comes to rest with it.
    for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    expect(app.snapshot().state).toBe('running');
    opened.open();
    await app.done;
    expect(new Set(read())).toEqual(new Set([0, 1]));
  },
);

import { describe, expect, it } from 'vitest';
import {
  type App,
  agg,
  aggregate,
  deadLetter,
  joinTable,
  json,
  memoryTransport,
  type OpenTransport,
  type Pipeline,
  type RecordPolicy,
  run,
  string,
  table,
  to,
  topic,
  tumbling,
  windowBy,
} from '../../index.ts';
import { RecordBatchBuilder } from '../../protocol/batch-builder.ts';
import { memoryStores } from '../../state/memory-backend.ts';
import { TopicReader } from '../../testing/topic-reader.ts';
import { MemoryLog } from '../../transports/memory/index.ts';
import { withoutState } from '../app/changelog.fixtures.ts';

const input = topic('input', { key: string(), value: json<number>() });
const out = topic('out', { key: string(), value: json<unknown>() });
const dead = topic('dead', { key: string(), value: json<number>() });

/** A serde that writes lists of two at most. */
const short = {
  ...json<number[]>(),
  serialize(list: number[]): Uint8Array {
    if (list.length > 2) throw new TypeError('three are too many');
    return json<number[]>().serialize(list);
  },
};
const list = agg.custom({
  name: 'list',
  init: () => [] as number[],
  add: (all: number[], n: number) => [...all, n],
  result: (all) => all.join('+'),
  state: short,
});
const large = agg.custom({
  name: 'large',
  init: () => '',
  add: (all: string, n: number) => all + String(n).repeat(400),
  result: (all) => all.length / 400,
});
const window = tumbling({ size: '10s', grace: '0s' });

type Build = (aggregation: typeof list | typeof large) => Pipeline;
const builds: readonly (readonly [string, Build])[] = [
  ['aggregate', (aggregation) => input.pipe(aggregate(aggregation as typeof list, { store: 's' }), to(out))],
  [
    'windowBy with updates',
    (aggregation) => input.pipe(windowBy(window, aggregation as typeof list, { store: 's', emit: 'updates' }), to(out)),
  ],
];
const logs: readonly (readonly [string, (log: MemoryLog) => OpenTransport])[] = [
  ['a log that keeps state', (log) => memoryTransport(log)],
  ['a changelog, atomic', (log) => withoutState(log, memoryStores(), true)],
  ['a changelog, not atomic', (log) => withoutState(log, memoryStores(), false)],
];

function publish(log: MemoryLog, records: readonly (readonly [key: string, value: number])[]): void {
  log.create('input', { ifMissing: true });
  const batch = new RecordBatchBuilder();
  for (const [key, value] of records) batch.append(1000, key, String(value), []);
  log.append([log.prepare({ topic: 'input', partition: 0 }, batch)]);
}

const rows = (log: MemoryLog): string[] =>
  new TopicReader(log, 'out').read(out).map(({ key, value }) => `${key}=${String(value)}`);

const start = (pipeline: Pipeline, transport: OpenTransport, onRecordError: RecordPolicy): App =>
  run(pipeline, { applicationId: 'app', transport, until: 'end', onRecordError });

describe.each(builds)('an entry that cannot be written: %s', (_name, build) => {
  it.each(logs)(
    'goes to the policy with the record that makes it, and no row of it is written: %s',
    async (_, open) => {
      for (const policy of ['skip', deadLetter('dead')] as const) {
        const log = new MemoryLog();
        publish(log, [
          ['a', 1],
          ['a', 2],
          ['a', 3],
          ['b', 1],
          ['a', 4],
          ['b', 2],
        ]);
        const app = start(build(list), open(log), policy);
        await app.done;
        expect(rows(log)).toEqual(['a=1', 'a=1+2', 'b=1', 'b=1+2']);
        expect(app.snapshot()).toMatchObject({ errors: 2, restarts: 1 });
        publish(log, [
          ['a', 5],
          ['c', 1],
        ]);
        await start(build(list), open(log), policy).done;
        expect(rows(log), 'after another start').toEqual(['a=1', 'a=1+2', 'b=1', 'b=1+2', 'c=1']);
        if (policy === 'skip') continue;
        const letters = new TopicReader(log, 'dead').read(dead);
        expect(letters.map(({ key, value }) => [key, value])).toEqual([
          ['a', 3],
          ['a', 4],
          ['a', 5],
        ]);
      }
    },
  );

  it.each(logs)(
    'ends the application where the policy says so, with topic, partition and offset: %s',
    async (_, open) => {
      const log = new MemoryLog();
      publish(log, [
        ['b', 1],
        ['a', 1],
        ['a', 2],
        ['a', 3],
      ]);
      for (const _start of [1, 2]) {
        await expect(start(build(list), open(log), 'fail').done).rejects.toMatchObject({
          errorClass: 'record',
          topic: 'input',
          partition: 0,
          offset: 3,
          message: expect.stringContaining('three are too many') as string,
        });
      }
      // On the log that is not atomic a row may have gone out ahead.
      expect(log.committed('app', [{ topic: 'input', partition: 0 }]).map(({ offset }) => offset)).not.toContain(4);
    },
  );

  it('is one that the changelog does not take', async () => {
    const log = new MemoryLog();
    log.create('app-s-changelog', { config: { cleanup: 'compact', maxMessageBytes: 1000 } });
    publish(log, [
      ['a', 1],
      ['a', 2],
      ['a', 3],
      ['b', 1],
      ['k'.repeat(2000), 1],
      ['a', 4],
      ['b', 2],
    ]);
    const open = withoutState(log, memoryStores(), true);
    const app = start(build(large), open, 'skip');
    await app.done;
    expect(rows(log)).toEqual(['a=1', 'a=2', 'b=1', 'b=2']);
    expect(app.snapshot().errors).toBe(3);
  });
});

it('a row that a table cannot keep is left out, and the one before it stays', async () => {
  const log = new MemoryLog();
  log.create('app-rows-changelog', { config: { cleanup: 'compact', maxMessageBytes: 1000 } });
  log.create('rows');
  const put = (value: string): void => {
    const batch = new RecordBatchBuilder();
    batch.append(1, 'a', JSON.stringify(value), []);
    log.append([log.prepare({ topic: 'rows', partition: 0 }, batch)]);
  };
  put('small');
  put('x'.repeat(2000));
  publish(log, [['a', 1]]);
  const rowsOf = table('rows', { key: string(), value: json<string>() });
  const app = start(
    input.pipe(
      joinTable(rowsOf, (n, row) => `${n} ${row}`),
      to(out),
    ),
    withoutState(log, memoryStores(), true),
    'skip',
  );
  await app.done;
  expect(rows(log)).toEqual(['a=1 small']);
  expect(app.snapshot().errors).toBe(1);
});

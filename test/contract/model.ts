import {
  type Arbitrary,
  array,
  asyncProperty,
  assert as check,
  constant,
  integer,
  nat,
  oneof,
  record,
  string,
} from 'fast-check';
import { describe, expect, it } from 'vitest';
import { batch, join, type ReadRow, type Row, readAll, rowsOf, type TestLog, unique, until, watch } from './support.ts';

type Step =
  | { readonly do: 'create'; readonly topic: number; readonly partitions: number }
  | { readonly do: 'delete'; readonly topic: number }
  | { readonly do: 'grow'; readonly topic: number }
  | { readonly do: 'append'; readonly topic: number; readonly partition: number; readonly rows: readonly Row[] }
  | { readonly do: 'trim'; readonly topic: number; readonly partition: number; readonly keep: number }
  | { readonly do: 'read'; readonly topic: number; readonly partition: number; readonly skip: number }
  | { readonly do: 'commit'; readonly topic: number; readonly partition: number; readonly rows: readonly Row[] }
  | { readonly do: 'time'; readonly topic: number; readonly partition: number; readonly time: number };

interface ModelPartition {
  start: number;
  end: number;
  rows: Pick<ReadRow, 'offset' | 'key' | 'value' | 'timestamp'>[];
}

const topic = nat(2);
const partition = nat(2);
const row = record({ key: oneof(constant(null), string({ maxLength: 3 })), value: string(), timestamp: nat(1000) });
const rows = array(row, { minLength: 1, maxLength: 6 });
const step: Arbitrary<Step> = oneof(
  record({ do: constant('create' as const), topic, partitions: integer({ min: 1, max: 3 }) }),
  record({ do: constant('delete' as const), topic }),
  record({ do: constant('grow' as const), topic }),
  { arbitrary: record({ do: constant('append' as const), topic, partition, rows }), weight: 6 },
  record({ do: constant('trim' as const), topic, partition, keep: nat(5) }),
  { arbitrary: record({ do: constant('read' as const), topic, partition, skip: nat(8) }), weight: 4 },
  { arbitrary: record({ do: constant('commit' as const), topic, partition, rows }), weight: 2 },
  record({ do: constant('time' as const), topic, partition, time: nat(1000) }),
);

/** Random operations against a plain model: after each, the log and the model agree. */
export function modelContract(openLog: () => Promise<TestLog>, runs: number): void {
  describe('model', () => {
    it('agrees with arrays under random operations', { timeout: 120_000 }, async () => {
      const log = await openLog();
      const transport = await log.open();
      const producer = transport.producer();
      await check(
        asyncProperty(array(step, { minLength: 1, maxLength: 30 }), async (steps) => {
          const names = [unique('m0'), unique('m1'), unique('m2')];
          const model = new Map<string, ModelPartition[]>();
          const group = unique('model');
          const anchor = unique('anchor');
          await transport.topics.create(anchor);
          const { session, tasks } = await join(transport, group, anchor, 1);
          await until('the task', () => tasks.size === 1);
          const append = (to: ModelPartition, list: readonly Row[]): number => {
            const base = to.end;
            list.forEach(({ key = null, value = null, timestamp = 0 }, i) => {
              to.rows.push({ offset: base + i, key, value, timestamp });
            });
            to.end += list.length;
            return base;
          };
          let commits = 0;
          for (const one of steps) {
            const name = names[one.topic]!;
            const known = model.get(name);
            if (one.do === 'create') {
              await transport.topics.create(name, { partitions: one.partitions, ifMissing: true });
              if (known === undefined) {
                model.set(
                  name,
                  Array.from({ length: one.partitions }, () => ({ start: 0, end: 0, rows: [] })),
                );
              }
              continue;
            }
            if (known === undefined) {
              expect(await transport.topics.describe(name)).toBeUndefined();
              continue;
            }
            if (one.do === 'delete') {
              await transport.topics.delete(name);
              model.delete(name);
              continue;
            }
            if (one.do === 'grow') {
              await transport.topics.addPartitions(name, known.length + 1);
              known.push({ start: 0, end: 0, rows: [] });
              continue;
            }
            const number = one.partition % known.length;
            const place = known[number]!;
            if (one.do === 'append') {
              const [result] = await producer.send([batch(name, number, one.rows)]);
              expect(result).toEqual({ topic: name, partition: number, baseOffset: append(place, one.rows) });
            } else if (one.do === 'commit') {
              const offsets = [{ topic: anchor, partition: 0, offset: ++commits }];
              await session.send([batch(name, number, one.rows, 'gzip')]);
              await session.commit({ generation: session.generation, offsets, state: [] });
              append(place, one.rows);
              expect(await transport.committed(group, [{ topic: anchor, partition: 0 }])).toMatchObject(offsets);
            } else if (one.do === 'trim') {
              const offset = Math.max(place.start, place.end - one.keep);
              await transport.topics.deleteRecords(name, [{ partition: number, offset }]);
              place.start = offset;
              place.rows = place.rows.filter((kept) => kept.offset >= offset);
            } else if (one.do === 'time') {
              const found = await transport.offsets(name, { time: one.time }, [number]);
              const expected = place.rows.find(({ timestamp }) => timestamp >= one.time)?.offset ?? place.end;
              expect(found.get(number)).toBe(expected);
            } else if (place.end > place.start) {
              const from = Math.min(place.start + one.skip, place.end - 1);
              const { fetcher } = watch(transport);
              fetcher.assign(name, number, from);
              const fetched = await until('a batch', () => fetcher.poll(name, number));
              const expected = place.rows.filter(({ offset }) => offset >= from && offset < fetched.nextOffset);
              expect(rowsOf(fetched).map(({ headers: _, ...rest }) => rest)).toEqual(expected);
              await fetcher.close();
            }
          }
          for (const [name, partitions] of model) {
            expect(await transport.offsets(name, 'earliest')).toEqual(new Map(partitions.map((p, i) => [i, p.start])));
            expect(await transport.offsets(name, 'latest')).toEqual(new Map(partitions.map((p, i) => [i, p.end])));
            for (const [i, place] of partitions.entries()) {
              const read = (await readAll(transport, name, i)).map(({ headers: _, ...rest }) => rest);
              expect(read).toEqual(place.rows);
            }
          }
          await session.leave();
        }),
        { numRuns: runs },
      );
      await producer.close();
      await transport.close();
      await log.cleanup();
    });
  });
}

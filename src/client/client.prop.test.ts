import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { connect } from '../connect.ts';
import { int32, string } from '../serdes/index.ts';
import { topic } from '../streams/topic.ts';
import { memoryTransport } from '../transports/memory/index.ts';
import type { Published } from './publish/published.ts';

const numbers = topic('numbers', { key: string(), value: int32(), partitions: 3 });

const call = fc.record({
  /** Records of the call: one for `publish`, else `publishAll`. */
  count: fc.integer({ min: 1, max: 5 }),
  key: fc.constantFrom('a', 'b', 'c', 'd'),
  /** Whether to await what was called so far. */
  settle: fc.boolean(),
});

const limits = fc.record({ count: fc.integer({ min: 1, max: 4 }), bytes: fc.integer({ min: 1, max: 500 }) });

describe('a client', () => {
  it('reads every record once, where it was acknowledged, in the order of the calls', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(call, { maxLength: 30 }), limits, async (calls, batch) => {
        const client = await connect({ transport: memoryTransport(), batch });
        const acknowledged: Promise<readonly Published[]>[] = [];
        let value = 0;
        for (const { count, key, settle } of calls) {
          const records = Array.from({ length: count }, () => ({ key, value: value++ }));
          acknowledged.push(
            count === 1
              ? client.publish(numbers, records[0]!).then((one) => [one])
              : client.publishAll(numbers, records),
          );
          if (settle) await Promise.all(acknowledged);
        }
        const published = (await Promise.all(acknowledged)).flat();
        const read = new Map<string, number>();
        if (calls.length > 0) {
          for await (const record of client.records(numbers, { from: 'earliest', until: 'end' })) {
            read.set(`${record.partition}/${record.offset}`, record.value);
          }
        }
        expect(read.size).toBe(published.length);
        const last = new Map<number, number>();
        published.forEach(({ offset, partition }, index) => {
          expect(read.get(`${partition}/${offset}`), 'another record lies there').toBe(index);
          expect(offset, 'the order of the calls').toBe((last.get(partition) ?? -1) + 1);
          last.set(partition, offset);
        });
        await client.close();
      }),
      { numRuns: 200 },
    );
  });

  it('hands out what a group left over, whatever is committed and wherever reading stops', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 6 }), async (stops) => {
        const client = await connect({ transport: memoryTransport() });
        await client.publishAll(
          numbers,
          Array.from({ length: 12 }, (_, value) => ({ key: 'k', value, partition: value % 3 })),
        );
        const committed = new Set<number>();
        const options = { from: 'earliest', until: 'end', group: 'g', commit: 'explicit' } as const;
        for (const stop of stops) {
          let count = 0;
          for await (const record of client.records(numbers, options)) {
            expect(committed.has(record.value), `${record.value} was committed`).toBe(false);
            await record.commit();
            committed.add(record.value);
            count += 1;
            if (count === stop) break;
          }
        }
        let rest = 0;
        for await (const { value } of client.records(numbers, { from: 'earliest', until: 'end', group: 'g' })) {
          expect(committed.has(value)).toBe(false);
          rest += 1;
        }
        expect(committed.size + rest).toBe(12);
        await client.close();
      }),
      { numRuns: 100 },
    );
  });
});

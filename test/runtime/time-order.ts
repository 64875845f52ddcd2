import { connect, int32, keyBy, mapValues, type RunOptions, run, string, through, to, topic } from 'millrace';
import { expect, it } from 'vitest';

const value = int32();

/** Records in the order of time, of which some partitions have many and others few. */
function backlog(records: number) {
  return Array.from({ length: records }, (_, n) => ({
    key: n % 100 === 0 ? 'seldom' : `${n % 9}`,
    value: n,
    timestamp: 1000 * n,
  }));
}

/** Tests of what a second application finds: the order in which one process writes what it reads from several partitions. */
export function timeOrderTests(location: () => Pick<RunOptions, 'path' | 'transport'>): void {
  it.each([true, false])(
    'a backlog of several partitions is written in the order of time (shuffled: %s)',
    async (shuffled) => {
      const place = location();
      const source = topic('source', { key: string(), value, partitions: 5 });
      const shuffle = topic('shuffle', { key: string(), value, partitions: 3 });
      const out = topic('out', { key: string(), value, partitions: 2 });
      const client = await connect(place);
      for (const each of [source, shuffle, out]) await client.topics.create(each);
      await client.publishAll(source, backlog(20_000));
      const first = source.pipe(mapValues((n) => n));
      const pipeline = shuffled
        ? first.pipe(
            keyBy((n) => `${n % 7}`),
            through(shuffle),
            to(out),
          )
        : first.pipe(to(out));
      await run(pipeline, { applicationId: 'copier', ...place, until: 'end' }).done;
      for (const target of shuffled ? [shuffle, out] : [out]) {
        const latest = new Map<number, number>();
        let [records, back] = [0, 0];
        await client.records(target, { from: 'earliest', until: 'end' }).forEach(({ partition, timestamp }) => {
          const before = latest.get(partition) ?? 0;
          records += 1;
          back = Math.max(back, before - timestamp);
          latest.set(partition, Math.max(before, timestamp));
        });
        expect(records).toBe(20_000);
        // Of twenty million ms: a turn's records, of which each spans a thousand.
        expect(back).toBeLessThan(600_000);
      }
      await client.close();
    },
  );
}

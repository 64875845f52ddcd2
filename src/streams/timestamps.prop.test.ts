import fc from 'fast-check';
import {
  agg,
  aggregate,
  asTable,
  joinStream,
  joinTable,
  json,
  keyBy,
  session,
  string,
  table,
  through,
  to,
  topic,
  toStream,
  tumbling,
  windowBy,
} from 'millrace';
import { TestDriver } from 'millrace/testing';
import { expect, it } from 'vitest';

interface Fact {
  readonly at: number;
  readonly n: number;
}

const options = { key: string(), value: json<Fact>() };
const [facts, others, rows] = [topic('facts', options), topic('others', options), topic('rows', options)];
const moved = topic('moved', options);
const outs = ['sessions', 'sums', 'joined', 'changes', 'shuffled'].map((name) =>
  topic(name, { key: string(), value: json<unknown>() }),
);

/** Everything that goes by time. */
function pipelineOf(timestamp: { readonly timestamp?: (fact: Fact | null) => number }) {
  const [source, other] = [topic('facts', { ...options, ...timestamp }), topic('others', { ...options, ...timestamp })];
  const kept = table('rows', { ...options, ...timestamp, ttl: '9ms' });
  const [sessions, sums, joined, changes, shuffled] = outs as [
    (typeof outs)[0],
    (typeof outs)[0],
    (typeof outs)[0],
    (typeof outs)[0],
    (typeof outs)[0],
  ];
  const summed = source.pipe(
    aggregate(
      agg.sum(({ n }) => n),
      { store: 'sums' },
    ),
  );
  return [
    source.pipe(windowBy(session({ gap: '3ms', grace: '2ms' }), agg.count(), { store: 'sessions' }), to(sessions)),
    asTable(summed).pipe(toStream(), to(sums)),
    source.pipe(
      joinStream(other, (one, two) => [one?.n, two?.n], { store: 'met', within: '4ms', grace: '1ms', type: 'outer' }),
      joinTable(kept, (pair, row) => [pair, row], { type: 'left' }),
      to(joined),
    ),
    kept.pipe(toStream(), to(changes)),
    source.pipe(
      keyBy(({ n }) => `${n % 2}`),
      through(moved),
      windowBy(
        tumbling({ size: '5ms', grace: '1ms' }),
        agg.sum(({ at }: Fact) => at),
        { store: 'moved' },
      ),
      to(shuffled),
    ),
  ];
}

const record = fc.record({
  topic: fc.constantFrom(facts, facts, others, rows),
  key: fc.constantFrom('a', 'b', 'c'),
  at: fc.nat({ max: 60 }),
  n: fc.nat({ max: 9 }),
  noise: fc.nat({ max: 1_000 }),
  restart: fc.boolean(),
  joinsNext: fc.boolean(),
});

it('a payload that says when gives the rows that a topic gives which says so itself (TM-6)', () => {
  fc.assert(
    fc.property(fc.array(record, { maxLength: 20 }), fc.constantFrom(1, 2), (records, partitions) => {
      const outcome = (fromPayload: boolean): unknown => {
        const pipeline = pipelineOf(fromPayload ? { timestamp: (fact) => fact?.at as number } : {});
        const driver = new TestDriver(pipeline, { partitions });
        for (let from = 0; from < records.length; ) {
          let to = from;
          while (to < records.length - 1 && records[to]?.joinsNext === true) to += 1;
          driver.batch(() => {
            for (const { at, key, n, noise, topic } of records.slice(from, to + 1))
              driver.pipe(topic, { key, value: { at, n }, timestamp: fromPayload ? noise : at });
          });
          if (records[to]?.restart === true) driver.restart();
          from = to + 1;
        }
        driver.end('close');
        return outs.map((out) =>
          driver.read(out).map(({ key, partition, timestamp, value }) => [partition, key, timestamp, value]),
        );
      };
      expect(outcome(true)).toEqual(outcome(false));
    }),
    { numRuns: 250 },
  );
});

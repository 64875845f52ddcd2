import {
  agg,
  countByKey,
  filterValues,
  int32,
  joinTable,
  keyBy,
  mapRows,
  mapTimestamp,
  type Pipeline,
  string,
  type Topic,
  table,
  through,
  to,
  topic,
  toStream,
  tumbling,
  union,
  windowBy,
} from 'millrace';
import { filter } from 'rxjs';
import { expect, it } from 'vitest';
import type { TopicDescription } from '../log/transport.ts';
import { shuffleWriters } from './shuffles.ts';
import { plan } from './topology.ts';

const value = int32();
const [source, first, second, out] = ['source', 'first', 'second', 'out'].map((name) => {
  return topic(name, { key: string(), value });
}) as unknown as [Values, Values, Values, Values];
type Values = Topic<string, number>;

/** Which stages announce in which topics, and by what. */
function announced(pipeline: Pipeline, partitions: Record<string, number>, cleanup = 'delete') {
  const topics = new Map(
    Object.entries(partitions).map(([name, count]) => {
      return [name, { partitions: count, config: { cleanup } } as unknown as TopicDescription] as const;
    }),
  );
  return Array.from(shuffleWriters(plan(pipeline).stages, topics, 'app'), ([name, writers]) => {
    return `${name}: ${writers.map(({ alone, follows, stage, tasks }) => `${tasks}${alone ? ' alone' : ''} of ${stage.name} by ${follows}`).join()}`;
  });
}

const key = keyBy((n: number) => `${n}`);
const counting = countByKey<string, number>({ store: 'counts' });

it('tasks announce their time where several write', () => {
  const pipeline = source.pipe(key, filterValues(Boolean), through(first), counting, to(out));
  expect(announced(pipeline, { source: 3, first: 2 })).toEqual(['first: 3 of source by input']);
  expect(announced(pipeline, { source: 1, first: 2 })).toEqual([]);
  expect(announced(pipeline, { source: 3, first: 2 }, 'compact'), 'it has no place for them').toEqual([]);
});

it('a compacted shuffle is refused where records behind it would be late, also behind further ones', () => {
  const windows = windowBy<string, number, number, number, never>(tumbling({ size: '1m', grace: '0s' }), agg.count(), {
    store: 'windows',
  });
  const near = source.pipe(key, through(first), windows, to(out));
  const far = source.pipe(key, through(first), key, through(second), windows, to(out));
  const message =
    'the shuffle first keeps the newest record of each key, and its records are not in time order; windowBy(windows) after it';
  expect(() => announced(near, { source: 3, first: 2 }, 'compact')).toThrow(message);
  expect(() => announced(far, { source: 3, first: 2, second: 2 }, 'compact')).toThrow(
    'keeps the newest record of each key',
  );
  expect(announced(near, { source: 1, first: 2 }, 'compact'), 'one task writes it in order').toEqual([]);
  const beside = [source.pipe(key, through(first), counting, to(out)), source.pipe(windows, to(second))];
  expect(announced(beside, { source: 3, first: 2, second: 2 }, 'compact')).toEqual([]);
});

it('and in all shuffles on the way to and from these', () => {
  const pipeline = source.pipe(key, through(first), key, through(second), counting, to(out));
  const each = ['first: 1 alone of source by input', 'second: 3 of first by input'];
  expect(announced(pipeline, { source: 1, first: 3, second: 2 }).sort()).toEqual(each);
  const narrow = ['first: 3 of source by input', 'second: 1 of first by input'];
  expect(announced(pipeline, { source: 3, first: 1, second: 2 }).sort()).toEqual(narrow);
});

it('by what they have written where steps may give records other timestamps, and not at all where those are in no order', () => {
  const other = source.pipe(
    mapTimestamp((at) => at),
    key,
    through(first),
    filter(() => true),
    key,
    through(second),
    counting,
    to(out),
  );
  const both = ['first: 3 of source by written', 'second: 2 of first by nothing'];
  expect(announced(other, { source: 3, first: 2, second: 2 }).sort()).toEqual(both);
});

it('one task alone announces its time where rows come later, or where what it writes meets something else', () => {
  const windows = windowBy(tumbling({ size: '1m', grace: '0s' }), agg.count<number>(), { store: 'windows' });
  const later = source.pipe(windows, key, through(first), counting, to(out));
  expect(announced(later, { source: 1, first: 2 })).toEqual(['first: 1 of source by input']);
  const meets = union(source.pipe(key, through(first)), second).pipe(counting, to(out));
  expect(announced(meets, { source: 1, first: 2, second: 2 })).toEqual(['first: 1 of source by input']);
  const users = table('second', { key: string(), value });
  const rows = users.pipe(mapRows((n) => n + 1));
  const named = source.pipe(
    key,
    through(first),
    joinTable(rows, (n, row) => n + row),
    to(out),
  );
  expect(announced(named, { source: 1, first: 2, second: 2 }), 'rows are looked up').toEqual([]);
  const changes = union(source.pipe(key, through(first)), users.pipe(toStream(), filterValues(Boolean))).pipe(
    counting,
    to(out),
  );
  expect(announced(changes, { source: 1, first: 2, second: 2 })).toEqual(['first: 1 of source by input']);
});

it('by their input where rows come later', () => {
  const windows = windowBy(tumbling({ size: '1m', grace: '0s' }), agg.count<number>(), { store: 'windows' });
  const pipeline = source.pipe(windows, key, through(first), counting, to(out));
  expect(announced(pipeline, { source: 2, first: 2 })).toEqual(['first: 2 of source by input']);
});

import { merge, type Observable, of } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { agg } from '../aggregators/agg.ts';
import { countByKey } from '../operators/count-by-key.ts';
import { joinTable } from '../operators/join-table.ts';
import { keyBy } from '../operators/key-by.ts';
import { mapValues } from '../operators/map-values.ts';
import { thrown } from '../operators/operators.fixtures.ts';
import { union } from '../operators/union.ts';
import { windowBy } from '../operators/window-by.ts';
import { json } from '../serdes/json.ts';
import { string } from '../serdes/string.ts';
import { to } from '../sinks/to.ts';
import { globalTable } from '../streams/global-table.ts';
import { through } from '../streams/through.ts';
import { topic } from '../streams/topic.ts';
import { tumbling } from '../windows/tumbling.ts';
import { filterRows } from './filter-rows.ts';
import { joinRows } from './join-rows.ts';
import { mapRows } from './map-rows.ts';
import { regroup } from './regroup.ts';
import { suppress } from './suppress.ts';
import { toStream } from './to-stream.ts';
import { table } from './topic-table.ts';

const users = table('users', { key: string(), value: json<{ name: string }>() });
const others = table('others', { key: string(), value: json<{ name: string }>() });
const clicks = topic('clicks', { key: string(), value: json<{ name: string }>() });
const minute = tumbling({ size: '1m', grace: '0s' });

/** As a program without types, or with `any`, would do it. */
const applied = (verb: unknown, source: unknown) => () => (verb as (source: unknown) => unknown)(source);

describe('a table where a stream belongs', () => {
  it.each<[string, unknown]>([
    ['mapValues', mapValues((user: { name: string }) => user.name)],
    ['keyBy', keyBy((user: { name: string }) => user.name)],
    ['countByKey', countByKey({ store: 'counts' })],
    ['windowBy', windowBy(minute, agg.count(), { store: 'counts' })],
    ['joinTable', joinTable(others, (_user, other) => other.name)],
    ['suppress', suppress({ until: '5s', store: 'calm' })],
    ['to', to(clicks)],
    ['through', through(clicks)],
    ['union', (source: Observable<never>) => union(clicks, source)],
  ])('%s says so where it is applied', (name, step) => {
    const { code, hint, message } = thrown(applied(step, users));
    expect(code).toBe('ERR_OPTION');
    expect(message).toContain(`${name}(…) was given a table instead of a stream`);
    expect(hint).toContain(`table.pipe(toStream(), ${name}(…))`);
  });

  it('is told from other things that are no streams', () => {
    const global = globalTable('products', { key: string(), value: json() });
    const step = mapValues((value: unknown) => value);
    expect(thrown(applied(step, global)).message).toContain('given a global table instead of a stream');
    expect(thrown(applied(step, undefined)).message).toContain('given undefined instead of a stream');
    expect(thrown(applied(step, of)).message).toContain('given the function of instead of a stream');
  });

  it('takes every Observable', () => {
    expect(
      applied(
        mapValues((value: unknown) => value),
        merge(clicks, clicks),
      ),
    ).not.toThrow();
  });
});

describe('a stream where a table belongs', () => {
  it.each<[string, unknown]>([
    ['toStream', toStream()],
    ['mapRows', mapRows((user: { name: string }) => user.name)],
    ['filterRows', filterRows((user: { name: string }) => user.name !== '')],
    ['joinRows', joinRows(others, (left, right) => [left, right], { store: 'pairs' })],
    [
      'joinRows',
      joinRows(others, (left, right) => [left, right], { store: 'pairs', key: (user: { name: string }) => user.name }),
    ],
    ['regroup', regroup((user: { name: string }) => user.name, clicks, agg.count(), { store: 'groups' })],
  ])('%s says so where it is applied', (name, verb) => {
    const { code, hint, message } = thrown(applied(verb, clicks));
    expect(code).toBe('ERR_OPTION');
    expect(message).toContain(`${name}(…) was given a topic instead of a table`);
    expect(hint).toContain('asTable(stream');
    expect(thrown(applied(verb, clicks.pipe(mapValues((user) => user)))).message).toContain('given a stream instead');
  });
});

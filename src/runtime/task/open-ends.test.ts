import { map, type Observable, tap } from 'rxjs';
import { expect, it } from 'vitest';
import {
  agg,
  aggregate,
  branch,
  filterValues,
  joinTable,
  json,
  keyBy,
  mapAsync,
  mapValues,
  type Pipeline,
  string,
  table,
  through,
  to,
  topic,
} from '../../index.ts';
import { type Logger, noLogger } from '../../log/logger.ts';
import { plan } from '../../plan/topology.ts';
import { reportOpenEnds, watchOpenEnd } from './open-ends.ts';

const source = topic('source', { key: string(), value: json<number>() });
const out = topic('out', { key: string(), value: json<number>() });
const rows = table('rows', { key: string(), value: json<number>() });

function said(pipeline: Pipeline): string[] {
  const lines: string[] = [];
  const at = (level: string) => (fields: object, message: string) => {
    lines.push(`${level} ${(fields as { step: string }).step}: ${message.replace(/ of .* go/, ' go')}`);
  };
  const logger: Logger = { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
  reportOpenEnds(plan(pipeline).nodes, logger, 'app');
  return lines;
}
const GO = 'the results go nowhere: no to(…) follows it';

it('says nothing of what is written', () => {
  const counted = source.pipe(aggregate(agg.count(), { store: 's' }));
  for (const pipeline of [
    source.pipe(to(out)),
    source.pipe(joinTable(rows, (n) => n)).pipe(to(out)),
    source
      .pipe(to(out))
      .pipe(map((record) => record))
      .pipe(to(topic('more', { key: string(), value: json<number>() }))),
    [counted.pipe(to(out)), counted.pipe(mapValues((n) => n + 1)).pipe(to(out))],
    source
      .pipe(
        keyBy((n) => `${n}`),
        through(topic('shuffle', { key: string(), value: json<number>() })),
      )
      .pipe(to(out)),
  ]) {
    expect(said(pipeline)).toEqual([]);
  }
});

it('warns of results that go nowhere, and names the step', () => {
  expect(said(source)).toEqual([`warn topic(source): ${GO}`]);
  expect(said([source.pipe(to(out)), source.pipe(filterValues(() => true))])).toEqual([`warn filterValues: ${GO}`]);
  const { big, rest } = branch(source, { big: ({ value }) => value > 5 }, 'rest');
  expect(said([big.pipe(to(out)), rest])).toEqual([expect.stringMatching(/^warn rest/)]);
});

it('mentions a store that is filled', () => {
  expect(said(source.pipe(aggregate(agg.count(), { store: 's' })))).toEqual([`info aggregate(s): ${GO}`]);
});

it('takes functions of the program for the end that is meant', () => {
  const log = (n: number): number => n;
  for (const pipeline of [source.pipe(tap(() => undefined)), source.pipe(mapAsync(log)), source.pipe(mapValues(log))]) {
    expect(said(pipeline)).toEqual([]);
  }
});

it('warns once of values that are made and go nowhere, whatever the number of tasks', () => {
  const warnings: string[] = [];
  const logger: Logger = { ...noLogger, warn: (_fields, message) => void warnings.push(message) };
  const watch = (pipeline: Observable<unknown>) => {
    const topology = plan(pipeline);
    const looks = [1, 2].map(() => watchOpenEnd(topology.roots[0] as never, topology, logger, 'app'));
    for (const look of looks) for (const value of [undefined, 1, 2]) look?.({ value });
    return warnings.splice(0);
  };
  expect(watch(source.pipe(mapValues((n) => n + 1)))).toEqual([
    'the results of mapValues go nowhere: no to(…) follows it (what only looks at records stands in tap(…))',
  ]);
  expect(watch(source.pipe(mapValues((n) => n + 1)).pipe(to(out)))).toEqual([]);
  expect(watch(source.pipe(mapAsync(async (n) => n)))).toEqual([]);
  const topology = plan(source.pipe(mapValues(() => undefined)));
  watchOpenEnd(topology.roots[0] as never, topology, logger, 'app')?.({ value: undefined });
  expect(warnings).toEqual([]);
});

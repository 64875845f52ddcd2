import { share } from 'rxjs';
import { expect, it } from 'vitest';
import {
  agg,
  asTable,
  countByKey,
  joinTable,
  json,
  type Pipeline,
  regroup,
  string,
  table,
  through,
  to,
  topic,
  toStream,
  tumbling,
  union,
  windowBy,
} from '../index.ts';
import { withFound } from './found-topics.ts';
import { storeRoutes } from './store-routes.ts';
import { plan } from './topology.ts';

const use = { key: string(), value: json<number>() };
const numbers = (name: string) => topic(name, use);
const [a, b, mid, out] = [numbers('a'), numbers('b'), numbers('mid'), numbers('out')];
const counted = (store: string) => countByKey<string, number>({ store });

function routesOf(pipeline: Pipeline, name: string, found = new Map<string, readonly string[]>()) {
  const { stages } = withFound(plan(pipeline, 'app'), found);
  const stage = stages.find(({ inputs }) => inputs.some((input) => input.name === name));
  const { behind, ...rest } = storeRoutes(stage!, name, stages);
  return { ...rest, behind: Object.fromEntries(behind) };
}

it('lead through the outputs of a stage to the stores of others, over any number of topics', () => {
  const [first, second] = [numbers('first'), numbers('second')];
  const pipeline = a.pipe(through(first), through(second), counted('counts'), to(out));
  expect(routesOf(pipeline, 'a')).toEqual({ stores: [], apart: [], outputs: ['first'], behind: { counts: ['first'] } });
  expect(routesOf(pipeline, 'second')).toEqual({ stores: ['counts'], apart: [], outputs: ['out'], behind: {} });
});

it('lead only to steps that the records of a topic come to, though others belong to the stage', () => {
  const pipeline = [
    a.pipe(counted('as'), to(mid)),
    b.pipe(counted('bs'), to(numbers('b-out'))),
    union(a, b).pipe(to(out)),
    mid.pipe(counted('mids'), to(numbers('mid-out'))),
  ];
  expect(routesOf(pipeline, 'a')).toMatchObject({ stores: ['as'], apart: ['bs'], behind: { mids: ['mid'] } });
  expect(routesOf(pipeline, 'b')).toEqual({ stores: ['bs'], apart: ['as'], outputs: ['b-out', 'out'], behind: {} });
});

it('do not lead from a stream to the table that it looks rows up in', () => {
  const pipeline = a.pipe(
    joinTable(table('rates', use), (n, rate) => n * rate),
    counted('prices'),
    to(out),
  );
  expect(routesOf(pipeline, 'a')).toMatchObject({ stores: ['prices'], apart: ['rates'] });
  expect(routesOf(pipeline, 'rates').stores.toSorted()).toEqual(['prices', 'rates']);
});

it('begin at each topic that a pattern matches', () => {
  const every = topic(/^in-/, use);
  const pipeline = union(every, a).pipe(counted('counts'), to(out));
  const found = new Map([['/^in-/', ['in-1', 'in-2']]]);
  for (const name of ['in-1', 'in-2', 'a'])
    expect(routesOf(pipeline, name, found)).toMatchObject({ stores: ['counts'], apart: [] });
});

it('lead through plain RxJS operators, branches of late records, and the shuffles inside of steps', () => {
  const [late, groups] = [numbers('late'), numbers('groups')];
  const pipeline = [
    a.pipe(
      share(),
      windowBy(tumbling({ size: '1m', grace: '0s' }), agg.count(), {
        store: 'windows',
        late: (records) => records.pipe(counted('lates'), to(late)),
      }),
      to(out),
    ),
    asTable(late, { store: 'rows' }).pipe(
      regroup((n) => `${n}`, groups, agg.count(), { store: 'groups' }),
      toStream(),
      to(b),
    ),
  ];
  const { apart, behind, stores } = routesOf(pipeline, 'a');
  expect([stores.toSorted(), apart]).toEqual([['lates', 'windows'], []]);
  expect(behind).toEqual({ rows: ['late'], groups: ['late'] });
});

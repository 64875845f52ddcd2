import {
  branch,
  filterValues,
  flatMapRecord,
  flatMapValues,
  keyBy,
  mapRecord,
  mapValues,
  type StreamRecord,
} from 'millrace';
import { merge, type Observable } from 'rxjs';
import { type Json, type Key, NotImplemented, type Params, textOf } from '../format.ts';
import { anyTopic, type CasePipeline, catchRows } from './pipeline.ts';

type Flow = Observable<StreamRecord<Key, Json, unknown>>;

/** A null value passes no predicate and is left as it is by every map. */
const predicates: Readonly<Record<string, (value: Json) => boolean>> = {
  even: (value) => value !== null && Number(value) % 2 === 0,
  big: (value) => value !== null && Number(value) > 5,
};
const maps: Readonly<Record<string, (value: Json) => Json>> = {
  double: (value) => (value === null ? null : Number(value) * 2),
  increment: (value) => (value === null ? null : Number(value) + 1),
};
const keyOf = (key: Key, value: Json): Key => (value === null ? key : `m${Number(value) % 3}`);
const copies = (value: Json): Json[] =>
  value === null ? [null] : Array.from({ length: Number(value) % 3 }, (_, at) => Number(value) + at);

export function stateless(params: Params): CasePipeline {
  const left = anyTopic('left');
  const right = anyTopic('right');
  const ops = textOf(params, 'ops').split(',');
  const branches = ops.at(-1) === 'branch';
  let flow: Flow = left;
  for (const op of branches ? ops.slice(0, -1) : ops) flow = apply(op, flow, right);
  return { pipeline: branches ? caughtBranches(flow) : catchRows(flow), inputs: [left, right] };
}

function apply(op: string, flow: Flow, right: Flow): Flow {
  const [name = '', variant = ''] = op.split('.');
  switch (name) {
    case 'filter':
      return flow.pipe(filterValues(named(predicates, variant)));
    case 'filterNot': {
      const predicate = named(predicates, variant);
      return flow.pipe(filterValues((value) => !predicate(value)));
    }
    case 'mapValues':
      return flow.pipe(mapValues(named(maps, variant)));
    case 'map': {
      const map = named(maps, variant);
      return flow.pipe(mapRecord(({ key, value }) => ({ key: keyOf(key, value), value: map(value) })));
    }
    case 'selectKey':
      return flow.pipe(keyBy((value, { key }) => keyOf(key, value)));
    case 'flatMapValues':
      return flow.pipe(flatMapValues(copies));
    case 'flatMap':
      return flow.pipe(flatMapRecord(({ value }) => copies(value).map((copy, at) => ({ key: `f${at}`, value: copy }))));
    case 'merge':
      return merge(flow, right);
    default:
      throw new NotImplemented(`the operation ${op}`);
  }
}

function caughtBranches(flow: Flow): Observable<unknown>[] {
  const even = named(predicates, 'even');
  const big = named(predicates, 'big');
  const flows = branch(flow, { even: ({ value }) => even(value), big: ({ value }) => big(value) }, 'rest');
  return Object.entries(flows).map(([name, branched]) => catchRows(branched, { branch: name }));
}

function named<T>(functions: Readonly<Record<string, T>>, name: string): T {
  const found = functions[name];
  if (found === undefined) throw new NotImplemented(`the function ${name}`);
  return found;
}

import {
  agg,
  aggregate,
  asTable,
  branch,
  ConfigError,
  countByKey,
  filterRows,
  joinTable,
  json,
  keyBy,
  mapRecord,
  mapRows,
  mapValues,
  nullable,
  type StreamRecord,
  string,
  table,
  through,
  to,
  topic,
  toStream,
  tumbling,
  windowBy,
} from 'millrace';
import { concat, defer, filter, map, merge, mergeWith, of, Subject, startWith, tap } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { type Pipeline, plan } from './topology.ts';

const source = topic('source', { key: string(), value: json<number>() });
const second = topic('second', { key: string(), value: json<number>() });
const keyless = topic('keyless', { value: json<number>() });
const shuffle = topic('shuffle', { key: string(), value: json<number>() });
const out = topic('out', { key: string(), value: json<number>() });
const names = table('names', { key: string(), value: json<string>() });
const TEN = tumbling({ size: '10s', grace: '0s' });

function refused(make: () => Pipeline): ConfigError {
  try {
    plan(make());
  } catch (error) {
    expect(error, String(error)).toBeInstanceOf(ConfigError);
    return error as ConfigError;
  }
  throw new Error('the pipeline was not refused');
}

/** `name: inputs -> outputs [stores]` */
function drawn(pipeline: Pipeline): string[] {
  const list = (items: readonly { readonly name: string }[]): string => items.map(({ name }) => name).join(',');
  return plan(pipeline).stages.map(
    ({ inputs, name, outputs, stores }) => `${name}: ${list(inputs)} -> ${list(outputs)} [${list(stores)}]`,
  );
}

describe('stages', () => {
  it('lie between topics', () => {
    const pipeline = keyless.pipe(
      keyBy((n) => `${n}`),
      through(shuffle),
      windowBy(TEN, agg.count(), { store: 'counts' }),
      joinTable(names, (n, name) => n + name.length),
      to(out),
    );
    expect(drawn(pipeline)).toEqual([
      'keyless: keyless -> shuffle []',
      'shuffle+names: shuffle,names -> out [names,counts]',
    ]);
  });

  it('contain everything that reads a topic, because it has one position', () => {
    const pipelines = [
      source.pipe(
        mapValues((n) => n),
        to(out),
      ),
      source.pipe(countByKey({ store: 's' })),
      second.pipe(to(shuffle)),
    ];
    expect(drawn(pipelines)).toEqual(['second: second -> shuffle []', 'source: source -> out [s]']);
  });

  it('join what merges', () => {
    expect(drawn(merge(source, second).pipe(countByKey({ store: 's' })))).toEqual([
      'source+second: source,second ->  [s]',
    ]);
    expect(drawn([source.pipe(to(shuffle)), shuffle.pipe(to(out))])).toEqual([
      'shuffle: shuffle -> out []',
      'source: source -> shuffle []',
    ]);
  });

  it('hold a stream beside a table of the same topic', () => {
    const users = table('source', { key: string(), value: json<number>(), store: 'users' });
    expect(drawn(source.pipe(joinTable(users, (n, m) => n + m)))).toEqual(['source: source ->  [users]']);
  });

  it('include the branch of late records', () => {
    const pipeline = source.pipe(windowBy(TEN, agg.count(), { store: 's', late: (late) => late.pipe(to(out)) }));
    expect(drawn(pipeline)).toEqual(['source: source -> out [s]']);
    const shuffled = source.pipe(
      windowBy(TEN, agg.count(), {
        store: 's',
        late: (late) =>
          late.pipe(
            keyBy(() => 'x'),
            through(shuffle),
            to(out),
          ),
      }),
    );
    expect(drawn(shuffled)).toEqual(['shuffle: shuffle -> out []', 'source: source -> shuffle [s]']);
  });

  it('are the same each time the pipeline is planned', () => {
    const pipeline = source.pipe(
      keyBy(() => 'k'),
      through(shuffle),
      countByKey({ store: 's' }),
      to(out),
    );
    expect(drawn(pipeline)).toEqual(drawn(pipeline));
    expect(drawn([pipeline, pipeline])).toEqual(drawn(pipeline));
  });

  it('are found below every plain operator', () => {
    const plain = merge(
      source.pipe(
        filter(({ value }) => value > 1),
        map((record) => record),
        tap(() => undefined),
      ),
      defer(() => second),
    ).pipe(mergeWith(shuffle));
    expect(drawn(plain.pipe(countByKey({ store: 's' }), to(out)))).toEqual([
      'source+second+shuffle: source,second,shuffle -> out [s]',
    ]);
  });

  it('run nothing while they are planned', () => {
    let ran = 0;
    const record = {} as StreamRecord<string, number>;
    const count = <T>(value: T): T => {
      ran += 1;
      return value;
    };
    plan(
      source.pipe(
        startWith(record),
        map((record) => count(record)),
        mapValues((n) => count(n)),
        tap(() => void count(0)),
        to(out),
      ),
    );
    plan(merge(source, of(record)).pipe(mapValues((n) => count(n))));
    expect(ran).toBe(0);
  });
});

describe('keys', () => {
  const sentence = /key changed: pipe through\(topic\) before a stateful operator/;
  // The types refuse these pipelines too; a cast is what a JavaScript program does without knowing.
  const stateful = {
    aggregate: aggregate(agg.count(), { store: 's' }) as never,
    windowBy: windowBy(TEN, agg.count(), { store: 's' }) as never,
    joinTable: joinTable(names, () => 1) as never,
  };

  it.each(Object.entries(stateful))('refuses a changed key before %s', (name, step) => {
    const changes = [
      source.pipe(
        keyBy(() => 'k'),
        step,
      ),
      source.pipe(
        mapRecord(({ value }) => ({ key: 'k', value })),
        step,
      ),
      source.pipe(
        keyBy(() => 'k'),
        map((record) => record),
        filter(() => true),
        step,
      ),
      merge(source, second.pipe(keyBy(() => 'k'))).pipe(step),
      merge(source.pipe(keyBy(() => 'k')), second).pipe(step),
      source.pipe(mergeWith(second.pipe(keyBy(() => 'k'))), step),
      source.pipe(
        through(shuffle),
        keyBy(() => 'k'),
        to(out),
        step,
      ),
      branch(source.pipe(keyBy(() => 'k')), {}, 'all').all.pipe(step),
    ];
    for (const pipeline of changes) {
      const error = refused(() => pipeline);
      expect(error).toMatchObject({ code: 'ERR_KEY_CHANGED' });
      expect(error.message).toMatch(sentence);
      expect(error.message).toContain(name);
      expect(error.message).toMatch(/ – .*add through\(topic\)/);
    }
  });

  it.each(Object.entries(stateful))('refuses records without keys before %s', (_name, step) => {
    expect(
      refused(() =>
        keyless.pipe(
          map((record) => record),
          step,
        ),
      ),
    ).toMatchObject({ code: 'ERR_NO_KEY' });
  });

  it('refuses a table whose keys are written by another serde than those of the stream', () => {
    const quoted = table('quoted', { key: json<string>(), value: json<string>() });
    const views = [quoted, quoted.pipe(filterRows(() => true)), quoted.pipe(mapRows((row) => row, { store: 'kept' }))];
    const joined = views.map((rows) => source.pipe(joinTable(rows, (n, row) => `${n}${row}`)));
    for (const pipeline of joined) {
      const error = refused(() => pipeline);
      expect(error).toMatchObject({ code: 'ERR_KEY_SERDES' });
      expect(error.message).toContain('joinTable(');
      expect(error.message).toContain('keys come as json and as string');
    }
    const optional = topic('optional', { key: nullable(string()), value: json<number>() });
    expect(() => plan(optional.pipe(joinTable(names, (n, row) => `${n}${row}`)))).not.toThrow();
    const counts = asTable(
      topic('by-json', { key: json<string>(), value: json() }).pipe(countByKey({ store: 'counts' })),
    );
    expect(refused(() => source.pipe(joinTable(counts, (n, count) => n + count)))).toMatchObject({
      code: 'ERR_KEY_SERDES',
    });
  });

  it('refuses a table of a stream without keys, or with new ones', () => {
    const rows = asTable(keyless as never, { store: 'rows' });
    expect(refused(() => rows.pipe(toStream()))).toMatchObject({ code: 'ERR_NO_KEY' });
    const rekeyed = asTable(source.pipe(keyBy(() => 'k')) as never, { store: 'rows' });
    expect(refused(() => rekeyed.pipe(toStream()))).toMatchObject({ code: 'ERR_KEY_CHANGED' });
  });

  it('takes a changed key that has gone through a topic, and a change after the state', () => {
    plan(
      keyless.pipe(
        keyBy(() => 'k'),
        map((record) => record),
        through(shuffle),
        countByKey({ store: 's' }),
        keyBy(() => 'x'),
        to(out),
      ),
    );
    plan(
      merge(
        keyless.pipe(
          keyBy(() => 'k'),
          through(shuffle),
        ),
        source,
      ).pipe(countByKey({ store: 's' })),
    );
  });
});

describe('refused pipelines', () => {
  it.each<[string, string, () => Pipeline]>([
    [
      'a sink to its own source',
      'ERR_SINK_TO_SOURCE',
      () =>
        source.pipe(
          mapValues((n) => n),
          to(source),
        ),
    ],
    [
      'a sink to a table beside it',
      'ERR_SINK_TO_SOURCE',
      () =>
        source.pipe(
          joinTable(names, () => 'x'),
          to(topic('names', { key: string(), value: json<string>() })),
        ),
    ],
    [
      'a sink to a topic that is merged',
      'ERR_SINK_TO_SOURCE',
      () => merge(source, second.pipe(to(source))).pipe(mapValues((n) => n)),
    ],
    [
      'a late branch into the source',
      'ERR_SINK_TO_SOURCE',
      () => source.pipe(windowBy(TEN, agg.count(), { store: 's', late: (late) => late.pipe(to(source)) })),
    ],
    [
      'two steps with one store',
      'ERR_DUPLICATE_STORE',
      () => source.pipe(countByKey({ store: 's' }), countByKey({ store: 's' })),
    ],
    [
      'two stages with one store',
      'ERR_DUPLICATE_STORE',
      () => [source.pipe(countByKey({ store: 's' })), second.pipe(countByKey({ store: 's' }))],
    ],
    [
      'a store with the name of a table',
      'ERR_DUPLICATE_STORE',
      () =>
        source.pipe(
          joinTable(names, () => 1),
          countByKey({ store: 'names' }),
        ),
    ],
    [
      'one table declared twice',
      'ERR_DUPLICATE_STORE',
      () =>
        source.pipe(
          joinTable(names, () => 1),
          joinTable(table('names', { key: string(), value: json<string>() }), () => 1),
        ),
    ],
    [
      'one topic declared twice',
      'ERR_DUPLICATE_SOURCE',
      () => merge(source, topic('source', { key: string(), value: json<number>() })),
    ],
    ['no topic', 'ERR_EMPTY_PIPELINE', () => of(1, 2, 3)],
    [
      'a source that is no topic',
      'ERR_NO_SOURCE',
      () =>
        new Subject<never>().pipe(
          mapValues((n) => n),
          to(out),
        ),
    ],
    ['an empty list', 'ERR_PIPELINE', () => []],
    ['nothing', 'ERR_PIPELINE', () => undefined as never],
    ['a table, which is no stream', 'ERR_PIPELINE', () => names as never],
    ['a list with something else in it', 'ERR_PIPELINE', () => [source, 'source'] as never],
    ['a promise', 'ERR_PIPELINE', () => Promise.resolve(source) as never],
  ])('%s', (_name, code, make) => {
    const error = refused(make);
    expect(error.code, error.message).toBe(code);
    expect(error.hint, 'every refusal says what to do').toBeDefined();
  });

  it('names both steps that share a store', () => {
    const error = refused(() => source.pipe(countByKey({ store: 's' }), windowBy(TEN, agg.count(), { store: 's' })));
    expect(error.message).toMatch(/countByKey\(s\)/);
    expect(error.message).toMatch(/windowBy\(s\)/);
  });

  it('names the topic that feeds itself', () => {
    expect(refused(() => source.pipe(to(source)))).toMatchObject({ topic: 'source', stage: 'source' });
  });

  it('says what makes one stage of two: a table on both sides of a shuffle', () => {
    const both = source.pipe(
      joinTable(names, (n) => n),
      keyBy(() => 'k'),
      through(shuffle),
      joinTable(names, (n) => n),
    );
    const error = refused(() => both);
    expect(error).toMatchObject({ code: 'ERR_SINK_TO_SOURCE', topic: 'shuffle' });
    expect(error.hint).toMatch(/globalTable/);
  });

  it('reports what a subscription throws, instead of planning half of it', () => {
    const half = merge(
      source.pipe(to(out)),
      defer((): typeof second => {
        throw new Error('half');
      }),
    ).pipe(mapValues((n) => n));
    const error = refused(() => half);
    expect(error).toMatchObject({ code: 'ERR_PLANNING' });
    expect(error.message).toContain('half');
  });
});

describe('what follows in time is no part of a plan', () => {
  it('concat plans its first source', () => {
    expect(drawn(concat(source, second).pipe(mapValues((n) => n)))).toEqual(['source: source ->  []']);
  });
});

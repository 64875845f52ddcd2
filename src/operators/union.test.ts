import { agg, aggregate, branch, json, keyBy, mapValues, string, through, to, topic, union } from 'millrace';
import { TestDriver } from 'millrace/testing';
import { merge, type Observable, tap } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { keyed, output, shown, thrown } from './operators.fixtures.ts';

const more = topic('more', { key: string(), value: json<number>() });

/** What a pipeline writes to `output` for records of `keyed` with these values, all with the key k. */
function rows(pipeline: Observable<unknown> | readonly Observable<unknown>[], ...values: number[]): unknown[] {
  const driver = new TestDriver(pipeline);
  driver.pipeAll(
    keyed,
    values.map((value, at) => ({ key: 'k', value, timestamp: at })),
  );
  return driver.read(output).map(({ value }) => value);
}

describe('union', () => {
  it('has the records of all its streams, by timestamp, and completes with the last', () => {
    const done: string[] = [];
    const driver = new TestDriver(
      union(keyed, more).pipe(tap({ complete: () => void done.push('complete') }), to(output)),
    );
    driver.pipe(more, { key: 'b', value: 2, timestamp: 20 });
    driver.pipe(keyed, { key: 'a', value: 1, timestamp: 30 });
    expect(shown(driver.read(output))).toEqual(['b=2@20', 'a=1@30']);
    expect(done).toEqual([]);
    driver.end();
    expect(done).toEqual(['complete']);
  });

  it('takes a stream as often as it is named', () => {
    expect(rows(union(keyed, keyed).pipe(to(output)), 1, 2)).toEqual([1, 1, 2, 2]);
  });

  it('follows the order of its arguments where the streams come from one source', () => {
    const tens = keyed.pipe(mapValues((n) => n * 10));
    const negative = keyed.pipe(mapValues((n) => -n));
    expect(rows(union(negative, tens).pipe(to(output)), 1, 2)).toEqual([-1, 10, -2, 20]);
    expect(rows(union(tens, negative).pipe(to(output)), 1, 2)).toEqual([10, -1, 20, -2]);
  });

  it('takes all of one argument before the next, however long the ways are', () => {
    const long = keyed.pipe(
      mapValues((n) => n + 1),
      mapValues((n) => n + 1),
      mapValues((n) => n + 1),
    );
    const twice = union(keyed, keyed);
    expect(rows(union(long, twice, keyed).pipe(to(output)), 1)).toEqual([4, 1, 1, 1]);
  });

  it('does nested unions from the sources down', () => {
    const a = keyed.pipe(mapValues((n) => `a${n}`));
    const b = keyed.pipe(mapValues((n) => `b${n}`));
    const inner = union(b, a);
    const outer = union(a, inner.pipe(mapValues((text) => `i${text}`)), b);
    expect(rows(outer.pipe(to(output)), 1)).toEqual(['a1', 'ib1', 'ia1', 'b1']);
  });

  it('goes on after a record that fails in a step below', () => {
    const driver = new TestDriver(
      union(keyed.pipe(mapValues((n) => n * 10)), keyed).pipe(
        mapValues((n) => {
          if (n === 10) throw new Error('ten');
          return n;
        }),
        to(output),
      ),
      { onRecordError: 'skip' },
    );
    driver.pipe(keyed, { key: 'k', value: 1 });
    expect(driver.read(output).map(({ value }) => value)).toEqual([1]);
    expect(driver.tasks()[0]?.skipped).toBe(1);
  });

  it('feeds a stateful step, and survives a restart', () => {
    const counts = union(keyed, more).pipe(aggregate(agg.count(), { store: 'counts' }), to(output));
    const driver = new TestDriver(counts);
    driver.pipe(keyed, { key: 'k', value: 1 });
    driver.restart();
    driver.pipe(more, { key: 'k', value: 1 });
    expect(driver.read(output).map(({ value }) => value)).toEqual([1, 2]);
  });

  it('refuses keys of two serdes where they are needed', () => {
    const quoted = topic('quoted', { key: json<string>(), value: json<number>() });
    const both = union(keyed, quoted);
    expect(() => new TestDriver(both.pipe(mapValues((n) => n + 1)))).not.toThrow();
    const counted = both.pipe(aggregate(agg.count(), { store: 'counts' }));
    const error = thrown(() => new TestDriver(counted));
    expect(error.code).toBe('ERR_KEY_SERDES');
    expect(error.message).toContain('keys come as string and as json');
  });

  it('refuses keys of two serdes that plain merge brings together', () => {
    const quoted = topic('quoted', { key: json<string>(), value: json<number>() });
    const counted = merge(keyed, quoted).pipe(aggregate(agg.count(), { store: 'counts' }));
    expect(thrown(() => new TestDriver(counted)).code).toBe('ERR_KEY_SERDES');
  });

  it('refuses to be nothing', () => {
    expect(thrown(() => union()).code).toBe('ERR_PIPELINE');
  });
});

describe('a branch point', () => {
  it('serves the steps below in the order in which they were written, whatever sink comes first', () => {
    const make = (swap: boolean): Observable<unknown>[] => {
      const first = keyed.pipe(mapValues((n) => `first ${n}`));
      const second = keyed.pipe(mapValues((n) => `second ${n}`));
      const both = merge(first, second).pipe(to(output));
      const side = second.pipe(to(topic('side', { key: string(), value: string() })));
      return swap ? [side, both] : [both, side];
    };
    expect(rows(make(false), 1)).toEqual(['first 1', 'second 1']);
    expect(rows(make(true), 1)).toEqual(['first 1', 'second 1']);
  });

  it('runs what RxJS functions made once, however many steps stand below', () => {
    const seen: number[] = [];
    const merged = merge(keyed, more).pipe(tap(({ value }) => void seen.push(value)));
    const driver = new TestDriver([
      merged.pipe(to(output)),
      merged.pipe(
        mapValues((n) => n + 1),
        to(topic('side', { key: string(), value: json<number>() })),
      ),
    ]);
    driver.pipe(keyed, { key: 'k', value: 1 });
    driver.pipe(more, { key: 'k', value: 2 });
    expect(seen).toEqual([1, 2]);
  });

  it('sees a branch and its rest meet again in the order of the union', () => {
    const { even, odd } = branch(keyed, { even: ({ value }) => value % 2 === 0 }, 'odd');
    const both = union(odd.pipe(mapValues((n) => `odd ${n}`)), even.pipe(mapValues((n) => `even ${n}`)));
    expect(rows(both.pipe(to(output)), 1, 2, 3)).toEqual(['odd 1', 'even 2', 'odd 3']);
  });

  it('lets both sides of a shuffle meet', () => {
    const shuffle = topic('shuffle', { key: string(), value: json<number>() });
    const again = keyed.pipe(
      keyBy((n) => `n${n}`),
      through(shuffle),
    );
    const driver = new TestDriver(again.pipe(aggregate(agg.count(), { store: 'again' }), to(output)));
    driver.pipe(keyed, { key: 'k', value: 1 });
    expect(shown(driver.read(output))).toEqual(['n1=1@0']);
  });
});

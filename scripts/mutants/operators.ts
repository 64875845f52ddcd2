import type { Mutant } from './mutant.ts';

const pacing = {
  file: 'src/operators/pacing.prop.test.ts',
  test: 'dedupe, throttleByKey, debounceByKey and batch agree with naive models, in any order, turns and restarts',
};

const joined = {
  file: 'src/operators/join-stream.prop.test.ts',
  test: 'keeps the laws of two inputs, and gives the rows of its model',
};

/** Faults of joins, tables, timers and other operators. */
export const operatorMutants: readonly Mutant[] = [
  {
    name: 'join-probes-after-storing',
    fault: 'a record of a stream that is joined with itself meets itself twice',
    file: 'src/joins/stream-join.ts',
    text: 'const leftFound = asLeft && this.#find(left, right, key, value, timestamp, false);',
    instead: `this.#keep(left, key, value, timestamp, (asLeft ? left.bit : 0) | (asRight ? right.bit : 0));
    const leftFound = asLeft && this.#find(left, right, key, value, timestamp, false);`,
    caughtBy: [
      {
        file: 'src/operators/join-stream.test.ts',
        test: 'keeps one store, and gives the rows of the join of two copies (JS-8)',
      },
    ],
  },
  {
    name: 'join-lower-bound-off-by-one',
    fault: 'a partner at the lower bound is not found',
    file: 'src/joins/stream-join.ts',
    text: 'other.rows.list(key, Math.max(0, timestamp - own.backMs), last)',
    instead: 'other.rows.list(key, Math.max(0, timestamp - own.backMs + 1), last)',
    caughtBy: [joined],
  },
  {
    name: 'join-alone-after-match',
    fault: 'a record that has found a partner comes alone too',
    file: 'src/joins/stream-join.ts',
    text: 'if (partner.pads && partner.alone.first <= time && partner.alone.has(time, key)) partner.alone.delete(time, key);',
    instead: '',
    caughtBy: [joined],
  },
  {
    name: 'join-forgets-early',
    fault: 'rows are removed while a partner may still come for them',
    file: 'src/joins/join-rules.ts',
    text: 'keepMs: aheadMs + Math.max(0, backMs) + graceMs,',
    instead: 'keepMs: aheadMs,',
    caughtBy: [
      {
        file: 'src/operators/join-stream.test.ts',
        test: 'keeps a row up to the moment after which its last partner would be late',
      },
    ],
  },
  {
    name: 'join-row-comes-back',
    fault: 'a row that is in the store comes back after it was removed',
    file: 'src/state/timed-rows.ts',
    text: 'if (row.stored) this.#cache.touch(row);',
    instead: 'if (row.dirty) this.#cache.touch(row);',
    caughtBy: [
      {
        file: 'src/state/ordered-stores.prop.test.ts',
        test: 'by key and time are a sorted list, whatever is committed, evicted and reopened',
      },
    ],
  },
  {
    name: 'join-late-by-the-wrong-side',
    fault: 'a record of a join is judged late without grace',
    file: 'src/joins/join-rules.ts',
    text: 'lateMs: Math.max(0, aheadMs) + graceMs,',
    instead: 'lateMs: Math.max(0, aheadMs),',
    caughtBy: [
      {
        file: 'src/operators/join-stream.test.ts',
        test: 'takes no late record, counts it, and hands it to its side (JS-4)',
      },
    ],
  },
  {
    name: 'window-join-loses-right-alone',
    fault: 'a window with records of the right side alone gives no rows in an outer join',
    file: 'src/joins/window-join.ts',
    text: "} else if (lefts.length === 0 && type === 'outer') {",
    instead: "} else if (lefts.length === 0 && type === 'inner') {",
    caughtBy: [
      {
        file: 'src/operators/join-window.prop.test.ts',
        test: 'joinWindow gives every pair of every window, as a naive model does, in any order, turns and restarts',
      },
    ],
  },
  {
    name: 'timer-lost-at-restart',
    fault: 'a timer that was set is not written, and does not fire after a restart',
    file: 'src/state/key-timers.ts',
    text: 'withPrefix(Uint8Array.of(...this.#prefix, BY_TIME), index.added, into);',
    instead: '',
    caughtBy: [
      {
        file: 'src/operators/process.prop.test.ts',
        test: 'that does what tumbling windows do gives the same rows, with restarts anywhere',
      },
    ],
  },
  {
    name: 'timer-of-a-failed-call',
    fault: 'a timer that was set by a call which threw stays',
    file: 'src/operators/process-instance.ts',
    text: 'this.#own.undo();',
    instead: '',
    caughtBy: [
      {
        file: 'src/operators/process.prop.test.ts',
        test: 'leaves no trace of records that fail, and of timers that do',
      },
    ],
  },
  {
    name: 'timer-index-deleted-first',
    fault: 'the place of a timer is written behind its removal, so that a torn commit loses it',
    file: 'src/state/key-timers.ts',
    text: `    withPrefix(Uint8Array.of(...this.#prefix, BY_TIME), index.added, into);
    for (const each of times) withPrefix(Uint8Array.of(...this.#prefix, BY_KEY), each, into);`,
    instead: `    for (const each of times) withPrefix(Uint8Array.of(...this.#prefix, BY_KEY), each, into);
    withPrefix(Uint8Array.of(...this.#prefix, BY_TIME), index.added, into);`,
    caughtBy: [
      {
        file: 'src/state/timer-store.prop.test.ts',
        test: 'are all found, wherever the writing of a commit was broken off, when the work is done again',
      },
    ],
  },
  {
    name: 'calls-of-a-key-overlap',
    fault: 'mapAsync calls a record while the one before it of the same key is under way',
    file: 'src/operators/key-chains.ts',
    text: 'if (behind !== undefined) {',
    instead: 'if (behind !== undefined && behind.length > 1e9) {',
    caughtBy: [
      {
        file: 'src/operators/map-async.test.ts',
        test: 'calls and emits records of a key one after the other, other keys freely',
      },
    ],
  },
  {
    name: 'one-retry-too-few',
    fault: 'a call is given up one try early',
    file: 'src/operators/async-attempts.ts',
    text: 'if (attempt > this.#limits.retries ||',
    instead: 'if (attempt >= this.#limits.retries ||',
    caughtBy: [
      { file: 'src/operators/map-async.test.ts', test: 'tries again after a wait that doubles, then gives up' },
    ],
  },
  {
    name: 'dedupe-distance-off-by-one',
    fault: 'a record just as far away as may be is not a duplicate',
    file: 'src/pacing/dedupe-rule.ts',
    text: 'Math.abs(timestamp - start) <= withinMs',
    instead: 'Math.abs(timestamp - start) < withinMs',
    caughtBy: [pacing],
  },
  {
    name: 'debounce-keeps-the-first',
    fault: 'a burst gives its first record instead of its newest',
    file: 'src/pacing/debounce-rule.ts',
    text: 'each.end > burst.end ? each : burst',
    instead: 'each.end < burst.end ? each : burst',
    caughtBy: [pacing],
  },
  {
    name: 'batch-one-too-large',
    fault: 'a batch goes on when it has one value more than asked for',
    file: 'src/pacing/batch-rule.ts',
    text: '(held.value as readonly unknown[]).length >= count',
    instead: '(held.value as readonly unknown[]).length > count',
    caughtBy: [pacing],
  },
  {
    name: 'as-of-one-early',
    fault: 'a record does not find the row that was written at its own time',
    file: 'src/state/versions.ts',
    text: 'if (value !== undefined && timestamp <= time) return value;',
    instead: 'if (value !== undefined && timestamp < time) return value;',
    caughtBy: [
      {
        file: 'src/state/versions.prop.test.ts',
        test: 'are those of a list of all writes, whatever is committed, forgotten and opened again (SS-3, JT-3)',
      },
    ],
  },
  {
    name: 'ttl-one-too-long',
    fault: 'a row is there at the moment at which it ends',
    file: 'src/state/expiring-rows.ts',
    text: 'return timestamp <= this.#end;',
    instead: 'return timestamp < this.#end;',
    caughtBy: [
      {
        file: 'src/tables/ttl.prop.test.ts',
        test: 'tables and aggregates with ttl tell what a model tells that looks at all rows each time, over restarts',
      },
    ],
  },
  {
    name: 'stale-reply-of-a-foreign-join',
    fault: 'a joined row is overwritten by what was heard of an older version',
    file: 'src/tables/foreign-result.ts',
    text: 'const isNews = reply.version >= version;',
    instead: 'const isNews = reply.version >= 0;',
    caughtBy: [
      {
        file: 'src/tables/foreign-join.prop.test.ts',
        test: 'comes to the relational join of the final tables, and keeps nothing of rows that are gone',
      },
    ],
  },
  {
    name: 'old-group-keeps-the-row',
    fault: 'a row that moves to another group counts in both',
    file: 'src/tables/halves-of.ts',
    text: 'if (from !== null) step.out.next(half(change, from, null, lost));',
    instead: '',
    caughtBy: [
      {
        file: 'src/tables/regroup.prop.test.ts',
        test: 'aggregates that rows were taken out of are those of the rows that are there (TA-1)',
      },
    ],
  },
  {
    name: 'joined-row-too-old',
    fault: 'a joined row has the time of the change, not of the newer row',
    file: 'src/tables/joined-table.ts',
    text: 'const timestamp = Math.max(change.timestamp, other);',
    instead: 'const { timestamp } = change;',
    caughtBy: [
      {
        file: 'src/tables/join-rows.test.ts',
        test: 'tells the row before, and deletes only what was there (TT-2, TT-3)',
      },
    ],
  },
  {
    name: 'tombstone-of-nothing',
    fault: 'a table tells of the deletion of a row that was never there',
    file: 'src/tables/topic-table.ts',
    text: `      const change = makeChange<K, V>(key, value, before, record.timestamp, record);
      if (value !== null || before !== null) changes.next(change);`,
    instead: `      const change = makeChange<K, V>(key, value, before, record.timestamp, record);
      changes.next(change);`,
    caughtBy: [
      { file: 'src/tables/topic-table.test.ts', test: 'have no tombstone for a row that is not there (TT-3)' },
    ],
  },
  {
    name: 'branch-goes-to-all',
    fault: 'a record goes to the last branch that takes it instead of the first',
    file: 'src/operators/branch.ts',
    text: 'while (to < tests.length && !settled((tests[to] as (record: R) => boolean)(record))) to += 1;',
    instead:
      'for (let at = 0; at < tests.length; at += 1) if (settled((tests[at] as (record: R) => boolean)(record))) to = at;',
    caughtBy: [
      {
        file: 'src/operators/branch.test.ts',
        test: 'sends each record to the first branch that takes it, else to the default',
      },
    ],
  },
  {
    name: 'cache-forgets-changes',
    fault: 'the cache of a key-value store forgets entries that are not written yet',
    file: 'src/state/key-value-store.ts',
    text: 'if (entry.dirty) continue;',
    instead: '',
    caughtBy: [
      {
        file: 'src/state/key-value-store.prop.test.ts',
        test: 'is a map, whatever is committed, evicted and reopened',
      },
    ],
  },
  {
    name: 'variance-merged-without-distance',
    fault: 'two variances are added up as if their means were the same',
    file: 'src/aggregators/variance.ts',
    text: '(distance * distance * left[0] * right[0]) / count',
    instead: '0',
    caughtBy: [
      {
        file: 'src/aggregators/collections.prop.test.ts',
        test: 'is that of the whole list, merged at any point, and without what was taken out again',
      },
    ],
  },
  {
    name: 'suppressed-rows-not-counted',
    fault: 'after a restart, rows that wait since before it do not count for the bound',
    file: 'src/state/suppressor.ts',
    text: 'for (const { value } of rows.all()) this.#count(1, value);',
    instead: '',
    caughtBy: [{ file: 'src/tables/suppress.test.ts', test: 'counts what waits since before a restart (SU-4)' }],
  },
  {
    name: 'rows-of-before-live-forever',
    fault: 'rows from before a table had a time to live never end',
    file: 'src/state/expiring-rows.ts',
    text: "waiting.part('rows').add(readNumber(stored, 0), key.deserialize(keyBytes));",
    instead: '',
    caughtBy: [
      {
        file: 'src/state/expiring-rows.prop.test.ts',
        test: 'end as in a model that looks at all of them, whatever is written, looked up, forgotten and restarted',
      },
    ],
  },
  {
    name: 'foreign-versions-lost',
    fault: 'after a restart, rows of a foreign join are told under numbers that were used already',
    file: 'src/tables/foreign-left.ts',
    text: 'task.addState(counted);',
    instead: '',
    caughtBy: [
      {
        file: 'src/tables/foreign-join.prop.test.ts',
        test: 'comes to the relational join of the final tables, and keeps nothing of rows that are gone',
      },
    ],
  },
  {
    name: 'foreign-marks-lost',
    fault: 'after a restart, a joined row is overwritten by a reply that was under way to it',
    file: 'src/tables/foreign-result.ts',
    text: 'task.addState(marked);',
    instead: '',
    caughtBy: [
      {
        file: 'test/runtime/foreign-kills.prop.test.ts',
        test: 'replies that were under way when the process ended are known for old ones',
      },
    ],
  },
  {
    name: 'failed-look-up-remembered',
    fault: 'a look-up that was answered goes on being the answer, however old it is',
    file: 'src/operators/lookups.ts',
    text: 'if (this.#asked.get(asked) === row) this.#asked.delete(asked);',
    instead: '',
    caughtBy: [
      {
        file: 'src/operators/join-lookup.test.ts',
        test: 'gives failures to the record policy, and does not remember them',
      },
    ],
  },
  {
    name: 'cached-row-without-end',
    fault: 'a row that was looked up is used when its time is over',
    file: 'src/operators/lookup-cache.ts',
    text: 'if (known.until <= now) return undefined;',
    instead: '',
    caughtBy: [
      {
        file: 'src/operators/join-lookup.test.ts',
        test: 'remembers that there is no row for its own time, and gives nothing or null',
      },
    ],
  },
];

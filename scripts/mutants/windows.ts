import type { Mutant } from './mutant.ts';

/** A test of src/operators/windows.prop.test.ts, which compares windows with the models. */
const model = (kind: string) => ({
  file: 'src/operators/windows.prop.test.ts',
  test: `of the kind ${kind} give what a naive model gives, in any batches and with restarts`,
});

/** Faults of windows, and of the stores that hold them. */
export const windowMutants: readonly Mutant[] = [
  {
    name: 'window-end-off-by-one',
    fault: 'a window stays open at the moment at which its grace is over',
    file: 'src/state/windowed-state.ts',
    text: 'if (start + sizeMs + graceMs <= streamTime) {',
    instead: 'if (start + sizeMs + graceMs < streamTime) {',
    caughtBy: [
      model('tumbling'),
      {
        file: 'src/operators/window-by.test.ts',
        test: 'judge lateness per window (TW-4): hopping 10/5',
      },
    ],
  },
  {
    name: 'grace-ignored',
    fault: 'a record is late as soon as its window is over',
    file: 'src/state/windowed-state.ts',
    text: 'if (start + sizeMs + graceMs <= streamTime) {',
    instead: 'if (start + sizeMs <= streamTime) {',
    caughtBy: [
      model('tumbling'),
      {
        file: 'src/operators/restart.prop.test.ts',
        test: 'come to the same, in whatever order records come inside of grace',
      },
    ],
  },
  {
    name: 'closes-before-grace',
    fault: 'a window is emitted when it is over, and its grace is not waited for',
    file: 'src/state/windowed-state.ts',
    text: 'for (const window of this.#store.endedBy(streamTime - this.#windower.graceMs)) {',
    instead: 'for (const window of this.#store.endedBy(streamTime)) {',
    caughtBy: [model('tumbling')],
  },
  {
    name: 'last-window-start-missing',
    fault: 'a hopping window that begins at the time of a record does not hold it',
    file: 'src/state/windowed-state.ts',
    text: 'for (let start = first; start <= timestamp; start += advanceMs) {',
    instead: 'for (let start = first; start < timestamp; start += advanceMs) {',
    caughtBy: [
      {
        file: 'src/operators/restart.prop.test.ts',
        test: 'hold every record exactly once: in windows, or among the late',
      },
    ],
  },
  {
    name: 'state-of-failed-fold',
    fault: 'a record whose aggregation throws has moved stream time',
    file: 'src/state/windowed-state.ts',
    text: `    const streamTime = store.time.reach(timestamp);
    const { advanceMs, sizeMs, graceMs } = windower;`,
    instead: `    store.time.observe(timestamp);
    const { streamTime } = store.time;
    const { advanceMs, sizeMs, graceMs } = windower;`,
    caughtBy: [
      {
        file: 'src/operators/window-by.test.ts',
        test: 'in add: leaves state, stream time and windows as they were',
      },
    ],
  },
  {
    name: 'session-gap-off-by-one',
    fault: 'a record that is just a gap away from the next session does not join it',
    file: 'src/state/session-windows.ts',
    text: 'if (span.start > timestamp + this.#gapMs) return found;',
    instead: 'if (span.start >= timestamp + this.#gapMs) return found;',
    caughtBy: [model('session')],
  },
  {
    name: 'session-not-taken-back',
    fault: 'a session that became part of a longer one is not taken back',
    file: 'src/state/session-windows.ts',
    text: 'if (grew) for (const span of found) events.merged(rowOf(key, span));',
    instead: '',
    caughtBy: [model('session')],
  },
  {
    name: 'session-goes-on-when-over',
    fault: 'behind a shuffle, a session that is over takes a record before it has been closed',
    file: 'src/state/session-windows.ts',
    text: 'if (streamTime <= span.end + store.layout.openMs) found.push(span);',
    instead: 'found.push(span);',
    caughtBy: [
      {
        file: 'src/state/span-windows.test.ts',
        test: 'that are over take no record, also where the limit has risen and they have not been closed yet (SE-6)',
      },
    ],
  },
  {
    name: 'late-record-closes-no-session',
    fault: 'behind a shuffle, what a late record closes stays open until the next one',
    file: 'src/state/session-windows.ts',
    text: `      events.late([{ start: timestamp, end: timestamp }], false);
      this.close(before);`,
    instead: '      events.late([{ start: timestamp, end: timestamp }], false);',
    caughtBy: [
      {
        file: 'src/state/span-windows.test.ts',
        test: 'of the kind session close with a record that is too late for them',
      },
    ],
  },
  {
    name: 'session-merged-backwards',
    fault: 'the states of sessions are merged in the other order',
    file: 'src/state/session-windows.ts',
    text: 'this.#merging.merge(state, there)',
    instead: 'this.#merging.merge(there, state)',
    caughtBy: [model('session')],
  },
  {
    name: 'sliding-forgets-early',
    fault: 'a closed sliding window is gone while records need what it holds',
    file: 'src/state/sliding-windows.ts',
    text: 'return end + this.#graceMs + 2 * this.#differenceMs + 1;',
    instead: 'return end + this.#graceMs + 1;',
    caughtBy: [model('sliding')],
  },
  {
    name: 'eviction-of-changed-windows',
    fault: 'the cache of windows forgets changes that are not written yet',
    file: 'src/state/window-store.ts',
    text: 'if (pane.dirty) continue;',
    instead: '',
    caughtBy: [
      {
        file: 'src/state/window-store.test.ts',
        test: 'a cache that is too small keeps what has changed while a commit was under way',
      },
      {
        file: 'src/state/window-store.prop.test.ts',
        test: 'is a map of maps with a stream time, whatever is committed, evicted, taken and reopened',
      },
    ],
  },
  {
    name: 'closed-windows-stay-stored',
    fault: 'a window that was emitted stays in its store, and comes again after a restart',
    file: 'src/state/window-store.ts',
    text: 'if (pane.stored) this.#removed.push(this.#keys.of(window, pane.keyBytes));',
    instead: '',
    caughtBy: [model('tumbling')],
  },
  {
    name: 'windows-closed-out-of-order',
    fault: 'windows that close together are emitted by their ends alone',
    file: 'src/state/open-windows.ts',
    text: 'const byStart = (left: Window, right: Window): number => left.start - right.start || left.end - right.end;',
    instead:
      'const byStart = (left: Window, right: Window): number => right.start - left.start || left.end - right.end;',
    caughtBy: [{ file: 'src/state/open-windows.prop.test.ts', test: 'are a set in the order in which they close' }],
  },
  {
    name: 'counted-window-too-full',
    fault: 'a window of so many records takes one more',
    file: 'src/state/counted-windows.ts',
    text: 'const rest = full?.records === size ? next.slice(1) : next;',
    instead: 'const rest = (full?.records ?? 0) > size ? next.slice(1) : next;',
    caughtBy: [
      { file: 'src/windows/count-windows.prop.test.ts', test: 'are slices of what each key got, over restarts' },
    ],
  },
  {
    name: 'suppress-forgets-the-first',
    fault: 'a change that waited tells the row before the last one, not the one that was seen',
    file: 'src/state/suppressor.ts',
    text: 'const before = known?.before === undefined ? row.before : known.before;',
    instead: 'const before = row.before;',
    caughtBy: [
      { file: 'src/tables/suppress.test.ts', test: 'tells of changes what was there before the first that waited' },
    ],
  },
  {
    name: 'suppress-releases-early',
    fault: 'rows that wait for their window go on when it is over, before its grace',
    file: 'src/state/suppressor.ts',
    text: 'if (time.advance()) this.#release(time.streamTime - this.#rules.delayMs);',
    instead: 'if (time.advance()) this.#release(time.streamTime);',
    caughtBy: [
      {
        file: 'src/state/suppressor.test.ts',
        test: 'go on when it has risen so far beyond their time as they have to wait, and not before',
      },
      {
        file: 'src/state/suppressor.test.ts',
        test: 'go on when the grace of their window is over, not with its end',
      },
    ],
  },
];

import { describe, expect, it } from 'vitest';
import { offsetMark } from '../../log/offset-mark.ts';
import type { FetchedBatch } from '../../log/transport.ts';
import { RecordBatchBuilder } from '../../protocol/batch-builder.ts';
import type { Headers } from '../../record.ts';
import { BEGINNING, commitHeaders, commitIn } from './changelog-commit.ts';
import { ASIDE, storeKey } from './changelog-records.ts';
import { ChangelogReplay } from './changelog-replay.ts';

const id = { applicationId: 'app', store: 'rows', partition: 0 };
const [[, FINGERPRINT], [, INPUTS]] = ASIDE as [(typeof ASIDE)[number], (typeof ASIDE)[number]];
const START = { offset: 0, latest: 0, mine: { since: Number.POSITIVE_INFINITY, latest: 0 }, commit: undefined };
const NONE = new Map<string, never>();

type Line = readonly [key: Uint8Array, value: string, headers?: Headers];

const batch = (from: number, ...lines: readonly Line[]): FetchedBatch => writtenBy(3, from, ...lines);
const writtenBy = (writer: number, from: number, ...lines: readonly Line[]): FetchedBatch => {
  const builder = new RecordBatchBuilder();
  for (const [key, value, headers = []] of lines) builder.append(writer, key, storeKey(value), headers);
  return Object.assign(builder.columns(from), { endOffset: from + lines.length });
};
const change = (key: string, value: string): Line => [storeKey(key), value];
const end = (number: number, offset: number, stores = ['rows', 'index']): Line => [
  INPUTS,
  JSON.stringify({ input: [offset, 1] }),
  commitHeaders({ number, follows: number - 1, stores }),
];
const beginning: Line = [FINGERPRINT, 'print', BEGINNING];
const keysOf = (writes: readonly { readonly id: unknown; readonly keys: readonly Uint8Array[] }[]): string[] =>
  writes.filter((each) => each.id === id).flatMap(({ keys }) => keys.map((key) => new TextDecoder().decode(key)));

describe('the replay of a changelog', () => {
  it('holds the last commit back, with what follows it, until it is known to be complete', () => {
    const replay = new ChangelogReplay(id, START);
    expect(keysOf(replay.take(batch(0, beginning, change('a', '1'), end(1, 5))))).toEqual([]);
    expect(keysOf(replay.take(batch(3, change('b', '1'), end(2, 6), change('c', '1'))))).toEqual(['a']);
    expect(replay.certain.offset).toBe(3);
    expect(keysOf(replay.finish(false))).toEqual([]);
    expect([...replay.void.keys(), replay.undone, replay.certain.offset]).toEqual(['b', 'c', 2, 3]);
  });

  it('believes a commit whose offsets are committed, whatever the other stores tell', () => {
    const other = new ChangelogReplay({ ...id, store: 'index' }, START);
    const replay = new ChangelogReplay(id, START);
    replay.take(batch(0, beginning, change('a', '1'), end(1, 5)));
    const committed = (offset: number, metadata = offsetMark(['rows', 'index'])) =>
      new Map([['input', { topic: 'input', partition: 0, offset, metadata }]]);
    expect(replay.isComplete([replay, other], undefined, NONE)).toBe(false);
    expect(replay.isComplete([replay, other], undefined, committed(4))).toBe(false);
    expect(replay.isComplete([replay, other], undefined, committed(5))).toBe(true);
    expect(replay.isComplete([replay], undefined, NONE)).toBe(true);
    expect(replay.isComplete([replay, other], undefined, committed(5, '')), 'set by hand').toBe(false);
    expect(replay.isComplete([replay, other], undefined, committed(5, offsetMark(['sums']))), 'left out').toBe(false);
  });

  it('knows a commit again in a store that counts the lives of the group differently', () => {
    const replays = [3, 3 + 2 ** 32, 4].map((writer) => {
      const replay = new ChangelogReplay({ ...id, store: writer === 3 ? 'rows' : 'index' }, START);
      replay.take(writtenBy(writer, 0, beginning, change('a', '1'), end(1, 5)));
      return replay;
    });
    const [rows, index, ofOther] = replays as [ChangelogReplay, ChangelogReplay, ChangelogReplay];
    expect(rows.isComplete([rows, index], undefined, NONE)).toBe(true);
    expect(rows.isComplete([rows, ofOther], undefined, NONE)).toBe(false);
  });

  it('keeps what is more than it may hold back', () => {
    const replay = new ChangelogReplay(id, START, 3);
    expect(keysOf(replay.take(batch(0, beginning, change('a', '123'), change('b', '1'), end(1, 5))))).toEqual([
      'a',
      'b',
    ]);
    expect(keysOf(replay.take(batch(4, change('c', '1'), end(2, 6), change('d', '123'))))).toEqual(['c', 'd']);
    expect(replay.undone).toBe(0);
  });

  it('believes everything that does not name its commit', () => {
    const replay = new ChangelogReplay(id, START);
    const old: Line = [INPUTS, '{"input":5}'];
    expect(keysOf(replay.take(batch(0, change('a', '1'), old, change('b', '1'))))).toEqual(['a', 'b']);
    expect(replay.isComplete([replay], undefined, NONE)).toBe(true);
    expect([replay.certain.offset, replay.complete]).toEqual([3, undefined]);
  });

  it('believes what a version that does not name commits has written after them', () => {
    const replay = new ChangelogReplay(id, START);
    const old: Line = [INPUTS, '{"input":6}'];
    replay.take(batch(0, beginning, change('a', '1'), end(1, 5), change('b', '1'), old, change('c', '1')));
    expect(replay.isComplete([replay], undefined, NONE)).toBe(true);
    expect([...keysOf(replay.finish(true)), replay.undone]).toEqual(['c', 0]);
  });
});

describe('the name of a commit', () => {
  it('is read as it was written', () => {
    const commit = { number: 12, follows: 10, stores: ['rows', 'index.by-time'] };
    expect(commitIn(commitHeaders(commit))).toEqual(commit);
    expect([commitIn(BEGINNING), commitIn([])]).toEqual([undefined, null]);
  });
});

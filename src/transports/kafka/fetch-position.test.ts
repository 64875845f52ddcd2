import { expect, it } from 'vitest';
import { FetchPosition, survey } from './fetch-position.ts';
import type { FetchedPartition } from './wire/fetch.ts';

it('ends for readers of committed records before what open transactions hold back, and for others at the end of the log', () => {
  const answer = { highWatermark: 9, lastStableOffset: 5, records: new Uint8Array(0), aborted: [] };
  const endFor = (committed: boolean): unknown => {
    const position = new FetchPosition('topic', 0, 5, committed);
    position.add(answer as unknown as FetchedPartition, survey(answer.records, 'topic', 0), true);
    return [position.endOffset, position.writtenEnd];
  };
  expect([endFor(true), endFor(false)]).toEqual([
    [5, 9],
    [9, 9],
  ]);
});

import { array, boolean, assert as check, integer, nat, property, record, shuffledSubarray } from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FetchedBatch } from '../../log/transport.ts';
import { RecordBatchBuilder, stampBaseOffset } from '../../protocol/batch-builder.ts';
import { encodeControlBatch } from '../../protocol/control-batch.ts';
import { FetchPosition, survey } from './fetch-position.ts';
import type { AbortedTransaction } from './wire/fetch.ts';

/** A step of a producer: records in its transaction, or its end. */
const step = record({ producer: nat(3), records: integer({ min: 1, max: 3 }), end: boolean(), commit: boolean() });

interface Written {
  readonly log: Uint8Array;
  readonly end: number;
  readonly visible: readonly number[];
  readonly aborted: readonly (AbortedTransaction & { readonly lastOffset: number })[];
  readonly starts: readonly number[];
}

/** What a broker has after some interleaved transactions, and what of it may be read. */
function write(steps: readonly { producer: number; records: number; end: boolean; commit: boolean }[]): Written {
  const batches: Uint8Array[] = [];
  const open = new Map<number, { first: number; offsets: number[] }>();
  const [visible, aborted, starts]: [number[], (AbortedTransaction & { lastOffset: number })[], number[]] = [
    [],
    [],
    [],
  ];
  let offset = 0;
  const append = (batch: Uint8Array, count: number): void => {
    stampBaseOffset(batch, offset);
    starts.push(offset);
    batches.push(batch);
    offset += count;
  };
  const finish = (producer: number, commit: boolean): void => {
    const transaction = open.get(producer);
    if (transaction === undefined) return;
    open.delete(producer);
    const producerId = BigInt(producer);
    if (commit) visible.push(...transaction.offsets);
    else aborted.push({ producerId, firstOffset: transaction.first, lastOffset: offset });
    append(encodeControlBatch({ marker: commit ? 'commit' : 'abort', timestamp: 1, producerId, producerEpoch: 0 }), 1);
  };
  for (const { producer, records, end, commit } of steps) {
    const transaction = open.get(producer) ?? { first: offset, offsets: [] };
    open.set(producer, transaction);
    const builder = new RecordBatchBuilder();
    // Keys of four zero bytes look like those of abort markers.
    for (let i = 0; i < records; i++) builder.append(1, new Uint8Array(4), String(offset + i), []);
    for (let i = 0; i < records; i++) transaction.offsets.push(offset + i);
    append(
      builder.finish({ producerId: BigInt(producer), producerEpoch: 0, baseSequence: 0, transactional: true }),
      records,
    );
    if (end) finish(producer, commit);
  }
  for (const producer of open.keys()) finish(producer, producer % 2 === 0);
  return { log: Buffer.concat(batches), end: offset, visible: visible.sort((a, b) => a - b), aborted, starts };
}

const offsetsOf = (batch: FetchedBatch): number[] =>
  Array.from({ length: batch.count }, (_, i) => batch.baseOffset + batch.offsetDelta[i]!);

describe('reading committed records', () => {
  it('shows exactly those of committed transactions, in pieces of any size, and ends at the end', () => {
    check(
      property(array(step, { minLength: 1, maxLength: 25 }), nat(), nat(30), (steps, seed, from) => {
        const { log, end, visible, aborted, starts } = write(steps);
        const start = Math.min(from, end);
        const position = new FetchPosition('t', 0, start, true);
        const seen: number[] = [];
        let next = start;
        for (let round = 0; next < end; round++) {
          expect(round).toBeLessThan(1000);
          // As a broker does: from the batch that holds the offset, for some bytes, with the transactions of that range.
          const at = byteOf(log, starts, position.fetchOffset);
          const records = log.subarray(at, at + 120 + ((seed + round * 37) % 300));
          const found = survey(records, 't', 0);
          const reach = found.nextOffset ?? end;
          const hidden = aborted
            .filter(({ firstOffset, lastOffset }) => firstOffset < reach && lastOffset >= position.fetchOffset)
            .map(({ producerId, firstOffset }) => ({ producerId, firstOffset }));
          const place = { topic: 't', partition: 0, errorCode: 0, highWatermark: end, lastStableOffset: end };
          position.add({ ...place, aborted: hidden, records }, found, true);
          for (let batch = position.poll(); batch !== undefined; batch = position.poll()) {
            expect(batch.nextOffset).toBeGreaterThan(next);
            seen.push(...offsetsOf(batch));
            next = batch.nextOffset;
          }
        }
        expect(seen).toEqual(visible.filter((offset) => offset >= start));
      }),
      { numRuns: 300 },
    );
  });

  it('does not depend on the order in which the broker names aborted transactions', () => {
    check(
      property(
        array(step, { minLength: 1, maxLength: 25 }),
        shuffledSubarray([0, 1, 2, 3, 4, 5, 6], { minLength: 7 }),
        (steps, order) => {
          const { log, end, visible, aborted } = write(steps);
          const mixed = aborted.map((each, i) => ({ each, at: order[i % 7] ?? 0 })).sort((a, b) => a.at - b.at);
          const position = new FetchPosition('t', 0, 0, true);
          const place = { topic: 't', partition: 0, errorCode: 0, highWatermark: end, lastStableOffset: end };
          position.add({ ...place, aborted: mixed.map(({ each }) => each), records: log }, survey(log, 't', 0), true);
          const seen: number[] = [];
          for (let batch = position.poll(); batch !== undefined; batch = position.poll())
            seen.push(...offsetsOf(batch));
          expect(seen).toEqual(visible);
        },
      ),
    );
  });
});

/** Where the batch that holds an offset begins. */
function byteOf(log: Uint8Array, starts: readonly number[], offset: number): number {
  const wanted = starts.filter((start) => start <= offset).length - 1;
  let at = 0;
  const view = new DataView(log.buffer, log.byteOffset, log.byteLength);
  for (let i = 0; i < wanted; i++) at += view.getInt32(at + 8) + 12;
  return at;
}

import { describe, expect, it } from 'vitest';
import { RecordBatchBuilder } from '../../protocol/batch-builder.ts';
import { PartitionLine, type QueuedBatch, queuedBatch } from './partition-line.ts';

const me = { producerId: 7n, producerEpoch: 1 };

function batchOf(count: number): QueuedBatch {
  const records = new RecordBatchBuilder();
  for (let at = 0; at < count; at += 1) records.append(at, null, 'x', []);
  const ends = { deadline: Number.POSITIVE_INFINITY, resolve: () => undefined, reject: () => undefined };
  return queuedBatch({ topic: 't', partition: 0, bytes: records.finish(), count }, ends);
}

function lineOf(...batches: readonly QueuedBatch[]): PartitionLine {
  const line = new PartitionLine('t', 0);
  line.identify(me);
  for (const batch of batches) line.add(batch);
  return line;
}

/** Sends all that may be sent. */
function sendAll(line: PartitionLine): QueuedBatch[] {
  const sent: QueuedBatch[] = [];
  while (line.isReady(0)) sent.push(line.take(me));
  return sent;
}

describe('a batch that is given up and may still arrive', () => {
  it('leaves its number to no other one: the line needs another producer first', () => {
    const [lost, next] = [batchOf(1), batchOf(1)];
    const line = lineOf(lost, next);
    expect(sendAll(line)).toEqual([lost]);
    line.failed(lost, true);
    expect(sendAll(line)).toEqual([lost]);
    line.refused(lost);
    expect(line.mustRenew).toBe(true);
    expect(line.isReady(0), 'the next one would have the number 0 as well').toBe(false);
    line.identify({ producerId: 8n, producerEpoch: 0 });
    expect(sendAll(line)).toEqual([next]);
  });

  it('does so when its time is over while it waits', () => {
    const [lost, next] = [batchOf(1), batchOf(1)];
    const line = lineOf(lost, next);
    sendAll(line);
    line.failed(lost, true);
    expect(line.drop((batch) => batch === lost)).toEqual([lost]);
    expect([line.mustRenew, line.isReady(0)]).toEqual([true, false]);
  });

  it('that is certainly not in the log leaves its number to the next one', () => {
    const [bad, next] = [batchOf(1), batchOf(1)];
    const line = lineOf(bad, next);
    sendAll(line);
    line.refused(bad);
    expect(line.mustRenew).toBe(false);
    expect(sendAll(line)).toEqual([next]);
    expect(next.sequence).toBe(0);
  });
});

describe('numbers in front of a batch that may still arrive', () => {
  /** A first batch is acknowledged, and two more are under way with the numbers 1, 2 and 3. */
  const underWay = () => {
    const [first, bad, lost] = [batchOf(1), batchOf(2), batchOf(1)];
    const line = lineOf(first, bad, lost);
    sendAll(line);
    line.acknowledged(first);
    expect(sendAll(line)).toEqual([bad, lost]);
    expect([bad.sequence, lost.sequence]).toEqual([1, 3]);
    return { line, bad, lost };
  };

  it('are not used by parts of the batch before it: the line needs another producer first', () => {
    const { line, bad, lost } = underWay();
    const part = batchOf(1);
    part.order = bad.order;
    line.replaced(bad, [part]);
    line.failed(lost, true);
    expect(line.head).toBe(part);
    expect([line.mustRenew, line.isReady(0)]).toEqual([true, false]);
  });

  it('are asked about under the old producer first, where nothing is before that batch any more', () => {
    const { line, bad, lost } = underWay();
    const next = batchOf(1);
    line.add(next);
    line.refused(bad);
    line.failed(lost, true);
    expect(line.head).toBe(lost);
    expect([line.mustRenew, line.isReady(0)], 'only its old producer can tell').toEqual([false, true]);
    expect(sendAll(line), 'nothing goes along with it').toEqual([lost]);
    expect(lost.sequence).toBe(3);
    line.refused(lost);
    expect(line.mustRenew).toBe(true);
  });

  it('are used where parts take all of them', () => {
    const { line, bad, lost } = underWay();
    const parts = [batchOf(1), batchOf(1)];
    for (const [at, part] of parts.entries()) part.order = bad.order + at / 2;
    line.replaced(bad, parts);
    line.failed(lost, true);
    expect(line.mustRenew).toBe(false);
    expect(sendAll(line)).toEqual([parts[0]]);
    line.acknowledged(parts[0] as QueuedBatch);
    expect(sendAll(line)).toEqual([parts[1], lost]);
    expect([...parts, lost].map(({ sequence }) => sequence)).toEqual([1, 2, 3]);
  });
});

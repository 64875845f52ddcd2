import { describe, expect, it } from 'vitest';
import { type EmittedRow, FORGOTTEN_ROW, type KeptRow } from '../../dataflow/emitted-row.ts';
import { MillraceError } from '../../errors.ts';
import type { OriginSource } from '../../log/origins.ts';
import type { OutgoingBatch, RecordOwner } from '../../log/transport.ts';
import { SharedOutputs } from './shared-outputs.ts';

/** Two tasks that write in turn, and the input records that they were asked about. */
function twoTasks(batchRecords?: number, first = 0) {
  const outputs = new SharedOutputs(() => ({
    partitions: 2,
    maxMessageBytes: 2 ** 20,
    compression: 'none',
    batchRecords,
  }));
  const asked: string[] = [];
  const seats = ['a', 'b'].map((name) => {
    let code = first;
    const writer: RecordOwner & OriginSource = {
      originCode: () => code++,
      row: undefined,
      refused: async (_error, _topic, origin) => {
        asked.push(`${name}${origin?.code}`);
        return [];
      },
    };
    return outputs.join(writer);
  });
  const write = (task: number, timestamp: number, value: string, partition = 0): void => {
    outputs.enter(seats[task] as number);
    const headers = [['h', new TextEncoder().encode(value)] as const];
    outputs
      .topic('out')
      .append(partition, timestamp, 'k', value === '' ? null : value, value.length > 3 ? headers : []);
  };
  return { outputs, seats: seats as [number, number], asked, write };
}

function read(batches: readonly OutgoingBatch[]): unknown[] {
  const text = new TextDecoder();
  return batches.flatMap(({ partition, records }) => {
    const columns = records.columns(0);
    return Array.from({ length: columns.count }, (_, at) => {
      const [start, length] = [columns.valueStart[at] as number, columns.valueLength[at] as number];
      const value = length < 0 ? null : text.decode(columns.bytes.subarray(start, start + length));
      return [partition, columns.timestamp[at], value];
    });
  });
}

const refusal = new MillraceError('record', 'ERR_INVALID_RECORD', 'no');

describe('outputs of several tasks', () => {
  it('stay with their tasks whatever the offsets of their records are', () => {
    for (const first of [2 ** 39 - 3, 2 ** 45 - 1, Number.MAX_SAFE_INTEGER - 10]) {
      const { outputs, seats, write } = twoTasks(undefined, first);
      for (let n = 0; n < 6; n += 1) write(n % 2, n, `${n}`);
      outputs.leave(seats[0]);
      expect(read(outputs.take())).toEqual([1, 3, 5].map((n) => [0, n, `${n}`]));
    }
  });

  it('are written in the order in which the tasks had their turns', () => {
    const { outputs, write } = twoTasks();
    for (let n = 0; n < 6; n += 1) write(n % 2, n, `${n}`);
    const [batch, ...others] = outputs.take();
    expect(others).toEqual([]);
    expect(read([batch as OutgoingBatch])).toEqual([0, 1, 2, 3, 4, 5].map((n) => [0, n, `${n}`]));
  });

  it('are answered for by the task that wrote them', async () => {
    const { asked, outputs, write } = twoTasks();
    for (let n = 0; n < 6; n += 1) write(n % 3 === 0 ? 0 : 1, n, `${n}`);
    const [{ origins, owner }] = outputs.take() as [Required<OutgoingBatch>];
    for (const at of [0, 2, 3, 5]) await owner.refused(refusal, 'out', origins.at(at));
    expect(asked).toEqual(['a0', 'b1', 'a1', 'b3']);
  });

  it('remember the rows that they came of, unless the log says nothing against one later', () => {
    const kept = { step: 'windowBy(counts)', kept: { key: 'k' } as unknown as KeptRow };
    const update = { step: 'aggregate(sums)' };
    for (const [rows, row] of [
      [true, kept],
      [false, FORGOTTEN_ROW],
    ] as const) {
      const outputs = new SharedOutputs(() => ({ partitions: 1, maxMessageBytes: 2 ** 20, compression: 'none' }), rows);
      const writer = { row: undefined as EmittedRow | undefined, originCode: () => 0, refused: async () => [] };
      outputs.enter(outputs.join(writer));
      for (const each of [kept, update, undefined]) {
        writer.row = each;
        outputs.topic('out').append(0, 1, 'k', 'v', []);
      }
      const [{ origins }] = outputs.take() as [Required<OutgoingBatch>];
      expect([0, 1, 2].map((at) => origins.at(at).row)).toEqual([row, update, undefined]);
    }
  });

  it.each([undefined, 2])('of a task that is taken away are given up, and no others (batches of %s)', async (count) => {
    const { asked, outputs, seats, write } = twoTasks(count);
    const long = 'x'.repeat(200);
    for (let n = 0; n < 8; n += 1) write(n % 2, 1000 * n, n === 3 ? long : n === 5 ? '' : `${n}`, n % 3 === 0 ? 1 : 0);
    const before = outputs.bytes;
    outputs.leave(seats[0]);
    expect(outputs.bytes).toBeLessThan(before);
    write(1, 9000, '9');
    const batches = outputs.take();
    expect(read(batches).toSorted((left, right) => String(left).localeCompare(String(right)))).toEqual([
      [0, 1000, '1'],
      [0, 5000, null],
      [0, 7000, '7'],
      [0, 9000, '9'],
      [1, 3000, long],
    ]);
    for (const { origins, owner, records } of batches) {
      for (let at = 0; at < records.count; at += 1) await owner?.refused(refusal, 'out', origins?.at(at));
    }
    expect(asked.toSorted((left, right) => left.localeCompare(right))).toEqual(['b0', 'b1', 'b2', 'b3', 'b4']);
    expect(outputs.bytes).toBe(0);
  });
});

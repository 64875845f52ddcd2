import { describe, expect, it, vi } from 'vitest';
import { RecordBatchBuilder } from '../../protocol/batch-builder.ts';
import { peekBatchHeader } from '../../protocol/batch-decoder.ts';
import type { BatchHeader } from '../../protocol/batch-header.ts';
import type { RecordColumns } from '../../protocol/columns.ts';
import { ensureCodec } from '../../protocol/compression.ts';
import { BatchUnpacker } from './batch-unpacker.ts';
import { UnpackBudget } from './unpack-budget.ts';

const MIB = 1024 * 1024;
await ensureCodec('gzip');

/** A batch that is small until it is unpacked. */
function bomb(records: number, bytes: number): Uint8Array {
  const builder = new RecordBatchBuilder();
  const value = new Uint8Array(bytes);
  for (let i = 0; i < records; i++) builder.append(1, null, value, []);
  return builder.finish({ compression: 'gzip' });
}

/** Reads a batch to its end, a turn of the event loop for each part. */
async function parts(unpacker: BatchUnpacker, bytes: Uint8Array, onPart: (part: RecordColumns) => void): Promise<void> {
  const header = peekBatchHeader(bytes, 0) as BatchHeader;
  for (let offset = 0; offset < header.nextOffset; ) {
    const part = unpacker.unpack(bytes, 0, header, offset);
    if (part === undefined) await new Promise((resolve) => setImmediate(resolve));
    else {
      onPart(part);
      offset = part.nextOffset;
    }
  }
  unpacker.release();
}

describe('what is unpacked', () => {
  it('stays below one limit for all partitions of the process, and arrives whole', async () => {
    const budget = new UnpackBudget();
    const options = { budget, maxUnpackedBytes: 12 * MIB };
    const bytes = bomb(20, MIB / 4);
    const held = new Map<number, number>();
    let most = 0;
    const counts = await Promise.all(
      Array.from({ length: 6 }, async (_, partition) => {
        let count = 0;
        await parts(new BatchUnpacker(options, { topic: 't', partition }), bytes, (part) => {
          count += part.count;
          held.set(partition, part.bytes.buffer.byteLength);
          most = Math.max(
            most,
            [...held.values()].reduce((sum, each) => sum + each, 0),
          );
        });
        held.delete(partition);
        return count;
      }),
    );
    expect(counts).toEqual(Array.from({ length: 6 }, () => 20));
    expect(most).toBeLessThan(12 * MIB + 6 * 1.1 * MIB);
    expect(budget.used).toBe(0);
  });

  it('is refused, with its place, when it alone takes more than half of the limit', () => {
    const options = { budget: new UnpackBudget(), maxUnpackedBytes: 16 * MIB };
    const bytes = bomb(9, MIB);
    const unpacker = new BatchUnpacker(options, { topic: 't', partition: 4 });
    expect(() => unpacker.unpack(bytes, 0, peekBatchHeader(bytes, 0) as BatchHeader, 0)).toThrow(
      expect.objectContaining({ code: 'ERR_BATCH_TOO_LARGE', topic: 't', partition: 4, offset: 0, lastOffset: 8 }),
    );
  });

  it('holds no more rows than fit, however small the records are', async () => {
    const builder = new RecordBatchBuilder();
    for (let i = 0; i < 300_000; i++) builder.append(1, null, null, []);
    const bytes = builder.finish({ compression: 'gzip' });
    const sizes: number[] = [];
    const unpacker = new BatchUnpacker({ budget: new UnpackBudget(), maxUnpackedBytes: 8 * MIB }, {});
    await parts(unpacker, bytes, (part) => void sizes.push(part.count));
    expect(sizes.reduce((sum, size) => sum + size)).toBe(300_000);
    expect(Math.max(...sizes) * 32).toBeLessThan(2 * MIB);
  });

  it('waits for room when it is one large record, and is told when there is some', async () => {
    const budget = new UnpackBudget();
    const options = { budget, maxUnpackedBytes: 16 * MIB };
    const bytes = bomb(1, 6 * MIB);
    const header = peekBatchHeader(bytes, 0) as BatchHeader;
    const readers = [0, 1, 2].map((partition) => new BatchUnpacker(options, { topic: 't', partition }));
    const [first, second, third] = readers as [BatchUnpacker, BatchUnpacker, BatchUnpacker];
    expect(first.unpack(bytes, 0, header, 0)?.count).toBe(1);
    expect(second.unpack(bytes, 0, header, 0)?.count).toBe(1);
    expect(third.unpack(bytes, 0, header, 0)).toBeUndefined();
    expect(third.waits).toBe(true);
    const woken = vi.fn<() => void>();
    budget.onFree(woken);
    first.release();
    expect(woken).toHaveBeenCalledOnce();
    expect(third.unpack(bytes, 0, header, 0)?.count).toBe(1);
    expect(third.waits).toBe(false);
  });

  it('does not wait for ever: what holds the room may wait for it', () => {
    const budget = new UnpackBudget();
    const options = { budget, maxUnpackedBytes: 16 * MIB };
    const bytes = bomb(1, 6 * MIB);
    const header = peekBatchHeader(bytes, 0) as BatchHeader;
    budget.overdraw(15 * MIB);
    const unpacker = new BatchUnpacker(options, {});
    const now = vi.spyOn(performance, 'now').mockReturnValue(1000);
    expect(unpacker.unpack(bytes, 0, header, 0)).toBeUndefined();
    expect(unpacker.patienceMs).toBeGreaterThan(0);
    now.mockReturnValue(1000 + (unpacker.patienceMs ?? 0));
    expect(unpacker.unpack(bytes, 0, header, 0)?.count).toBe(1);
    now.mockRestore();
  });

  it('leaves the event loop a turn after each large batch', async () => {
    const budget = new UnpackBudget();
    const options = { budget, maxUnpackedBytes: 64 * MIB };
    const bytes = bomb(10, MIB);
    const header = peekBatchHeader(bytes, 0) as BatchHeader;
    const [first, second] = [new BatchUnpacker(options, {}), new BatchUnpacker(options, {})];
    expect(first.unpack(bytes, 0, header, 0)).toBeDefined();
    expect(second.unpack(bytes, 0, header, 0)).toBeUndefined();
    const woken = new Promise<void>((resolve) => budget.onFree(resolve));
    await woken;
    expect(second.unpack(bytes, 0, header, 0)).toBeDefined();
  });
});

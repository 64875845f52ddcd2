import { describe, expect, it } from 'vitest';
import { memoryTransport } from '../../index.ts';
import { type Logger, noLogger } from '../../log/logger.ts';
import { offsetMark } from '../../log/offset-mark.ts';
import { RecordBatchBuilder } from '../../protocol/batch-builder.ts';
import { decodeBatch } from '../../protocol/batch-decoder.ts';
import type { StoreBackend } from '../../state/byte-store.ts';
import { memoryStores } from '../../state/memory-backend.ts';
import { MemoryLog } from '../../transports/memory/index.ts';
import { Changelog } from './changelog.ts';
import { generationOf, UNSAID, writerAfter, writerOf } from './changelog-writer.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (value: Uint8Array | undefined): string | undefined => value && new TextDecoder().decode(value);

const id = { applicationId: 'app', store: 'sums', partition: 0 };
const CHANGELOG = 'app-sums-changelog';
const INPUT = { topic: 'input', partition: 0, offset: 1 };

/** The writer of a generation; other numbers are taken as they are. */
const numberOf = (generation: number): number => (generation < 256 ? writerAfter(UNSAID, generation) : generation);

/** Key, value and timestamp of each record. */
function rowsOf(records: RecordBatchBuilder): unknown[] {
  const { bytes, count, keyLength, keyStart, timestamp, valueLength, valueStart } = decodeBatch(records.finish(), 0);
  const cut = (start: number, length: number): string | null =>
    length < 0 ? null : new TextDecoder().decode(bytes.subarray(start, start + length));
  return Array.from({ length: count }, (_, at) => [
    cut(keyStart[at]!, keyLength[at]!),
    cut(valueStart[at]!, valueLength[at]!),
    timestamp[at],
  ]);
}

describe('the writer of a changelog record', () => {
  it('grows with the generations of the group, and over the lives of groups that were deleted', () => {
    let last = UNSAID;
    for (const generation of [1, 2, 2, 57, 1, 2, 1, 400]) {
      const next = writerAfter(last, generation);
      expect(next).toBeGreaterThanOrEqual(last);
      expect([generationOf(next), writerOf(next)]).toEqual([generation, next]);
      last = next;
    }
  });

  it('tells two owners apart in a new life of the group, whatever the first one has written', () => {
    const last = writerAfter(UNSAID, 57);
    expect(writerAfter(last, 4)).toBeGreaterThan(writerAfter(last, 3));
  });

  it('goes on above the numbers of versions that stored nothing below the generation', () => {
    for (const last of [3, 300, 70_000]) {
      const next = writerAfter(last, last + 1);
      expect([next > last, generationOf(next)]).toEqual([true, last + 1]);
      // One of these versions takes over for a while.
      const before = 2 ** 32 + last + 2;
      expect(writerAfter(before, last + 3)).toBeGreaterThan(before);
    }
  });

  it('is not said by records of before, by groups without generations, and by the clock of a broker', () => {
    for (const timestamp of [0, -1, Date.now(), 2 ** 40]) expect(writerOf(timestamp)).toBe(UNSAID);
    expect(writerAfter(7, 0)).toBe(UNSAID);
    expect(writerAfter(2 ** 40 - 1, 1)).toBe(UNSAID);
  });
});

describe('a write of a process that had lost the task', () => {
  async function setUp(stores: StoreBackend = memoryStores()) {
    const log = new MemoryLog();
    log.create(CHANGELOG, { partitions: 1, config: { cleanup: 'compact' } });
    const transport = await memoryTransport(log)();
    const topics = new Map([[CHANGELOG, (await transport.topics.describe(CHANGELOG))!]]);
    const append = (...records: readonly (readonly [key: string, value: string, generation: number])[]): void => {
      const batch = new RecordBatchBuilder();
      for (const [key, value, generation] of records) batch.append(numberOf(generation), key, value, []);
      log.append([log.prepare({ topic: CHANGELOG, partition: 0 }, batch)]);
    };
    const warnings: string[] = [];
    const logger: Logger = { ...noLogger, warn: (_, message) => void warnings.push(message ?? '') };
    const restore = async (isDeleted = false): Promise<Changelog> => {
      const changelog = new Changelog(transport, stores, 'app', topics, () => 0, logger);
      const committed = isDeleted ? new Map() : new Map([['input', { ...INPUT, metadata: offsetMark(['sums']) }]]);
      await changelog.restore([{ stores: [id], committed }], () => undefined);
      return changelog;
    };
    const stored = (key: string): string | undefined => text(stores.open(id).get(bytes(key)));
    return { append, restore, stored, warnings };
  }

  it('is passed over when the store is rebuilt', async () => {
    const { append, restore, stored, warnings } = await setUp();
    append(['ada', '7', 3], ['bob', '1', 3]);
    append(['ada', '9', 5]);
    append(['ada', '8', 4], ['cid', '1', 4]);
    append(['bob', '2', 5]);
    await restore();
    expect([stored('ada'), stored('bob'), stored('cid')]).toEqual(['9', '2', undefined]);
    expect(warnings).toEqual([expect.stringContaining('late changes of 2 keys')]);
    expect(warnings[0]).toContain('generation 4 after 5');
  });

  it('is passed over when a store is brought forward that was written after it', async () => {
    const { append, restore, stored } = await setUp();
    append(['ada', '9', 5]);
    await restore();
    append(['ada', '8', 4]);
    await restore();
    expect(stored('ada')).toBe('9');
  });

  it('is followed by what holds, once, in a commit of the owner, and before what that commit changes', async () => {
    const { append, restore } = await setUp();
    append(['ada', '9', 5], ['ada', '8', 4], ['cid', '1', 4], ['bob', '1', 4]);
    // Nobody has written anything yet when it is restarted.
    await restore();
    const changelog = await restore();
    const written = (): unknown[] =>
      changelog
        .batches([{ id, keys: [bytes('bob')], values: [bytes('2')] }], 6)
        .flatMap(({ records }) => rowsOf(records));
    expect(changelog.batches([{ id: { ...id, store: 'other' }, keys: [], values: [] }], 6)).toEqual([]);
    const sixth = writerAfter(UNSAID, 6);
    expect(written()).toEqual([
      ['ada', '9', sixth],
      ['cid', null, sixth],
      ['bob', null, sixth],
      ['bob', '2', sixth],
    ]);
    expect(written()).toEqual([['bob', '2', sixth]]);
  });

  it('is told from those of a static member that is started again in its generation', async () => {
    const { append, restore, stored } = await setUp();
    const write = (changelog: Changelog, value: string): number => {
      const [batch] = changelog.batches([{ id, keys: [bytes('ada')], values: [bytes(value)] }], 5);
      return (rowsOf(batch!.records)[0] as unknown[])[2] as number;
    };
    append(['ada', '1', 5]);
    const first = await restore();
    const second = await restore();
    const late = write(first, '2');
    expect([generationOf(late), write(first, '3')]).toEqual([5, late]);
    append(['ada', '3', late]);
    const third = await restore();
    const after = write(third, '4');
    expect(after).toBeGreaterThan(late);
    append(['ada', '4', after], ['ada', '2', late]);
    await restore();
    expect(stored('ada')).toBe('4');
    // Nothing tells these two apart: the first had not written anything yet.
    expect(write(second, '2')).toBe(late);
  });

  it('is not what the next owner writes after the group was deleted, whichever of them is read first', async () => {
    const { append, restore, stored } = await setUp();
    append(['ada', '1', 3]);
    const first = await restore(true);
    const second = await restore(true);
    const [late, after] = [first, second].map((changelog, at) => {
      const [batch] = changelog.batches([{ id, keys: [bytes('ada')], values: [bytes('2')] }], at === 0 ? 1 : 4);
      return (rowsOf(batch!.records)[0] as unknown[])[2] as number;
    });
    append(['ada', 'late', late!], ['ada', '2', after!]);
    await restore();
    expect(stored('ada')).toBe('2');
  });

  it('is not what the process itself wrote in an earlier generation, and reads again', async () => {
    const { append, restore, stored, warnings } = await setUp();
    append(['ada', '1', 2]);
    const changelog = await restore();
    const write = (value: string, generation: number): void => {
      const state = [{ id, keys: [bytes('ada')], values: [bytes(value)] }];
      changelog.batches(state, generation);
      append(['ada', value, generation]);
      // As the marker of a transaction, which nobody counts.
      append(['', '', generation]);
      changelog.committed(state);
    };
    write('2', 3);
    write('3', 3);
    write('4', 11);
    await restore();
    expect([stored('ada'), warnings]).toEqual(['4', []]);
    // What others write after that, and what comes late after them, is told.
    append(['ada', '5', 12], ['ada', '6', 11]);
    await restore();
    expect([stored('ada'), warnings]).toEqual(['5', [expect.stringContaining('generation 11 after 12')]]);
  });

  it('is believed where it does not say who wrote it', async () => {
    const { append, restore, stored, warnings } = await setUp();
    append(['ada', '9', 5]);
    append(['ada', '10', 0]);
    await restore();
    expect([stored('ada'), warnings]).toEqual(['10', []]);
  });
});

import { expect } from 'vitest';
import { MillraceError } from '../../src/errors.ts';
import type {
  AppendResult,
  Fetcher,
  GroupOptions,
  GroupSession,
  OpenTransport,
  OutgoingBatch,
  Transport,
} from '../../src/log/transport.ts';
import { RecordBatchBuilder } from '../../src/protocol/batch-builder.ts';
import type { RecordColumns } from '../../src/protocol/columns.ts';
import type { Compression } from '../../src/protocol/compression.ts';
import type { Headers } from '../../src/record.ts';

/** A fresh log. `open` may be called several times: the transports then share the log, as processes would. */
export interface TestLog {
  readonly open: OpenTransport;
  readonly cleanup: () => Promise<void>;
}

export interface Row {
  readonly key?: string | null;
  readonly value?: string | null;
  readonly timestamp?: number;
  readonly headers?: Headers;
}

export interface ReadRow {
  readonly offset: number;
  readonly timestamp: number;
  readonly key: string | null;
  readonly value: string | null;
  readonly headers: Headers;
}

const decoder = new TextDecoder();
let names = 0;

/** A name that no other test uses, because some logs outlive a test. */
export const unique = (name: string): string => `${name}-${process.pid}-${Date.now().toString(36)}-${names++}`;

export function builderOf(rows: readonly Row[]): RecordBatchBuilder {
  const builder = new RecordBatchBuilder();
  rows.forEach(({ key = null, value = null, timestamp, headers = [] }, i) => {
    builder.append(timestamp ?? 1_000 + i, key, value, headers);
  });
  return builder;
}

export const batch = (
  topic: string,
  partition: number,
  rows: readonly Row[],
  compression: Compression = 'none',
): OutgoingBatch => ({ topic, partition, records: builderOf(rows), compression });

export const values = (...list: string[]): Row[] => list.map((value) => ({ value }));

export async function send(
  transport: Transport,
  topic: string,
  partition: number,
  rows: readonly Row[],
  compression?: Compression,
): Promise<AppendResult> {
  const producer = transport.producer();
  try {
    const [result] = await producer.send([batch(topic, partition, rows, compression)]);
    return result!;
  } finally {
    await producer.close();
  }
}

export function rowsOf(columns: RecordColumns): ReadRow[] {
  const text = (start: number, length: number): string | null =>
    length < 0 ? null : decoder.decode(columns.bytes.subarray(start, start + length));
  return Array.from({ length: columns.count }, (_, i) => ({
    offset: columns.baseOffset + columns.offsetDelta[i]!,
    timestamp: columns.timestamp[i]!,
    key: text(columns.keyStart[i]!, columns.keyLength[i]!),
    value: text(columns.valueStart[i]!, columns.valueLength[i]!),
    headers: columns.headers(i),
  }));
}

/** Waits until a condition holds; fails with what was waited for. */
export async function until<T>(
  what: string | (() => string),
  condition: () => T | undefined | false,
  limitMs = 20_000,
): Promise<T> {
  const deadline = performance.now() + limitMs;
  for (;;) {
    const result = condition();
    if (result !== undefined && result !== false) return result;
    if (performance.now() > deadline)
      throw new Error(`waited ${limitMs} ms in vain for: ${typeof what === 'string' ? what : what()}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** A fetcher whose wake-ups can be awaited. */
export function watch(
  transport: Transport,
  isolation: 'committed' | 'uncommitted' = 'committed',
): { readonly fetcher: Fetcher; next(): Promise<void>; wakes(): number } {
  let wakes = 0;
  let wake: () => void = () => undefined;
  let woken = new Promise<void>((resolve) => (wake = resolve));
  const fetcher = transport.fetcher({
    isolation,
    onReady: () => {
      wakes++;
      wake();
      woken = new Promise<void>((resolve) => (wake = resolve));
    },
  });
  return { fetcher, next: () => woken, wakes: () => wakes };
}

/** Reads from an offset to the end that the log has when asked, and returns the rows. */
export async function readAll(
  transport: Transport,
  topic: string,
  partition = 0,
  from?: number,
  isolation: 'committed' | 'uncommitted' = 'committed',
): Promise<ReadRow[]> {
  const start = from ?? (await transport.offsets(topic, 'earliest', [partition])).get(partition)!;
  const end = (await transport.offsets(topic, 'latest', [partition])).get(partition)!;
  const rows: ReadRow[] = [];
  const { fetcher, next } = watch(transport, isolation);
  try {
    let woken = next();
    fetcher.assign(topic, partition, start);
    for (let position = start; position < end; ) {
      const fetched = fetcher.poll(topic, partition);
      if (fetched === undefined) {
        await woken;
        woken = next();
        continue;
      }
      rows.push(...rowsOf(fetched));
      expect(fetched.nextOffset, 'a fetch must make progress').toBeGreaterThan(position);
      expect(fetched.endOffset).toBeGreaterThanOrEqual(fetched.nextOffset);
      position = fetched.nextOffset;
    }
  } finally {
    await fetcher.close();
  }
  return rows;
}

export const valuesOf = (rows: readonly ReadRow[]): (string | null)[] => rows.map((row) => row.value);

/** The error that a promise rejects with, which must be one of ours with that code. */
export async function failure(code: string, work: Promise<unknown> | (() => unknown)): Promise<MillraceError> {
  let error: unknown;
  try {
    await (typeof work === 'function' ? work() : work);
  } catch (caught) {
    error = caught;
  }
  expect(error, `expected ${code}, but nothing failed`).toBeInstanceOf(MillraceError);
  expect((error as MillraceError).code, String(error)).toBe(code);
  return error as MillraceError;
}

export interface Joined {
  readonly session: GroupSession;
  /** Tasks that the member has now. */
  readonly tasks: Set<string>;
  readonly events: string[];
  readonly errors: MillraceError[];
}

/** Joins a group; the topics of its tasks are `topic` with one task per partition. */
export async function join(
  transport: Transport,
  groupId: string,
  topic: string,
  partitions: number,
  overrides: Partial<GroupOptions> = {},
): Promise<Joined> {
  const tasks = new Set<string>();
  const events: string[] = [];
  const errors: MillraceError[] = [];
  const session = await transport.group({
    groupId,
    tasks: Array.from({ length: partitions }, (_, partition) => ({
      id: `s/${partition}`,
      partitions: [{ topic, partition }],
    })),
    onError: (error) => errors.push(error),
    ...overrides,
    onAssigned: async (ids, generation, given) => {
      await overrides.onAssigned?.(ids, generation, given);
      for (const id of ids) tasks.add(id);
      events.push(`assigned ${[...ids].sort().join(' ')}`);
    },
    onRevoked: async (ids, lost) => {
      await overrides.onRevoked?.(ids, lost);
      for (const id of ids) tasks.delete(id);
      events.push(`${lost ? 'lost' : 'revoked'} ${[...ids].sort().join(' ')}`);
    },
  });
  return { session, tasks, events, errors };
}

import type { Headers } from '../record.ts';
import type { RecordColumns } from './columns.ts';

/** Header of the records in which tasks say how far they are. Such records have neither key nor value. */
export const TIME_HEADER = 'millrace.time';

const VERSION = 1;
const HEAD_BYTES = 6;
const ENTRY_BYTES = 12;
/** Behind the entries: earlier versions, which said no epoch, pass over it. */
const EPOCH_BYTES = 4;
const CAUGHT_UP = 0x8000_0000;

/** How far a task is whose records lie in a shuffle. */
export interface TaskTimeEntry {
  readonly partition: number;
  /** No record that it writes later is older than this, as long as its own input is in order; −1 while unknown. */
  readonly time: number;
  /** It has read its input to the end. */
  readonly caughtUp: boolean;
}

/** Tasks of one stage, and how far they are. */
export interface TimeAnnouncement {
  /** A number that tells the stages of an application apart, and those of others: 32 bits. */
  readonly stage: number;
  /** Tells the generation of the group in which it was made from all others: 32 bits; 0 where that was not said. */
  readonly epoch: number;
  readonly tasks: readonly TaskTimeEntry[];
}

/** The most that an announcement takes in a batch, in bytes; a batch of its own included. */
export function announcementBytes(tasks: number): number {
  return 164 + tasks * ENTRY_BYTES;
}

/** How many tasks an announcement may have where a batch has a limit; one at the least. */
export function tasksWithin(maxBytes: number): number {
  return Math.max(1, Math.floor((maxBytes - announcementBytes(0)) / ENTRY_BYTES));
}

export function encodeAnnouncement({ epoch, stage, tasks }: TimeAnnouncement): Uint8Array {
  const end = HEAD_BYTES + tasks.length * ENTRY_BYTES;
  const bytes = new Uint8Array(end + EPOCH_BYTES);
  const view = new DataView(bytes.buffer);
  bytes[0] = VERSION;
  view.setUint32(2, stage);
  for (const [index, { caughtUp, partition, time }] of tasks.entries()) {
    const at = HEAD_BYTES + index * ENTRY_BYTES;
    view.setUint32(at, caughtUp ? partition + CAUGHT_UP : partition);
    view.setFloat64(at + 4, time);
  }
  view.setUint32(end, epoch);
  return bytes;
}

/** @returns `undefined` for what a later version has written. */
export function decodeAnnouncement(bytes: Uint8Array): TimeAnnouncement | undefined {
  if (bytes.length < HEAD_BYTES || bytes[0] !== VERSION) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const count = Math.floor((bytes.length - HEAD_BYTES) / ENTRY_BYTES);
  const tasks = Array.from({ length: count }, (_, index): TaskTimeEntry => {
    const at = HEAD_BYTES + index * ENTRY_BYTES;
    const word = view.getUint32(at);
    const caughtUp = word >= CAUGHT_UP;
    return { partition: caughtUp ? word - CAUGHT_UP : word, time: view.getFloat64(at + 4), caughtUp };
  });
  const end = HEAD_BYTES + count * ENTRY_BYTES;
  const epoch = bytes.length === end + EPOCH_BYTES ? view.getUint32(end) : 0;
  return { stage: view.getUint32(2), epoch, tasks };
}

/** Whether a record is an announcement, and none for users. */
export function isAnnouncement(batch: RecordColumns, at: number): boolean {
  if ((batch.valueLength[at] as number) >= 0 || (batch.keyLength[at] as number) >= 0) return false;
  return announcementIn(batch, at) !== undefined;
}

/** What the header of an announcement holds. Headers that cannot be read hold none: whoever delivers the record says so. */
export function announcementIn(batch: RecordColumns, at: number): Uint8Array | undefined {
  let headers: Headers;
  try {
    headers = batch.headers(at);
  } catch {
    return undefined;
  }
  for (const [name, value] of headers) if (name === TIME_HEADER && value !== null) return value;
  return undefined;
}

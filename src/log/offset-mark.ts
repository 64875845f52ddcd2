import { type CommittedTrail, decodeTrail, encodeTrail, type StoreTrail } from './store-trail.ts';
import type { CommittedOffset } from './transport.ts';

type Noted = Pick<CommittedOffset, 'metadata'>;

/** Prefix of the metadata of offsets of a task with stores; their names follow. */
const MARK = 'millrace';
/** Prefix of the metadata of offsets of a task without stores. */
const STATELESS = 'millrace-time ';
/** Metadata of such an offset with nothing heard and no trail. */
const BARE = 'millrace-stateless';
/** Kafka allows 4,096 bytes; a stage with more names than fit has no mark. */
const MAX_MARK = 2000;

/** Metadata for an offset that is committed together with these stores. */
export function offsetMark(stores: readonly string[], trail?: StoreTrail): string {
  const mark = [MARK, ...stores.map(encodeURIComponent)].join(' ');
  const text = trail && encodeTrail(trail);
  return `${mark.length > MAX_MARK ? MARK : mark}${text === undefined ? '' : ` ${text}`}`;
}

/**
 * Metadata for offsets of a task without stores. It keeps what the task has heard about the time of other tasks, unless
 * that is too long.
 */
export function statelessMark(trail: StoreTrail | undefined): (heard: string | undefined) => string {
  const text = trail && encodeTrail(trail);
  const alone = text === undefined ? BARE : `${STATELESS}${text}`;
  return (heard) => {
    if (heard === undefined || heard.length > MAX_MARK) return alone;
    return text === undefined ? `${STATELESS}${heard}` : `${STATELESS}${heard};${text}`;
  };
}

/** Whether a task without stores has committed an offset. */
export function isStateless({ metadata = '' }: Noted): boolean {
  return metadata === BARE || metadata.startsWith(STATELESS);
}

/** Reads what {@link statelessMark} keeps of what a task has heard. */
export function heardOf({ metadata = '' }: Noted): string | undefined {
  if (!metadata.startsWith(STATELESS)) return undefined;
  const trail = metadata.indexOf('>');
  const heard = metadata.slice(STATELESS.length, trail < 0 ? undefined : trail - 1);
  return heard === '' ? undefined : heard;
}

/** What an offset was committed with. */
export function committedTrail(offset: Pick<CommittedOffset, 'metadata' | 'offset'>): CommittedTrail {
  const { metadata = '' } = offset;
  const isStateless = metadata.startsWith(STATELESS);
  const parts = isStateless ? metadata.slice(STATELESS.length).split(';') : metadata.split(' ');
  const trail = isStateless || parts[0] === MARK ? decodeTrail(parts) : undefined;
  return { offset: offset.offset, stores: storesOf(offset), trail };
}

/**
 * Names of the stores that an offset was committed with; `undefined` for an offset that no task with stores has
 * committed.
 */
export function storesOf({ metadata = '' }: Noted): ReadonlySet<string> | undefined {
  const [mark, ...parts] = metadata.split(' ');
  const names = parts.filter((part) => !part.startsWith('>'));
  return mark === MARK ? new Set(names.map(decodeURIComponent)) : undefined;
}

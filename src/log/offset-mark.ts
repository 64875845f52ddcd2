import type { CommittedOffset } from './transport.ts';

/** What a committed offset of ours begins with in its metadata; the names of the stores that belong to it follow. */
const MARK = 'millrace';
/** Kafka takes 4,096 bytes; a stage with more names than fit goes without. */
const MAX_MARK = 2000;

/** Metadata of an offset that is committed together with these stores. */
export function offsetMark(stores: readonly string[]): string {
  const mark = [MARK, ...stores.map(encodeURIComponent)].join(' ');
  return mark.length > MAX_MARK ? MARK : mark;
}

/** What the metadata of an offset begins with that no store belongs to. */
const HEARD = 'millrace-time ';

/** Metadata that keeps what a task without stores has heard of the time of others; `undefined` when that is too long. */
export function heardMark(heard: string): string | undefined {
  return heard.length > MAX_MARK ? undefined : `${HEARD}${heard}`;
}

/** What {@link heardMark} has kept. */
export function heardOf({ metadata = '' }: Pick<CommittedOffset, 'metadata'>): string | undefined {
  return metadata.startsWith(HEARD) ? metadata.slice(HEARD.length) : undefined;
}

/** Names of the stores that an offset was committed with; `undefined` for an offset that no application of ours signed. */
export function storesOf({ metadata = '' }: Pick<CommittedOffset, 'metadata'>): ReadonlySet<string> | undefined {
  const [mark, ...names] = metadata.split(' ');
  return mark === MARK ? new Set(names.map(decodeURIComponent)) : undefined;
}

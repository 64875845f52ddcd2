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

/** Names of the stores that an offset was committed with; `undefined` for an offset that no application of ours signed. */
export function storesOf({ metadata = '' }: Pick<CommittedOffset, 'metadata'>): ReadonlySet<string> | undefined {
  const [mark, ...names] = metadata.split(' ');
  return mark === MARK ? new Set(names.map(decodeURIComponent)) : undefined;
}

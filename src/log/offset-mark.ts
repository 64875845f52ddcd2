import type { CommittedOffset } from './transport.ts';

/** Prefix of the metadata of offsets that Millrace commits; the names of the offset's stores follow. */
const MARK = 'millrace';
/** Kafka allows 4,096 bytes; a stage with more names than fit has no mark. */
const MAX_MARK = 2000;

/** Metadata for an offset that is committed together with these stores. */
export function offsetMark(stores: readonly string[]): string {
  const mark = [MARK, ...stores.map(encodeURIComponent)].join(' ');
  return mark.length > MAX_MARK ? MARK : mark;
}

/** Prefix of the metadata of an offset without stores. */
const HEARD = 'millrace-time ';

/**
 * Metadata that keeps what a task without stores has heard about the time of other tasks; `undefined` if it is too
 * long.
 */
export function heardMark(heard: string): string | undefined {
  return heard.length > MAX_MARK ? undefined : `${HEARD}${heard}`;
}

/** Reads the metadata that {@link heardMark} writes. */
export function heardOf({ metadata = '' }: Pick<CommittedOffset, 'metadata'>): string | undefined {
  return metadata.startsWith(HEARD) ? metadata.slice(HEARD.length) : undefined;
}

/**
 * Names of the stores that an offset was committed with; `undefined` for an offset that no Millrace application has
 * marked.
 */
export function storesOf({ metadata = '' }: Pick<CommittedOffset, 'metadata'>): ReadonlySet<string> | undefined {
  const [mark, ...names] = metadata.split(' ');
  return mark === MARK ? new Set(names.map(decodeURIComponent)) : undefined;
}

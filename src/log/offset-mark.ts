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

/** Metadata of an offset without stores. */
const STATELESS = 'millrace-stateless';
/** Prefix of the metadata of an offset without stores, with what the task has heard. */
const HEARD = 'millrace-time ';

/**
 * Metadata for an offset that is committed by a task without stores. It keeps what the task has heard about the time of
 * other tasks, unless that is too long.
 */
export function statelessMark(heard: string | undefined): string {
  return heard === undefined || heard.length > MAX_MARK ? STATELESS : `${HEARD}${heard}`;
}

/** Whether a task without stores has committed an offset. Earlier versions marked only those with something heard. */
export function isStateless({ metadata = '' }: Pick<CommittedOffset, 'metadata'>): boolean {
  return metadata === STATELESS || metadata.startsWith(HEARD);
}

/** Reads what {@link statelessMark} keeps. */
export function heardOf({ metadata = '' }: Pick<CommittedOffset, 'metadata'>): string | undefined {
  return metadata.startsWith(HEARD) ? metadata.slice(HEARD.length) : undefined;
}

/**
 * Names of the stores that an offset was committed with; `undefined` for an offset that no task with stores has
 * committed.
 */
export function storesOf({ metadata = '' }: Pick<CommittedOffset, 'metadata'>): ReadonlySet<string> | undefined {
  const [mark, ...names] = metadata.split(' ');
  return mark === MARK ? new Set(names.map(decodeURIComponent)) : undefined;
}

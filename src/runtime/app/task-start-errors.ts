import { bareMessage, type ErrorDetails, FatalError, type MillraceError } from '../../errors.ts';
import type { Lack } from '../../log/store-trail.ts';

/** The position in a partition that a store has reached. */
export interface Reached {
  readonly name: string;
  readonly offset: number;
}

/** The error for a store that lacks committed records. @param high - The store that is furthest ahead. */
export function stateBehind(
  { name, offset }: Reached,
  high: Reached,
  committed: number,
  at: ErrorDetails & { readonly topic: string; readonly partition: number },
): FatalError {
  const further = Math.max(high.offset, committed);
  // If stores differ, those that are ahead would count the records in between twice.
  const again =
    high.offset === offset
      ? `set the offset to ${offset} to process these records again, to ${further} to skip them, or give the store a new name`
      : `store ${high.name} holds them up to ${high.offset}, so they cannot be processed again for ${name} alone: set the offset ` +
        `to ${further} to skip them in ${name}, or process everything again under a new applicationId`;
  return new FatalError(
    'ERR_STATE_BEHIND',
    `store ${name} holds the records of ${at.topic}/${at.partition} up to ${offset}, but the committed offset is ${committed}`,
    {
      ...at,
      lastOffset: committed - 1,
      hint: `changes of the store were lost, or the store was not used for a while: ${again}`,
    },
  );
}

/** The error for a store that records did not come to while the pipeline was without it. */
export function storeLeftOut(
  store: string,
  { from, to }: Lack,
  committed: number,
  at: ErrorDetails & { readonly topic: string; readonly partition: number },
): FatalError {
  const place = `${at.topic}/${at.partition}`;
  return new FatalError(
    'ERR_STATE_BEHIND',
    `store ${store} lacks the records of ${place} from offset ${from} to ${to - 1}: the pipeline that read them was without it`,
    {
      ...at,
      lastOffset: committed - 1,
      hint:
        `set the offset to ${committed} to go on without them, or give the store a new name; to have them in it, process everything ` +
        `again under a new applicationId, or set the offset to ${from} if nothing else in the pipeline has used them`,
    },
  );
}

/** The error for state of a deleted topic. */
export function otherTopic(
  store: string,
  applicationId: string,
  at: ErrorDetails & { readonly topic: string },
): FatalError {
  const { topic } = at;
  return new FatalError(
    'ERR_STATE_OF_OTHER_TOPIC',
    `store ${store} was built from a topic ${topic} that was deleted and created again`,
    {
      ...at,
      hint:
        `start the application over (millrace reset ${applicationId}) to build its state from the new topic alone; to keep the state as it is, say ` +
        `where to start: client.setCommitted('${applicationId}', '${topic}', [0, …])`,
    },
  );
}

/** The error for records of the application's own topic that were removed before it had read them. */
export function goneUnread(topic: string, partition: number, first: number): FatalError {
  return new FatalError(
    'ERR_OFFSET_OUT_OF_RANGE',
    `offsets 0 to ${first - 1} of ${topic}, which the application writes itself, were removed, and no offset says that ` +
      'it had read them',
    {
      topic,
      partition,
      offset: 0,
      lastOffset: first - 1,
      hint:
        `keep its records (retentionMs: -1), and process everything again under a new applicationId; or accept the gap: ` +
        `client.setCommitted(applicationId, '${topic}', offsets)`,
    },
  );
}

/** A reader's error for an offset outside its partition, with advice for an application. */
export function outOfRangeIn(applicationId: string, failure: MillraceError): FatalError {
  const { lastOffset, offset, partition, stage, step, topic } = failure;
  const go = (to: number | string): string =>
    `client.setCommitted('${applicationId}', '${topic}', new Map([[${partition}, ${to}]]))`;
  const hint =
    lastOffset === undefined
      ? `the topic has lost its end, or is another one: process everything again under a new applicationId; or say where it goes on: ${go('offset')}`
      : `accept the gap: ${go(lastOffset + 1)}; to avoid it, keep records longer, or run the application more often`;
  const place = Object.entries({ lastOffset, offset, partition, stage, step, topic }).filter(
    ([, at]) => at !== undefined,
  );
  return new FatalError(failure.code, bareMessage(failure), { ...Object.fromEntries(place), hint, cause: failure });
}

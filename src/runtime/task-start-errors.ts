import { type ErrorDetails, FatalError } from '../errors.ts';

/** The error for state of a topic that is gone. */
export function otherTopic(
  store: string,
  applicationId: string,
  at: ErrorDetails & { readonly topic: string },
): FatalError {
  const { topic } = at;
  return new FatalError(
    'ERR_STATE_OF_OTHER_TOPIC',
    `store ${store} was built from a topic ${topic} that was deleted, and another one has its name now`,
    {
      ...at,
      hint:
        'run under a new applicationId to build the state from the new topic alone; to go on with the state as it is, say ' +
        `where to begin: client.setCommitted('${applicationId}', '${topic}', [0, …])`,
    },
  );
}

/** The error for records of a topic of the application's own that were removed before it had read them. */
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
        `keep its records (retentionMs: -1), and process everything anew under a new applicationId; or accept the gap: ` +
        `client.setCommitted(applicationId, '${topic}', offsets)`,
    },
  );
}

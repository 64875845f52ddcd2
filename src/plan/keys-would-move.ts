import { ConfigError, type ErrorDetails } from '../errors.ts';
import { counted } from '../options/counted.ts';
import type { Stage } from './stages.ts';

/** The error for a stage whose state was written for a different number of partitions. */
export function keysWouldMove(
  { inputs, name, stores }: Stage,
  before: number,
  now: number,
  details: ErrorDetails = {},
): ConfigError {
  const topics = inputs.map((use) => use.name).join(', ');
  const kept = stores.map((store) => store.name).join(', ');
  return new ConfigError(
    'ERR_PARTITION_COUNT',
    `stage ${name} keeps state (${kept}) in ${counted(before, 'partition')}, but ${topics} now has ${now}: keys are no longer in the partition of their state`,
    {
      ...(inputs[0] === undefined ? {} : { topic: inputs[0].name }),
      stage: name,
      hint:
        `copy the records into a new topic with ${counted(now, 'partition')} (topic → through or to) and read that one under a new ` +
        `applicationId, so that its state is built from scratch; or recreate ${topics} with ${counted(before, 'partition')}`,
      ...details,
    },
  );
}

import { randomInt, randomUUID } from 'node:crypto';
import { statfsSync } from 'node:fs';
import { type Clock, systemClock } from '../../dataflow/clock.ts';
import { currentProcess, isAlive, type ProcessIdentity } from './process-identity.ts';

/** What the log of a folder needs from its machine besides the file. A simulation provides all of it. */
export interface EmbeddedMachine {
  readonly clock: Clock;
  /** This process. */
  readonly me: () => ProcessIdentity;
  /** Whether another process is still alive. */
  readonly isAlive: (other: ProcessIdentity) => boolean;
  /** A unique name. */
  readonly name: () => string;
  /** A random whole number below 2 ** 47. */
  readonly number: () => number;
  /** A random number from 0 to below 1. */
  readonly random: () => number;
  /** How many bytes are free on the disk of a file. */
  readonly freeBytes: (file: string) => number;
}

export const thisMachine: EmbeddedMachine = {
  clock: systemClock,
  me: currentProcess,
  isAlive: (other) => isAlive(other),
  name: randomUUID,
  number: () => randomInt(2 ** 47),
  random: Math.random,
  freeBytes: (file) => {
    const { bavail, bsize } = statfsSync(file);
    return bavail * bsize;
  },
};

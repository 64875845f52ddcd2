import { randomInt, randomUUID } from 'node:crypto';
import { statfsSync } from 'node:fs';
import { type Clock, systemClock } from '../../dataflow/clock.ts';
import { currentProcess, isAlive, type ProcessIdentity } from './process-identity.ts';

/** What the log of a folder takes from its machine, beside the file. Where a world is simulated, it gives all of it. */
export interface EmbeddedMachine {
  readonly clock: Clock;
  /** This process. */
  readonly me: () => ProcessIdentity;
  /** Whether another process is still there. */
  readonly isAlive: (other: ProcessIdentity) => boolean;
  /** A name that nobody else has. */
  readonly name: () => string;
  /** A whole number below 2 ** 47, by chance. */
  readonly number: () => number;
  /** From 0 to below 1. */
  readonly random: () => number;
  /** How many bytes are left on the disk of a file. */
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

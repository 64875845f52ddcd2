import { changelogMutants } from './changelogs.ts';
import { clientMutants } from './client.ts';
import { kafkaMutants } from './kafka.ts';
import type { Mutant } from './mutant.ts';
import { operatorMutants } from './operators.ts';
import { runtimeMutants } from './runtime.ts';
import { testingMutants } from './testing.ts';
import { transportMutants } from './transports.ts';
import { windowMutants } from './windows.ts';

/** All of them. Their texts are checked in the tests of the package, so that a change of the sources finds them at once. */
export const mutants: readonly Mutant[] = [
  ...runtimeMutants,
  ...changelogMutants,
  ...windowMutants,
  ...operatorMutants,
  ...transportMutants,
  ...kafkaMutants,
  ...clientMutants,
  ...testingMutants,
];

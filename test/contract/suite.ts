import { describe } from 'vitest';
import { commitContract } from './commits.ts';
import { groupContract } from './groups.ts';
import { modelContract } from './model.ts';
import { readingContract } from './reading.ts';
import { recreatedContract } from './recreated.ts';
import type { TestLog } from './support.ts';
import { topicContract } from './topics.ts';
import { writingContract } from './writing.ts';

/** What a transport may leave out because its log cannot do it. */
export interface ContractFeatures {
  /** Groups can be exclusive to a process (true). */
  readonly exclusiveGroups?: boolean;
  /** Runs of the random comparison with a model (60); 0 leaves it out. */
  readonly modelRuns?: number;
}

/**
 * What every transport must do, whatever its log is.
 *
 * @param name - The transport, for the report.
 * @param openLog - Makes a fresh log for each test, or gives access to a shared one; topic names are unique either way.
 */
export function contractSuite(name: string, openLog: () => Promise<TestLog>, features: ContractFeatures = {}): void {
  describe(`transport contract: ${name}`, () => {
    topicContract(openLog);
    writingContract(openLog);
    readingContract(openLog);
    recreatedContract(openLog);
    groupContract(openLog, features.exclusiveGroups ?? true);
    commitContract(openLog);
    if (features.modelRuns !== 0) modelContract(openLog, features.modelRuns ?? 60);
  });
}

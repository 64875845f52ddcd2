import type { MillraceError } from '../../errors.ts';
import { noLogger } from '../../log/logger.ts';
import { UnwritableState } from '../../state/checked-stores.ts';
import type { AppOptions } from './app-options.ts';
import { Stuck } from './longest-turn.ts';

/** How often tasks are rebuilt from the last commit before the application gives up; a commit resets the count. */
const MAX_REBUILDS = 3;
const BACKOFF_MS = 100;

/** Decides after a failure whether and when the tasks of an application are rebuilt from the last commit. */
export class Rebuilds {
  count = 0;
  /** Stores with entries that a commit could not write: their changes are checked when they are made. */
  readonly checkedStores: Set<string> = new Set();
  readonly #options: AppOptions;
  #sinceCommit = 0;
  readonly #stuck = new Stuck();

  constructor(options: AppOptions) {
    this.#options = options;
  }

  /** @returns how long to wait before the rebuild, in ms; `undefined` if it would not help. */
  after(error: MillraceError, commits: number): number | undefined {
    const news = this.#isNews(error);
    if (commits > 0 || news) this.#sinceCommit = 0;
    if (this.#stuck.again(error)) return undefined;
    const { code, errorClass } = error;
    const passes = errorClass === 'abortable' || errorClass === 'retriable' || errorClass === 'migrated';
    // The name belongs to another topic now, which new tasks read from its start.
    if ((!passes && code !== 'ERR_TOPIC_RECREATED') || this.#sinceCommit >= MAX_REBUILDS) return undefined;
    this.count += 1;
    this.#sinceCommit += 1;
    const waitMs = news ? 0 : BACKOFF_MS * 2 ** (this.#sinceCommit - 1);
    const { applicationId, logger = noLogger } = this.#options;
    logger.warn({ applicationId, code, error: error.message, waitMs }, 'rebuilding tasks from the last commit');
    return waitMs;
  }

  /** Whether a store is newly known to need checks: redoing the work then takes another path. */
  #isNews(error: MillraceError): boolean {
    if (!(error instanceof UnwritableState) || this.checkedStores.has(error.store)) return false;
    this.checkedStores.add(error.store);
    return true;
  }
}

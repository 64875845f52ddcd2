import type { Headers } from '../../record.ts';
import type { StoreId } from '../../state/byte-store.ts';

/** Header of the bookkeeping records of a changelog. */
const HEADER = 'millrace.commit';

/**
 * A commit of a task, as its last record in the changelog of each store names it.
 *
 * At least once, a crash may leave a commit in some of the changelogs of a task and not in others. Steps with several
 * stores cannot work with that: a row may be there without its entry in the index by time.
 */
export interface ChangelogCommit {
  /** Greater than that of each earlier commit of the task. */
  readonly number: number;
  /** The commit of this store that it continues. Commits between the two were incomplete: they do not count. */
  readonly follows: number;
  /** The stores of the task, whose changelogs all name it. */
  readonly stores: readonly string[];
}

/** A record that a commit begins with. */
export const BEGINNING: Headers = [[HEADER, new Uint8Array(0)]];

const TEXT = new TextDecoder();

export function commitHeaders({ follows, number, stores }: ChangelogCommit): Headers {
  return [[HEADER, new TextEncoder().encode(`${number}:${follows}:${stores.join(',')}`)]];
}

/**
 * The commit that a bookkeeping record names; `undefined` if it names none, `null` if it was written by a version that does not
 * name commits.
 */
export function commitIn(headers: Headers): ChangelogCommit | undefined | null {
  const found = headers.find(([name]) => name === HEADER)?.[1];
  if (found === undefined || found === null) return null;
  const [number = '', follows, stores = ''] = TEXT.decode(found).split(':');
  if (number === '') return undefined;
  return { number: Number(number), follows: Number(follows), stores: stores.split(',') };
}

/** The last complete commit of a store, and the highest number of any; see {@link ChangelogCommit}. */
interface Numbers {
  readonly complete: number | undefined;
  readonly highest: number;
}

/** Numbers the commits of the tasks of a process, from what their changelogs say. */
export class CommitNumbers {
  /** By store and partition. */
  readonly #numbers = new Map<string, Numbers>();

  /** A changelog was read to its end. */
  restored({ complete, highest, id }: Numbers & { readonly id: StoreId }): void {
    this.#numbers.set(keyOf(id), { complete, highest });
  }

  /** The last complete commit of a store; `undefined` if commits have no numbers yet. */
  complete(id: StoreId): number | undefined {
    return this.#numbers.get(keyOf(id))?.complete;
  }

  /**
   * Begins the next commit of a task.
   *
   * @param task - A store of it.
   * @param stores - The names of all.
   * @returns The headers that end the commit in the changelog of a store.
   */
  next(task: StoreId, stores: readonly string[]): (id: StoreId) => Headers {
    let number = 0;
    for (const store of stores) number = Math.max(number, this.#numbers.get(keyOf({ ...task, store }))?.highest ?? 0);
    number += 1;
    return (id) => {
      const complete = this.complete(id);
      this.#numbers.set(keyOf(id), { complete, highest: number });
      return commitHeaders({ number, follows: complete ?? 0, stores });
    };
  }

  /** The last commit of a task has reached all changelogs. */
  completed(task: StoreId, stores: readonly string[]): void {
    for (const store of stores) {
      const key = keyOf({ ...task, store });
      const highest = this.#numbers.get(key)?.highest ?? 0;
      this.#numbers.set(key, { complete: highest, highest });
    }
  }
}

function keyOf({ partition, store }: Pick<StoreId, 'partition' | 'store'>): string {
  return `${store}/${partition}`;
}

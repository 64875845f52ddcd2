import type { Cancel, Clock } from '../../dataflow/clock.ts';
import type { Logger } from '../../log/logger.ts';
import { counted } from '../../options/counted.ts';
import type { AppSnapshot, TaskSnapshot } from './snapshot.ts';

const LOOK_MS = 2000;
/**
 * How long an application is idle before it says why. Together with the interval between checks, this stays within ten
 * seconds.
 */
const FIRST_MS = 8000;
/** The message is repeated at intervals that grow by this factor. */
const GROWTH = 6;

/** Why there is no progress. */
interface Reason {
  readonly message: string;
  /** Whether nothing is wrong and there is simply nothing to do. It is then a warning only the first time. */
  readonly usual: boolean;
}

/**
 * Says why an application makes no progress, within ten seconds after the last progress: what it waits for, that its
 * topics are empty, that windows wait for later records, or that there are records but no task takes them.
 */
export class ProgressWatch {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #take: () => AppSnapshot;
  #cancel: Cancel | undefined;
  #done = -1;
  /** Monotonic time of the last progress. */
  #since: number;
  #next = FIRST_MS;
  #said = false;

  /** @param take - Takes a snapshot of the application. */
  constructor(clock: Clock, logger: Logger, take: () => AppSnapshot) {
    this.#clock = clock;
    this.#logger = logger;
    this.#take = take;
    this.#since = clock.monotonic();
    this.#again();
  }

  close(): void {
    this.#cancel?.();
  }

  #again(): void {
    this.#cancel = this.#clock.after(LOOK_MS, () => {
      this.#look();
      this.#again();
    });
  }

  #look(): void {
    const app = this.#take();
    const now = this.#clock.monotonic();
    const done = app.recordsIn + app.commits + app.globalTables.reduce((sum, { rows }) => sum + rows, 0);
    if (done !== this.#done || (app.state !== 'starting' && app.state !== 'running')) {
      this.#done = done;
      this.#since = now;
      this.#next = FIRST_MS;
      return;
    }
    const idle = now - this.#since;
    if (idle < this.#next) return;
    this.#next *= GROWTH;
    const reason = whyIdle(app);
    if (reason === undefined) return;
    const { applicationId } = app;
    const message = `no record was processed for ${Math.round(idle / 1000)} s: ${reason.message}`;
    this.#logger[reason.usual && this.#said ? 'info' : 'warn']({ applicationId }, message);
    this.#said ||= reason.usual;
  }
}

/** Describes why an application does nothing; `undefined` if it has done everything. */
export function whyIdle(app: AppSnapshot): Reason | undefined {
  const { lag, location, tasks, waitingFor } = app;
  if (waitingFor.length > 0) return { message: `it waits for ${waitingFor.join('; ')}`, usual: false };
  if (tasks.length === 0) {
    return { message: 'it has no task: other processes of the application have them all', usual: true };
  }
  const calling = tasks.filter(({ pendingAsync }) => pendingAsync > 0);
  if (calling.length > 0) return { message: `it waits for ${calls(calling)}`, usual: false };
  if (lag === undefined || lag > 0) return { message: unread(tasks), usual: false };
  if (tasks.every(({ inputs }) => inputs.every(({ end }) => end === 0))) {
    const topics = [...new Set(tasks.flatMap(({ inputs }) => inputs.map(({ topic }) => topic)))];
    const them = topics.length === 1 ? `topic ${topics[0]} is` : `topics ${topics.slice(0, 5).join(', ')} are`;
    return { message: `${them} empty on ${location}`, usual: true };
  }
  const windows = openWindows(tasks);
  return windows === undefined ? undefined : { message: `all records are read, and ${windows}`, usual: true };
}

/** Asynchronous calls that have not come back, by task: all records were taken, and none of these is done. */
function calls(tasks: readonly TaskSnapshot[]): string {
  const shown = tasks
    .slice(0, 3)
    .map(({ id, pendingAsync }) => `${counted(pendingAsync, 'asynchronous call')} of task ${id}`);
  const more = tasks.length > shown.length ? `, and those of ${tasks.length - shown.length} other tasks` : '';
  return `${shown.join(', ')}${more}`;
}

/** Describes where there are records that no task takes. */
function unread(tasks: readonly TaskSnapshot[]): string {
  const places = tasks.flatMap(({ inputs }) => inputs.filter(({ lag }) => lag === undefined || lag > 0));
  const shown = places.slice(0, 3).map(({ lag, partition, position, topic }) => {
    return `${lag ?? 'an unknown number of'} of ${topic}/${partition} from offset ${position}`;
  });
  const more = places.length > shown.length ? `, and of ${places.length - shown.length} other partitions` : '';
  return `there are records to read, ${shown.join(', ')}${more}, and no task takes them`;
}

/** Describes the windows that wait for later records, by store. */
function openWindows(tasks: readonly TaskSnapshot[]): string | undefined {
  const stores = new Map<string, { open: number; firstEnd: number }>();
  for (const { firstEnd = Number.POSITIVE_INFINITY, name, openWindows: open = 0 } of tasks.flatMap(
    (task) => task.stores,
  )) {
    if (open === 0) continue;
    const sum = stores.get(name) ?? { open: 0, firstEnd };
    stores.set(name, { open: sum.open + open, firstEnd: Math.min(sum.firstEnd, firstEnd) });
  }
  if (stores.size === 0) return undefined;
  return Array.from(stores, ([name, { firstEnd, open }]) => {
    const until = Number.isFinite(firstEnd) ? ` of ${timeOf(firstEnd)} or later, and its grace` : '';
    return `${open} ${open === 1 ? 'window' : 'windows'} of ${name} ${open === 1 ? 'waits' : 'wait'} for a record${until}`;
  }).join('; ');
}

/** Windows may end beyond the range of dates. */
function timeOf(ms: number): string {
  return Math.abs(ms) > 8.64e15 ? String(ms) : new Date(ms).toISOString();
}

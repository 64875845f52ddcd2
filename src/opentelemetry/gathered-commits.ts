import { type Cancel, type Clock, systemClock } from '../dataflow/clock.ts';
import type { CommitEvent } from '../runtime/app/channels.ts';
import type { TracedRecord } from '../runtime/task/traced-records.ts';

/** Links of a span: as many as an SDK keeps, unless its limits are changed. It would drop the oldest. */
const MOST_LINKS = 128;

/** Commits that come faster than this share their spans, in ms. */
const SHARED_FOR_MS = 250;

/** One commit, or several of the same topics that followed each other quickly. */
export interface GatheredCommit
  extends Pick<CommitEvent, 'committingAt' | 'durationMs' | 'error' | 'records' | 'startedAt' | 'topics' | 'traced'> {
  /** How many there were. `committingAt` and `durationMs` are those of the last. */
  readonly commits: number;
}

/** Commits of the same topics. */
interface Lane {
  /** When the last one was handed over, by the clock of the application, in ms. */
  endedAt: number;
  held: GatheredCommit | undefined;
}

/**
 * Commits, handed over at once while they are slow, and together while they are fast: the spans of a commit take an SDK longer than
 * the commit takes Millrace. A failed commit is never held.
 */
export class GatheredCommits {
  readonly #handOver: (commit: GatheredCommit) => void;
  readonly #clock: Clock;
  readonly #lanes = new Map<string, Lane>();
  #cancel: Cancel | undefined;

  constructor(handOver: (commit: GatheredCommit) => void, clock: Clock = systemClock) {
    this.#handOver = handOver;
    this.#clock = clock;
  }

  add(event: CommitEvent): void {
    // Nothing was read: the commit only has the effects of time, or where a start begins to read.
    if (event.records === 0 && event.error === undefined) return;
    const lane = this.#laneOf(event.topics);
    if (event.error !== undefined) {
      this.#flush(lane);
      this.#handOver({ ...event, traced: someOf(event.traced), commits: 1 });
      return;
    }
    lane.held =
      lane.held === undefined ? { ...event, traced: someOf(event.traced), commits: 1 } : together(lane.held, event);
    if (event.committingAt + event.durationMs - lane.endedAt >= SHARED_FOR_MS) this.#flush(lane);
    else this.#cancel ??= this.#clock.after(SHARED_FOR_MS, this.flush);
  }

  /** Hands over what is held. */
  readonly flush = (): void => {
    this.#cancel?.();
    this.#cancel = undefined;
    for (const lane of this.#lanes.values()) this.#flush(lane);
  };

  #flush(lane: Lane): void {
    const { held } = lane;
    if (held === undefined) return;
    lane.held = undefined;
    lane.endedAt = held.committingAt + held.durationMs;
    this.#handOver(held);
  }

  #laneOf(topics: readonly string[]): Lane {
    // Several topics have no name in common, whichever they are.
    const [name] = topics.length === 1 ? (topics as [string]) : [''];
    let lane = this.#lanes.get(name);
    if (lane === undefined) this.#lanes.set(name, (lane = { endedAt: Number.NEGATIVE_INFINITY, held: undefined }));
    return lane;
  }
}

/** At most as many as become links, spread evenly. */
function someOf(traced: readonly TracedRecord[]): readonly TracedRecord[] {
  if (traced.length <= MOST_LINKS) return traced;
  return Array.from(
    { length: MOST_LINKS },
    (_, at) => traced[Math.floor((at * traced.length) / MOST_LINKS)] as TracedRecord,
  );
}

function together(held: GatheredCommit, next: CommitEvent): GatheredCommit {
  return {
    ...next,
    startedAt: held.startedAt,
    records: held.records + next.records,
    traced: next.traced.length === 0 ? held.traced : someOf([...held.traced, ...next.traced]),
    commits: held.commits + 1,
  };
}

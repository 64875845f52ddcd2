import { type Click, people, wasOffline } from './clicks.ts';
import { STEPS, stepsTaken } from './funnel.ts';

const VISIT_ENDS_AFTER_MS = 30_000;

/** The expected results of the pipeline, computed without it. */
export interface Expected {
  /** Rows by `user minute`. */
  readonly minutes: ReadonlyMap<string, unknown>;
  /** Rows by `user first-click`. */
  readonly visits: ReadonlyMap<string, { readonly clicks: number; readonly steps: number }>;
  /** Visits by the step that they reached. */
  readonly funnel: ReadonlyMap<string, number>;
  /** Clicks that came too late for their minute. */
  readonly late: number;
}

export function expectedOf(clicks: readonly Click[]): Expected {
  const visits = expectedVisits(clicks);
  const funnel = new Map<string, number>();
  for (const [i, step] of STEPS.entries()) {
    funnel.set(step, [...visits.values()].filter(({ steps }) => steps > i).length);
  }
  return { ...expectedMinutes(clicks), visits, funnel };
}

function expectedMinutes(clicks: readonly Click[]): Pick<Expected, 'minutes' | 'late'> {
  const minutes = new Map<string, { name: string; minute: number; clicks: number }>();
  let late = 0;
  for (const click of clicks) {
    if (wasOffline(click)) {
      late += 1;
      continue;
    }
    const { userId } = click.value;
    const minute = Math.floor(click.timestamp / 60_000) * 60_000;
    const key = `${userId} ${minute}`;
    const row = minutes.get(key) ?? { name: people.get(userId)?.name ?? '', minute, clicks: 0 };
    row.clicks += 1;
    minutes.set(key, row);
  }
  return { minutes, late };
}

/** The clicks of each person in time order, split where nothing happens for longer than the gap. */
function expectedVisits(clicks: readonly Click[]): Map<string, { clicks: number; steps: number }> {
  const visits = new Map<string, { clicks: number; steps: number }>();
  for (const userId of people.keys()) {
    const own = clicks.filter(({ value }) => value.userId === userId).sort((a, b) => a.timestamp - b.timestamp);
    let first = 0;
    for (let i = 1; i <= own.length; i += 1) {
      const [before, next] = [own[i - 1], own[i]];
      if (before !== undefined && next !== undefined && next.timestamp - before.timestamp <= VISIT_ENDS_AFTER_MS)
        continue;
      const visit = own.slice(first, i);
      const [from, to] = [visit[0]?.timestamp, visit.at(-1)?.timestamp];
      const steps = stepsTaken(visit.map(({ value }) => value.url));
      visits.set(`${userId} ${from}`, { from, to, clicks: visit.length, steps } as { clicks: number; steps: number });
      first = i;
    }
  }
  return visits;
}

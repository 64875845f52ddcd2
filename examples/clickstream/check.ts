import { type ClickRecord, people, wasOffline } from './clicks.ts';

/** What the pipeline must have counted, computed without it: rows by `user minute`, and the clicks that came too late. */
export function expectedCounts(clicks: readonly ClickRecord[]): { rows: Map<string, unknown>; late: number } {
  const rows = new Map<string, { name: string; minute: number; clicks: number }>();
  let late = 0;
  for (const [position, click] of clicks.entries()) {
    if (wasOffline(click, position, clicks.length)) {
      late += 1;
      continue;
    }
    const { userId } = click.value;
    const minute = Math.floor(click.timestamp / 60_000) * 60_000;
    const key = `${userId} ${minute}`;
    const row = rows.get(key) ?? { name: people.get(userId)?.name ?? '', minute, clicks: 0 };
    row.clicks += 1;
    rows.set(key, row);
  }
  return { rows, late };
}

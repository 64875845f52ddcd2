import type { App, AppSnapshot } from 'millrace';
import { bar } from './chart.ts';
import { clockTime, grouped, paint, type Screen } from './terminal.ts';

/** Event time that the run goes through, for a progress bar. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** The state of a run in a few short lines. */
export function progressLines(screen: Screen, snapshot: AppSnapshot, rate: number, span: Span): string[] {
  const { streamTime, lag, openWindows, late, commits, lastCommitAgeMs, waitingFor } = snapshot;
  const share = streamTime === undefined ? 0 : (streamTime - span.from) / (span.to - span.from || 1);
  const room = Math.min(40, screen.width - 30);
  const gauge = paint(screen, 'cyan', bar(share, room).padEnd(room, '·'));
  const commit = lastCommitAgeMs === undefined ? '' : ` (${(lastCommitAgeMs / 1000).toFixed(1)} s ago)`;
  const lines = [
    `${grouped(Math.round(rate))} records/s   lag ${lag === undefined ? '–' : grouped(lag)}   open windows ${grouped(openWindows)}`,
    `late ${grouped(late)}   commits ${grouped(commits)}${commit}`,
  ];
  if (waitingFor.length > 0 && rate === 0) lines.push(`waiting for ${waitingFor.join(', ')}`);
  // A line that wraps would spoil the redrawing.
  return [`${gauge}  stream time ${clockTime(streamTime)}`, ...lines.map((line) => line.slice(0, screen.width))];
}

/** Shows how far publishing has come; only on a terminal. */
export function showFeeding(screen: Screen, total: number): { show(count: number): void; erase(): void } {
  const write = (text: string): void => {
    if (screen.live) process.stderr.write(`\r\u001b[0K${text}`);
  };
  return {
    show: (count) =>
      write(`publishing ${bar(count / total, 30).padEnd(30, '·')} ${grouped(count)} of ${grouped(total)}`),
    erase: () => write(''),
  };
}

/** What is left when a run is over. */
export interface RunResult {
  readonly snapshot: AppSnapshot;
  readonly seconds: number;
}

/**
 * Waits for the end of a run and shows how it goes: redrawn a few times a second on a terminal, a line every few
 * seconds elsewhere.
 */
export async function watch(app: App, screen: Screen, span: Span): Promise<RunResult> {
  const started = performance.now();
  let drawn = 0;
  let saidAt = started;
  let previous = { at: started, records: 0, rate: 0 };
  const out = process.stderr;
  const erase = (): void => {
    if (drawn > 0) out.write(`\u001b[${drawn}A\u001b[0J`);
    drawn = 0;
  };
  const subscription = app.snapshots('250ms').subscribe((snapshot) => {
    const now = performance.now();
    const measured = ((snapshot.recordsIn - previous.records) * 1000) / Math.max(1, now - previous.at);
    // Commits make single measurements jump; a rate that is read by people should not.
    const rate = previous.rate === 0 ? measured : previous.rate * 0.8 + measured * 0.2;
    previous = { at: now, records: snapshot.recordsIn, rate };
    const lines = progressLines(screen, snapshot, rate, span);
    if (screen.live) {
      erase();
      out.write(`${lines.join('\n')}\n`);
      drawn = lines.length;
    } else if (now - saidAt >= 5_000) {
      saidAt = now;
      out.write(`${lines.slice(1).join('   ')}   stream time ${clockTime(snapshot.streamTime)}\n`);
    }
  });
  try {
    await app.done;
  } finally {
    subscription.unsubscribe();
    erase();
  }
  return { snapshot: app.snapshot(), seconds: (performance.now() - started) / 1000 };
}

import { systemClock } from '../dataflow/clock.ts';
import { ConfigError } from '../errors.ts';
import type { Duration } from '../options/duration.ts';
import { checkMethods, checkNames, type OptionNames, show } from '../options/option-checks.ts';
import type { App } from '../runtime/app/app-handle.ts';
import type { AppSnapshot } from '../runtime/app/snapshot.ts';
import { clockTime, grouped, harmless, paint, type Screen, screenOf, type TerminalStream } from './terminal-stream.ts';

/** @public */
export interface WatchOptions {
  /** Where to write (default: `process.stderr`). */
  readonly stream?: TerminalStream;
  /** How often lines are redrawn on a terminal (default: `'250ms'`). */
  readonly every?: Duration;
  /** How often a line is written elsewhere (default: `'5s'`). */
  readonly lineEvery?: Duration;
  /** The range of event time that the run covers, in ms since the epoch; adds a progress bar. */
  readonly span?: { readonly from: number; readonly to: number };
}

const WATCH_OPTIONS: OptionNames<WatchOptions> = { stream: true, every: true, lineEvery: true, span: true };

/** The final figures of a watched application. @public */
export interface WatchResult {
  readonly snapshot: AppSnapshot;
  readonly seconds: number;
}

/**
 * Shows the progress of an application until it ends: rate, lag, open windows, late records, commits, and what it waits
 * for. On a terminal the lines are redrawn; elsewhere one line is written every few seconds.
 *
 * @returns The final figures, once it has ended. Rejects like `app.done`.
 * @throws ConfigError `ERR_OPTION`
 *
 * @example
 * ```ts
 * import { connect, memoryTransport, run, string, to, topic, watch } from 'millrace';
 *
 * const source = topic('in', { value: string(), partitions: 1 });
 * const transport = memoryTransport();
 * const client = await connect({ transport });
 * await client.publish(source, { value: 'a' });
 * const app = run(source.pipe(to(topic('out', { value: string() }))), { applicationId: 'copy', transport, until: 'end' });
 * const { snapshot } = await watch(app);
 * console.log(snapshot.recordsIn); // => 1
 * await client.close();
 * ```
 * @public
 */
export async function watch(app: App, options: WatchOptions = {}): Promise<WatchResult> {
  checkNames('watch', options, WATCH_OPTIONS);
  checkMethods('watch', 'stream', options.stream, ['write']);
  const { every = '250ms', lineEvery = '5s', stream = process.stderr, span } = options;
  if (span !== undefined && !(Number.isFinite(span.from) && Number.isFinite(span.to))) {
    throw new ConfigError('ERR_OPTION', `watch: span is ${show(span)}`, { hint: 'give { from, to } in epoch ms' });
  }
  const screen = screenOf(stream);
  const started = systemClock.monotonic();
  const rate = new Rate(started);
  const lines = screen.live ? new Redrawn(stream) : undefined;
  const subscription = app.snapshots(lines === undefined ? lineEvery : every).subscribe((snapshot) => {
    const perSecond = rate.next(snapshot.recordsIn, systemClock.monotonic());
    const shown = progressLines(screen, snapshot, perSecond, span);
    if (lines === undefined) stream.write(`${shown.join('   ')}\n`);
    else lines.draw(shown);
  });
  try {
    await app.done;
  } finally {
    subscription.unsubscribe();
    lines?.erase();
  }
  return { snapshot: app.snapshot(), seconds: (systemClock.monotonic() - started) / 1000 };
}

/** The state of a run in a few lines that are short enough not to wrap. */
export function progressLines(
  screen: Screen,
  snapshot: AppSnapshot,
  perSecond: number,
  span: WatchOptions['span'],
): string[] {
  const { commits, errors, lag, lastCommitAgeMs, late, openWindows, streamTime, waitingFor } = snapshot;
  const commit = lastCommitAgeMs === undefined ? '' : ` (${(lastCommitAgeMs / 1000).toFixed(1)} s ago)`;
  const failed = errors === 0 ? '' : `   failed ${grouped(errors)}`;
  const lines = [
    `${grouped(Math.round(perSecond))} records/s   lag ${lag === undefined ? '–' : grouped(lag)}   open windows ${grouped(openWindows)}`,
    `late ${grouped(late)}   commits ${grouped(commits)}${commit}${failed}`,
  ];
  if (waitingFor.length > 0 && perSecond < 1) lines.push(`waiting for ${harmless(waitingFor.join(', '))}`);
  const shown = screen.live ? lines.map((line) => line.slice(0, screen.width)) : lines;
  const time = `stream time ${clockTime(streamTime)}`;
  const room = Math.min(40, screen.width - time.length - 2);
  if (span === undefined || !screen.live || room < 4) return [...shown, time];
  const share = streamTime === undefined ? 0 : (streamTime - span.from) / (span.to - span.from || 1);
  return [`${paint(screen, 'cyan', bar(share, room).padEnd(room, '·'))}  ${time}`, ...shown];
}

const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'] as const;

/** A horizontal bar, exact to an eighth of a column. */
function bar(share: number, width: number): string {
  const eighths = Math.round(Math.min(1, Math.max(0, share)) * width * 8);
  return '█'.repeat(eighths >> 3) + EIGHTHS[eighths & 7];
}

/** Smoothed records per second: commits make single measurements jump, which would be hard to read. */
class Rate {
  #at: number;
  #records = 0;
  #rate = 0;

  constructor(at: number) {
    this.#at = at;
  }

  next(records: number, at: number): number {
    // Counters restart when tasks are rebuilt.
    const measured = (Math.max(0, records - this.#records) * 1000) / Math.max(1, at - this.#at);
    this.#rate = this.#rate === 0 ? measured : this.#rate * 0.8 + measured * 0.2;
    this.#at = at;
    this.#records = records;
    return this.#rate;
  }
}

/** Lines that replace the lines drawn before. */
class Redrawn {
  readonly #stream: TerminalStream;
  #drawn = 0;

  constructor(stream: TerminalStream) {
    this.#stream = stream;
  }

  draw(lines: readonly string[]): void {
    this.erase();
    this.#stream.write(`${lines.join('\n')}\n`);
    this.#drawn = lines.length;
  }

  erase(): void {
    if (this.#drawn > 0) this.#stream.write(`\u001b[${this.#drawn}A\u001b[0J`);
    this.#drawn = 0;
  }
}

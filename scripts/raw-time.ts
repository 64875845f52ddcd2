import type { Violation } from './imports.ts';

/** What tells the time, or waits, without a `Clock`. A microtask is no wait: it takes no time. */
const RAW =
  /\b(?:setTimeout|setInterval|setImmediate|clearTimeout|clearInterval|clearImmediate|Date\.now|performance\.now|process\.hrtime|process\.nextTick|Atomics\.wait)\b|\bnew Date\(\)|(?:from|import\()\s*'(?:node:)?timers(?:\/promises)?'/;

/** Files that may, and why. */
const MAY: Readonly<Record<string, string>> = {
  'dataflow/clock.ts': 'it is the clock',
  'dataflow/soon.ts': 'it is what the clock calls soon',
  'dataflow/keep-alive.ts': 'its timer never fires: it holds the process',
  'transports/kafka/lease.ts': 'two threads share these times, and each has an origin of its own for other clocks',
  'transports/kafka/kafkajs-internals.ts': 'a queue of kafkajs counts its throttle by the wall clock',
  'transports/embedded/open-lock.ts': 'at the end of the process it blocks the thread, whose timers fire no more',
  'runtime/app/process-watch.ts': 'it measures this process, and how late its timers are',
};

/** The rooms of programs, and of what watches a process for people: they are where time comes from. */
const PROGRAMS = ['cli/', 'dashboard/'];

/** Where a file of `src` tells the time past the clock that it is given. */
export function rawTime(file: string, source: string): Violation[] {
  if (
    /\.(?:test|test-d|prop\.test|fixtures)\.ts$/.test(file) ||
    PROGRAMS.some((room) => file.startsWith(room)) ||
    MAY[file] !== undefined
  )
    return [];
  return source.split('\n').flatMap((line, at): Violation[] => {
    const code = line.replace(/\/\/.*$|^\s*\*.*$|^\s*\/\*\*.*$/, '');
    const found = RAW.exec(code)?.[0];
    if (found === undefined) return [];
    return [
      {
        file,
        line: at + 1,
        text: `uses ${found}: time comes from a Clock (dataflow/clock.ts), so that tests can give another`,
      },
    ];
  });
}

/** Files that may, of which there must be a reason each. */
export const mayTellTime: readonly string[] = Object.keys(MAY);

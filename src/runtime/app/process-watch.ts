import type * as Hooks from 'node:perf_hooks';
import type { Metric } from '../../metrics/metric.ts';

/** A snapshot of the process. */
export interface ProcessSnapshot {
  readonly heapUsedBytes: number;
  readonly heapTotalBytes: number;
  readonly residentBytes: number;
  /** How late timers fire, over the last ten seconds or so, in ms. */
  readonly loopDelayP50Ms: number;
  readonly loopDelayP99Ms: number;
  readonly loopDelayMaxMs: number;
  /** Counted since the process is watched. */
  readonly gcCount: number;
  readonly gcMs: number;
}

/** The period over which event-loop delays are measured, in ms. */
const WINDOW_MS = 10_000;
/** How often the loop is sampled, in ms; the delay is what comes on top. */
const RESOLUTION_MS = 20;

/**
 * Watches the event loop, the heap and garbage collection from its creation until it is closed. It does not keep the
 * process alive. Without Node there is nothing to watch.
 */
export class ProcessWatch {
  #loop: Hooks.IntervalHistogram | undefined;
  #loopSince = 0;
  readonly #observer: Hooks.PerformanceObserver | undefined;
  #gcCount = 0;
  #gcMs = 0;

  constructor() {
    const hooks = nodeHooks();
    if (hooks === undefined) return;
    this.#loop = hooks.monitorEventLoopDelay({ resolution: RESOLUTION_MS });
    this.#loop.enable();
    this.#loopSince = performance.now();
    this.#observer = new hooks.PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) {
        this.#gcCount += 1;
        this.#gcMs += duration;
      }
    });
    this.#observer.observe({ entryTypes: ['gc'] });
  }

  snapshot(): ProcessSnapshot | undefined {
    const loop = this.#loop;
    if (loop === undefined) return undefined;
    const { heapTotal, heapUsed, rss } = process.memoryUsage();
    const delay = (ns: number): number => Math.max(0, ns / 1e6 - RESOLUTION_MS);
    const snapshot = {
      heapUsedBytes: heapUsed,
      heapTotalBytes: heapTotal,
      residentBytes: rss,
      loopDelayP50Ms: delay(loop.percentile(50)),
      loopDelayP99Ms: delay(loop.percentile(99)),
      loopDelayMaxMs: loop.count === 0 ? 0 : delay(loop.max),
      gcCount: this.#gcCount,
      gcMs: this.#gcMs,
    };
    if (performance.now() - this.#loopSince > WINDOW_MS) {
      loop.reset();
      this.#loopSince = performance.now();
    }
    return snapshot;
  }

  close(): void {
    this.#loop?.disable();
    this.#observer?.disconnect();
    this.#loop = undefined;
  }
}

/** Metrics of the process, labelled with the application. */
export function processMetrics(snapshot: ProcessSnapshot | undefined, applicationId: string): Metric[] {
  if (snapshot === undefined) return [];
  const labels = { application: applicationId };
  const one = (name: string, help: string, value: number, type: Metric['type'] = 'gauge'): Metric => {
    return { name: `millrace_${name}`, help, type, samples: [{ labels, value }] };
  };
  const delays = [
    ['0.5', snapshot.loopDelayP50Ms],
    ['0.99', snapshot.loopDelayP99Ms],
    ['1', snapshot.loopDelayMaxMs],
  ] as const;
  return [
    one('heap_used_bytes', 'Bytes in use of the JavaScript heap.', snapshot.heapUsedBytes),
    one('heap_total_bytes', 'Bytes of the JavaScript heap.', snapshot.heapTotalBytes),
    one('resident_memory_bytes', 'Resident memory of the process.', snapshot.residentBytes),
    {
      name: 'millrace_event_loop_delay_seconds',
      help: 'How late timers fire, over the last ten seconds or so.',
      type: 'gauge',
      samples: delays.map(([quantile, ms]) => ({ labels: { ...labels, quantile }, value: ms / 1000 })),
    },
    one('gc_total', 'Garbage collections since metrics were first asked for.', snapshot.gcCount, 'counter'),
    one('gc_seconds_total', 'Time spent in them.', snapshot.gcMs / 1000, 'counter'),
  ];
}

/** Loaded on demand, so that it costs nothing otherwise. */
function nodeHooks(): typeof Hooks | undefined {
  return typeof process === 'undefined' ? undefined : process.getBuiltinModule?.('node:perf_hooks');
}

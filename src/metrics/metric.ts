/** A histogram: how many values were at most so large. @public */
export interface HistogramValue {
  readonly count: number;
  readonly sum: number;
  /** By ascending limits, each with all below it. What is above the last one is only in `count`. */
  readonly buckets: readonly { readonly upTo: number; readonly count: number }[];
}

/** One value of a metric. @public */
export interface MetricSample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number | HistogramValue;
}

/**
 * A metric with all its values: what every exporter reads. Times and durations are in seconds, sizes in bytes, and counters
 * only ever grow while the process lives, as Prometheus wants it.
 *
 * @public
 */
export interface Metric {
  /** Such as `millrace_step_records_in_total`. */
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly samples: readonly MetricSample[];
}

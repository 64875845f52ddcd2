/** A histogram: how many values are at or below each limit. @public */
export interface HistogramValue {
  readonly count: number;
  readonly sum: number;
  /** Cumulative counts by ascending limit. Values above the last limit are only in `count`. */
  readonly buckets: readonly { readonly upTo: number; readonly count: number }[];
}

/** One value of a metric. @public */
export interface MetricSample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number | HistogramValue;
}

/**
 * A metric with all its values, for exporters. Following Prometheus, times and durations are in seconds, sizes in
 * bytes, and counters only grow while the process lives.
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

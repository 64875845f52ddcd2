import type { Attributes, BatchObservableResult, Histogram, Meter, Observable } from '@opentelemetry/api';
import type { Metric, MetricSample } from '../metrics/metric.ts';
import type { App } from '../runtime/app/app-handle.ts';

/** Attributes of the messaging conventions that are the same for a whole application. */
export interface AppAttributes extends Attributes {
  readonly 'messaging.system': string;
  readonly 'messaging.consumer.group.name': string;
}

/** An observable instrument and the callback that provides its values. */
interface Observed {
  readonly instrument: Observable;
  observe(result: BatchObservableResult, metrics: ReadonlyMap<string, Metric>): void;
}

/**
 * Registers the metrics of an application with a meter. When metrics are collected, one snapshot provides all values.
 *
 * @param before - Called before that.
 * @returns a function that unregisters them.
 */
export function observeMetrics(app: App, meter: Meter, of: () => AppAttributes, before: () => void): () => void {
  const observed = [
    ...app.metrics().flatMap(({ help, name, type }) => (type === 'histogram' ? [] : [own(meter, name, help, type)])),
    ...messages(app, meter, of),
  ];
  const look = (result: BatchObservableResult): void => {
    before();
    const metrics = new Map(app.metrics().map((metric) => [metric.name, metric]));
    for (const each of observed) each.observe(result, metrics);
  };
  const instruments = observed.map(({ instrument }) => instrument);
  meter.addBatchObservableCallback(look, instruments);
  return () => meter.removeBatchObservableCallback(look, instruments);
}

/** An instrument whose name Prometheus exporters turn into the name that `prometheusText` uses. */
function own(meter: Meter, name: string, description: string, type: 'counter' | 'gauge'): Observed {
  const unit = unitOf(name);
  const [as, options] = [instrumentName(name), { description, ...(unit === undefined ? {} : { unit }) }];
  const instrument =
    type === 'counter' ? meter.createObservableCounter(as, options) : meter.createObservableGauge(as, options);
  return {
    instrument,
    observe: (result, metrics) => {
      for (const { labels, value } of metrics.get(name)?.samples ?? []) {
        if (typeof value === 'number') result.observe(instrument, value, labels);
      }
    },
  };
}

/** `millrace_step_records_in_total` as `millrace.step_records_in`. */
function instrumentName(name: string): string {
  return name.replace(/^millrace_/, 'millrace.').replace(/_total$/, '');
}

/** What is counted has none: with `1` a gauge is taken for a ratio, and called so. */
function unitOf(name: string): string | undefined {
  if (/_seconds(?:_total)?$/.test(name)) return 's';
  return name.endsWith('_bytes') ? 'By' : undefined;
}

/** The counters of the messaging conventions: messages received from and sent to each topic. */
function messages(app: App, meter: Meter, of: () => AppAttributes): readonly Observed[] {
  const counted = (kind: 'source' | 'sink', name: string, description: string, operation: string): Observed => {
    const instrument = meter.createObservableCounter(name, { description, unit: '{message}' });
    const steps = topicsOfSteps(app, kind);
    return {
      instrument,
      observe: (result, metrics) => {
        for (const [topic, value] of sums(
          metrics.get(`millrace_step_records_${kind === 'source' ? 'in' : 'out'}_total`),
          steps,
        )) {
          result.observe(instrument, value, { ...of(), 'messaging.operation.name': operation, ...destination(topic) });
        }
      },
    };
  };
  return [
    counted('source', 'messaging.client.consumed.messages', 'Records that were read of a topic.', 'poll'),
    counted('sink', 'messaging.client.sent.messages', 'Records that were written to a topic.', 'send'),
  ];
}

/** Where the records of a step that may write to several topics go: how many to which is not counted. */
const SEVERAL = '';

/** A pattern of topics is a template of their names: no name of a topic begins so. */
function destination(topic: string): Attributes {
  if (topic === SEVERAL) return {};
  return { [topic.startsWith('/') ? 'messaging.destination.template' : 'messaging.destination.name']: topic };
}

/**
 * Ids of steps with the topic that they read or write. For a topic that is read in several places, only one step
 * counts.
 */
function topicsOfSteps(app: App, kind: 'source' | 'sink'): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  const read = new Set<string>();
  for (const { steps } of app.graph.stages) {
    for (const step of steps) {
      const wanted =
        kind === 'sink'
          ? step.kind === 'sink' || step.kind === 'through'
          : step.kind === 'source' || step.kind === 'table';
      const topic = step.topics.length > 1 ? SEVERAL : step.topics[0];
      if (!wanted || topic === undefined || (kind === 'source' && read.has(topic))) continue;
      read.add(topic);
      found.set(String(step.id), topic);
    }
  }
  return found;
}

function sums(metric: Metric | undefined, steps: ReadonlyMap<string, string>): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  for (const { labels, value } of metric?.samples ?? ([] as readonly MetricSample[])) {
    const topic = steps.get(labels['id'] ?? '');
    if (topic !== undefined && typeof value === 'number') found.set(topic, (found.get(topic) ?? 0) + value);
  }
  return found;
}

/** Histograms that are recorded as events happen. */
export interface Durations {
  readonly turns: Histogram;
  readonly fetches: Histogram;
  readonly commits: Histogram;
  readonly recordToCommit: Histogram;
  /** Messaging conventions: the duration of a call to the log. */
  readonly operations: Histogram;
  /** Messaging conventions: the duration of processing records. */
  readonly processing: Histogram;
}

export function durations(app: App, meter: Meter): Durations {
  const metrics = new Map(app.metrics().map((metric) => [metric.name, metric]));
  const boundaries = boundariesOf(metrics.get('millrace_commit_duration_seconds'));
  const histogram = (name: string, description: string): Histogram =>
    meter.createHistogram(name, { description, unit: 's', advice: { explicitBucketBoundaries: [...boundaries] } });
  const like = (name: string): Histogram => histogram(instrumentName(name), metrics.get(name)?.help ?? '');
  return {
    turns: like('millrace_turn_duration_seconds'),
    fetches: like('millrace_fetch_duration_seconds'),
    commits: like('millrace_commit_duration_seconds'),
    recordToCommit: like('millrace_record_to_commit_seconds'),
    operations: histogram('messaging.client.operation.duration', 'How long a call to the log takes.'),
    processing: histogram('messaging.process.duration', 'How long the process is busy with records at a stretch.'),
  };
}

function boundariesOf(metric: Metric | undefined): readonly number[] {
  const value = metric?.samples[0]?.value;
  return typeof value === 'object' ? value.buckets.map(({ upTo }) => upTo) : [];
}

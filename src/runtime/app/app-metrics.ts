import type { HistogramValue, Metric, MetricSample } from '../../metrics/metric.ts';
import type { TimingSnapshot } from '../../metrics/timing.ts';
import { ProcessWatch, processMetrics } from './process-watch.ts';
import type { AppSnapshot, AppState, InputSnapshot, TaskSnapshot } from './snapshot.ts';
import type { StepSnapshot } from './step-snapshots.ts';

const STATES: readonly AppState[] = ['starting', 'running', 'stopping', 'stopped', 'failed'];

/** Provides the metrics of an application. The process is watched from the first call until the application ends. */
export class MetricsExporter {
  readonly #take: () => AppSnapshot;
  #watch: ProcessWatch | undefined;
  #closed = false;

  constructor(take: () => AppSnapshot) {
    this.#take = take;
  }

  metrics(): Metric[] {
    if (!this.#closed) this.#watch ??= new ProcessWatch();
    const snapshot = this.#take();
    return [...metricsOf(snapshot), ...processMetrics(this.#watch?.snapshot(), snapshot.applicationId)];
  }

  close(): void {
    this.#closed = true;
    this.#watch?.close();
  }
}

/** The metrics of an application. Nothing is measured here; everything comes from the snapshot. */
function metricsOf(app: AppSnapshot): Metric[] {
  const of = { application: app.applicationId };
  return [...applicationMetrics(app, of), ...timingMetrics(app, of), ...stepMetrics(app, of), ...taskMetrics(app, of)];
}

type Labels = MetricSample['labels'];

function applicationMetrics(app: AppSnapshot, of: Labels): Metric[] {
  const gauge = (name: string, help: string, value: number | undefined): Metric =>
    metric('gauge', name, help, value === undefined ? [] : [{ labels: of, value }]);
  const counter = (name: string, help: string, value: number): Metric =>
    metric('counter', name, help, [{ labels: of, value }]);
  return [
    metric('gauge', 'info', 'What the application is: always 1.', [
      { labels: { ...of, kind: app.kind, guarantee: app.guarantee }, value: 1 },
    ]),
    metric(
      'gauge',
      'state',
      'Where the application stands: 1 for its state, 0 for the others.',
      STATES.map((state) => ({ labels: { ...of, state }, value: app.state === state ? 1 : 0 })),
    ),
    gauge('uptime_seconds', 'Time since the application was started.', app.uptimeMs / 1000),
    gauge(
      'waiting_reasons',
      'What keeps the application from progressing; snapshot().waitingFor says it in words.',
      app.waitingFor.length,
    ),
    counter('restarts_total', 'Times that the tasks were rebuilt from the last commit.', app.restarts),
    gauge('tasks', 'Tasks that this process has.', app.tasks.length),
    counter('commits_total', 'Commits.', app.commits),
    gauge('last_commit_age_seconds', 'Time since the last commit.', seconds(app.lastCommitAgeMs)),
    metric(
      'gauge',
      'global_table_rows',
      'Rows of a global table.',
      app.globalTables.map(({ name, rows }) => ({ labels: { ...of, table: name }, value: rows })),
    ),
  ];
}

function timingMetrics({ timings }: AppSnapshot, of: Labels): Metric[] {
  const { commits, fetches, recordToCommit, turns } = timings;
  const timing = (name: string, help: string, value: TimingSnapshot): Metric =>
    metric('histogram', name, help, [{ labels: of, value: histogram(value) }]);
  return [
    timing('commit_duration_seconds', 'Time that a commit took.', commits),
    timing('turn_duration_seconds', 'Time that the process was busy with records at a stretch.', turns),
    timing('fetch_duration_seconds', 'Time until records had come from the log.', fetches),
    timing(
      'record_to_commit_seconds',
      'From the timestamp of the newest record of a partition to the commit that covers it.',
      recordToCommit,
    ),
  ];
}

function stepMetrics({ steps }: AppSnapshot, of: Labels): Metric[] {
  const counter = (name: string, help: string, value: (step: StepSnapshot) => number | undefined): Metric =>
    metric(
      'counter',
      name,
      help,
      steps.flatMap((step): MetricSample[] => {
        const count = value(step);
        const labels = { ...of, stage: step.stage, step: step.step, id: String(step.id) };
        return count === undefined ? [] : [{ labels, value: count }];
      }),
    );
  return [
    counter('step_records_in_total', 'Records that reached a step.', ({ recordsIn }) => recordsIn),
    counter('step_records_out_total', 'Records that a step handed on, or wrote.', ({ recordsOut }) => recordsOut),
    counter('step_late_total', '(record, window) pairs that came too late.', ({ late }) => late),
    counter('step_dropped_total', 'Records left out for a null key or value.', ({ dropped }) => dropped),
    counter('step_failed_total', 'Records that failed in a step.', ({ failed }) => failed),
    counter('step_dead_letters_total', 'Records that a step sent to a dead-letter topic.', (step) => step.deadLettered),
  ];
}

function taskMetrics({ tasks }: AppSnapshot, of: Labels): Metric[] {
  const ofTask = (name: string, help: string, value: (task: TaskSnapshot) => number | undefined): Metric =>
    metric(
      'gauge',
      name,
      help,
      tasks.flatMap((task) => some({ ...of, stage: task.stage, partition: String(task.partition) }, value(task))),
    );
  const ofInput = (name: string, help: string, value: (input: InputSnapshot) => number | undefined): Metric =>
    metric(
      'gauge',
      name,
      help,
      tasks.flatMap(({ inputs }) =>
        inputs.flatMap((input) => {
          return some({ ...of, topic: input.topic, partition: String(input.partition) }, value(input));
        }),
      ),
    );
  return [
    ofInput('source_position', 'Offset of the next record to process.', ({ position }) => position),
    ofInput('source_end', 'Offset after the last readable record.', ({ end }) => end),
    ofInput('source_lag_records', 'Records that wait.', ({ lag }) => lag),
    ofInput('source_lag_seconds', 'Age of the newest record processed, while others wait.', (input) =>
      seconds(input.lagMs),
    ),
    ofInput('source_stream_time_seconds', 'Highest timestamp read.', ({ streamTime }) => timeOf(streamTime)),
    ofTask('task_stream_time_seconds', 'Highest timestamp that a task has read.', ({ streamTime }) =>
      timeOf(streamTime),
    ),
    ofTask('task_open_windows', 'Windows that are open.', ({ openWindows }) => openWindows),
    ofTask('task_pending_async', 'Asynchronous calls under way.', ({ pendingAsync }) => pendingAsync),
    ofTask('task_busy_seconds', 'Time spent in turns since the task was built.', ({ turnMs }) => turnMs / 1000),
    ofTask('task_skipped', 'Records left out by policy since the task was built.', ({ skipped }) => skipped),
  ];
}

function metric(type: Metric['type'], name: string, help: string, samples: readonly MetricSample[]): Metric {
  return { name: `millrace_${name}`, help, type, samples };
}

function some(labels: Labels, value: number | undefined): MetricSample[] {
  return value === undefined ? [] : [{ labels, value }];
}

function seconds(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : ms / 1000;
}

function timeOf(ms: number | undefined): number | undefined {
  return ms === undefined || ms < 0 ? undefined : ms / 1000;
}

function histogram({ buckets, count, sumMs }: TimingSnapshot): HistogramValue {
  return { count, sum: sumMs / 1000, buckets: buckets.map(({ count, upToMs }) => ({ upTo: upToMs / 1000, count })) };
}

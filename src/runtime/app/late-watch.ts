import type { Cancel, Clock } from '../../dataflow/clock.ts';
import { type Logger, noLogger } from '../../log/logger.ts';
import { formatMs } from '../../options/duration.ts';
import type { Stage } from '../../plan/stages.ts';
import type { Lateness, StreamRecord } from '../../record.ts';
import type { Task } from '../task/task.ts';
import type { AppOptions } from './app-options.ts';

/** More than one late record in this many is too many. */
const ONE_IN = 1000;
/** The observation period, and the shortest time between two warnings about a step. */
const MINUTE_MS = 60_000;
/** The first warning waits this long for a fuller picture. */
const GATHER_MS = 3000;
/** For how many late records their lateness is kept. */
const SAMPLES = 64;

/** The late records of one step since the last warning. */
interface LateStep {
  readonly step: string;
  readonly stage: Stage;
  /** Late records of the previous minute, and of this one. */
  before: number;
  now: number;
  /** How long after the end of its window the latest one arrived, in stream time. */
  worstMs: number;
  /** Ring buffer of the lateness of recent late records. */
  readonly samples: Float64Array;
  sampled: number;
  streamTime: number;
  /** Monotonic time of the last warning; −∞ before the first. */
  saidAt: number;
  /** Records that the stage had taken at the last warning. */
  base: number;
}

/** The counters of an application's tasks. */
type CountedTasks = ReadonlyMap<string, Pick<Task, 'stage' | 'counters'>>;

/** Records that a stage had taken at the start of the previous minute and of this one. */
interface Marks {
  before: number;
  now: number;
}

/**
 * Warns if more than one record in a thousand is late, at most once per minute and step. Records in time cost nothing:
 * their number is read from the counters of the tasks once per minute.
 */
export class LateWatch {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #applicationId: string;
  readonly #tasks: CountedTasks;
  /** Topics that stages of this application write. */
  readonly #written: ReadonlySet<string>;
  readonly #steps = new Map<string, LateStep>();
  readonly #marks: Map<Stage, Marks>;
  #cancelMinute: Cancel;
  #cancelLook: Cancel | undefined;

  constructor(
    clock: Clock,
    { applicationId, logger = noLogger }: Pick<AppOptions, 'applicationId' | 'logger'>,
    stages: readonly Stage[],
    tasks: CountedTasks,
  ) {
    this.#clock = clock;
    this.#logger = logger;
    this.#applicationId = applicationId;
    this.#tasks = tasks;
    this.#written = new Set(stages.flatMap(({ outputs }) => outputs.map(({ name }) => name)));
    this.#marks = new Map(stages.map((stage) => [stage, { before: 0, now: 0 }]));
    this.#cancelMinute = clock.after(MINUTE_MS, () => this.#nextMinute());
  }

  /** A record was too late for some of its windows. */
  late({ timestamp }: StreamRecord<unknown, unknown>, { missed, step, streamTime }: Lateness, stage: Stage): void {
    const late = this.#step(step, stage);
    // A grace of that much would have accepted the record.
    const lateMs = streamTime - (missed[0]?.end ?? timestamp);
    late.now += 1;
    if (lateMs > late.worstMs) late.worstMs = lateMs;
    if (streamTime > late.streamTime) late.streamTime = streamTime;
    late.samples[late.sampled % SAMPLES] = lateMs;
    late.sampled += 1;
    this.#cancelLook ??= this.#clock.after(GATHER_MS, () => this.#look());
  }

  #nextMinute(): void {
    for (const [stage, marks] of this.#marks) {
      marks.before = marks.now;
      marks.now = this.#taken(stage);
    }
    for (const late of this.#steps.values()) {
      late.before = late.now;
      late.now = 0;
    }
    this.#cancelMinute = this.#clock.after(MINUTE_MS, () => this.#nextMinute());
  }

  /** Writes pending warnings. */
  close(): void {
    this.#cancelMinute();
    this.#cancelLook?.();
    for (const late of this.#steps.values()) this.#judge(late);
  }

  #taken(stage: Stage): number {
    let sum = 0;
    for (const task of this.#tasks.values()) if (task.stage === stage) sum += task.counters.recordsIn;
    return sum;
  }

  #step(step: string, stage: Stage): LateStep {
    let late = this.#steps.get(step);
    if (late === undefined) {
      late = {
        step,
        stage,
        before: 0,
        now: 0,
        worstMs: 0,
        samples: new Float64Array(SAMPLES),
        sampled: 0,
        streamTime: -1,
        saidAt: Number.NEGATIVE_INFINITY,
        base: 0,
      };
      this.#steps.set(step, late);
    }
    return late;
  }

  #look(): void {
    this.#cancelLook = undefined;
    const now = this.#clock.monotonic();
    let open = false;
    for (const late of this.#steps.values()) {
      if (now - late.saidAt >= MINUTE_MS) this.#judge(late);
      open ||= late.now + late.before > 0;
    }
    if (open) this.#cancelLook = this.#clock.after(GATHER_MS, () => this.#look());
  }

  #judge(late: LateStep): void {
    const count = late.before + late.now;
    if (count === 0) return;
    const taken = this.#taken(late.stage);
    const { before = 0 } = this.#marks.get(late.stage) ?? {};
    // The counters of tasks that moved away are gone.
    const records = Math.max(count, taken - Math.max(before, late.base));
    if (count * ONE_IN <= records) return;
    this.#say(late, count, records);
    late.before = 0;
    late.now = 0;
    late.worstMs = 0;
    late.sampled = 0;
    late.base = taken;
    late.saidAt = this.#clock.monotonic();
  }

  #say({ sampled, samples, stage, step, streamTime, worstMs }: LateStep, late: number, records: number): void {
    const known = samples.slice(0, Math.min(sampled, SAMPLES)).sort();
    const typicalMs = known[known.length >> 1] ?? 0;
    const share = late / records;
    const percent = share >= 0.1 ? Math.round(share * 100) : Number((share * 100).toPrecision(2));
    this.#logger.warn(
      {
        applicationId: this.#applicationId,
        stage: stage.name,
        step,
        late,
        records,
        share,
        highestMs: worstMs,
        typicalMs,
        streamTime,
      },
      `${late} of ${records} records (${percent} %) came too late for their windows in ${step}: typically ${about(typicalMs)} after the ` +
        `end of the window, ${about(worstMs)} at most; stream time is ${new Date(streamTime).toISOString()}. ` +
        this.#reason(stage, worstMs),
    );
  }

  #reason({ inputs }: Stage, worstMs: number): string {
    const shuffles = inputs.map(({ name }) => name).filter((name) => this.#written.has(name));
    const grace = `a grace above ${about(worstMs)} would have let them in`;
    if (shuffles.length > 0) {
      return (
        `Several tasks write to ${shuffles.join(', ')}: while they catch up on a backlog, one that is ahead of the others in event ` +
        `time makes their records late. The records may also be out of order in the first place; ${grace}`
      );
    }
    return (
      `The records of ${inputs.map(({ name }) => name).join(', ')} are out of order by more than the grace, or one of several ` +
      `producers or partitions upstream is ahead of the others in event time; ${grace}`
    );
  }
}

/** A duration for people: two digits of its largest unit. */
function about(ms: number): string {
  for (const [unitMs, unit] of [
    [86_400_000, 'd'],
    [3_600_000, 'h'],
    [60_000, 'm'],
    [1000, 's'],
  ] as const) {
    if (ms >= unitMs) return `${Number((ms / unitMs).toPrecision(2))}${unit}`;
  }
  return formatMs(Math.round(ms));
}

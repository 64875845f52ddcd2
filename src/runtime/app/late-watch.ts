import type { Cancel, Clock } from '../../dataflow/clock.ts';
import { type Logger, noLogger } from '../../log/logger.ts';
import { formatMs } from '../../options/duration.ts';
import type { Stage } from '../../plan/stages.ts';
import type { Lateness, StreamRecord } from '../../record.ts';
import type { Task } from '../task/task.ts';
import type { AppOptions } from './app-options.ts';

/** More than one record in so many is too many. */
const ONE_IN = 1000;
/** What is looked back upon, and the least time between two warnings about a step. */
const MINUTE_MS = 60_000;
/** A first warning waits for a fuller picture. */
const GATHER_MS = 3000;
/** Of so many late records it is known how late they were. */
const SAMPLES = 64;

/** What is late of one step, since it was last said. */
interface LateStep {
  readonly step: string;
  readonly stage: Stage;
  /** Late records of the minute before, and of this one. */
  before: number;
  now: number;
  /** How long after its window's end the latest one came, in stream time. */
  worstMs: number;
  /** Of the last late records, by turns. */
  readonly samples: Float64Array;
  sampled: number;
  streamTime: number;
  /** Monotonic; −∞ before it was said. */
  saidAt: number;
  /** Records that the stage had taken when it was said. */
  base: number;
}

/** The tasks of an application, as far as they are counted here. */
type CountedTasks = ReadonlyMap<string, Pick<Task, 'stage' | 'counters'>>;

/** Records that a stage has taken, at the beginning of the minute before and of this one. */
interface Marks {
  before: number;
  now: number;
}

/**
 * Says at warn level when more than one record in a thousand is late, once a minute and step at most. Records that come in
 * time cost nothing: how many there were is read from the counters of the tasks, once a minute.
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

  /** A record came too late for some of its windows. */
  late({ timestamp }: StreamRecord<unknown, unknown>, { missed, step, streamTime }: Lateness, stage: Stage): void {
    const late = this.#step(step, stage);
    // A grace of that much would have let the record in.
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

  /** Says what has not been said. */
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
    // Tasks that were given away take their counters along.
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

/** A length of time as people say it: two digits of its largest unit. */
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

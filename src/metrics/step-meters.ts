/** Sees records as they reach a step. */
export type Look = (record: unknown) => void;

/** What has come into a step by one of its inputs. */
export class InputMeter {
  /** The step that it came from; `undefined` where that is not a step of ours. */
  readonly from: object | undefined;
  records = 0;
  /** Whether the next record is to be shown to {@link show}; a field, as it is looked at for each record. */
  wanted = false;
  #look: Look | undefined;

  constructor(from: object | undefined) {
    this.from = from;
  }

  /** The next record is shown to `look`, and no other one after it. */
  peek(look: Look): void {
    this.#look = look;
    this.wanted = true;
  }

  unpeek(): void {
    this.#look = undefined;
    this.wanted = false;
  }

  show(record: unknown): void {
    const look = this.#look;
    this.unpeek();
    look?.(record);
  }
}

/** Counts records that fail. */
export interface FailureMeter {
  failed: number;
  deadLettered: number;
}

/** What has happened in a step, in all tasks of a process. Plain numbers that the tasks raise. */
export class StepMeter implements FailureMeter {
  /** By the index of the input. */
  readonly inputs: InputMeter[] = [];
  /** Records that a sink has written. */
  written = 0;
  late = 0;
  dropped = 0;
  /** Records that failed in it. */
  failed = 0;
  deadLettered = 0;
}

/** What was read of a topic. */
export class TopicMeter implements FailureMeter {
  records = 0;
  failed = 0;
  deadLettered = 0;
}

/**
 * The meters of an application: one for each step and each topic that is read, which all its tasks share. So they go on
 * counting when tasks are rebuilt or go to another process.
 */
export class StepMeters {
  readonly #steps = new Map<object, StepMeter>();
  readonly #topics = new Map<string, TopicMeter>();

  /** @param step - Stands for the step in every plan of its pipeline. */
  of(step: object): StepMeter {
    let meter = this.#steps.get(step);
    if (meter === undefined) {
      meter = new StepMeter();
      this.#steps.set(step, meter);
    }
    return meter;
  }

  /** @param from - The step above. */
  input(step: object, index: number, from: object | undefined): InputMeter {
    const { inputs } = this.of(step);
    return (inputs[index] ??= new InputMeter(from));
  }

  /** Those of the topics that are read. */
  topics(): ReadonlyMap<string, TopicMeter> {
    return this.#topics;
  }

  topic(name: string): TopicMeter {
    let meter = this.#topics.get(name);
    if (meter === undefined) {
      meter = new TopicMeter();
      this.#topics.set(name, meter);
    }
    return meter;
  }
}

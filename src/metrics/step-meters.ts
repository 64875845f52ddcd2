/** Called with a record that reaches a step. */
export type Look = (record: unknown) => void;

/** Counts the records that reach a step through one of its inputs. */
export class InputMeter {
  /** The step above; `undefined` if it is not a Millrace step. */
  readonly from: object | undefined;
  records = 0;
  /** Whether to pass the next record to {@link show}. It is a field because it is checked for each record. */
  wanted = false;
  #look: Look | undefined;

  constructor(from: object | undefined) {
    this.from = from;
  }

  /** Passes only the next record to `look`. */
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

/** Counters of a step over all tasks of a process: plain numbers that the tasks increment. */
export class StepMeter implements FailureMeter {
  /** By input index. */
  readonly inputs: InputMeter[] = [];
  /** Records that a sink has written. */
  written = 0;
  late = 0;
  dropped = 0;
  /** Records that failed in it. */
  failed = 0;
  deadLettered = 0;
}

/** Counters of a topic that is read. */
export class TopicMeter implements FailureMeter {
  records = 0;
  failed = 0;
  deadLettered = 0;
}

/**
 * The meters of an application: one for each step and each topic that is read, shared by all its tasks. So they keep
 * counting when tasks are rebuilt or move to another process.
 */
export class StepMeters {
  readonly #steps = new Map<object, StepMeter>();
  readonly #topics = new Map<string, TopicMeter>();

  /** @param step - Identifies the step in every plan of its pipeline. */
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

  /** The meters of the topics that are read. */
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

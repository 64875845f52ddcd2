import { noLogger } from '../../log/logger.ts';
import type { Transport } from '../../log/transport.ts';
import { counted } from '../../options/counted.ts';
import { taskSpecs } from '../../plan/assignment.ts';
import type { Stage } from '../../plan/stages.ts';
import type { Task } from '../task/task.ts';
import type { AppOptions } from './app-options.ts';
import type { AppTopics } from './app-topics.ts';
import type { Engine } from './engine.ts';

/**
 * Decides when `until: 'end'` is reached: topics that only others write must be read to their end at the start, and
 * topics that the application itself writes must be read to their current end. Stages end in the order of their topics,
 * so that the next stage processes what one emits at its end.
 *
 * If several processes share the tasks, windows are closed by a process that has all of them, because another one may
 * still write to a topic that this one has read to the end. A process that has read everything leaves its tasks to the
 * others, except for the one with the first task, which waits until the others have left.
 *
 * If windows are kept, each process ends its own tasks, once those of others that write for them have read everything too. A task that
 * has ended takes no more records. If others write more for it all the same, the process leaves it to them in the same way, or runs
 * anew when it has all tasks itself.
 */
export class BoundedRun {
  readonly #transport: Transport;
  readonly #options: AppOptions;
  readonly #order: readonly Stage[];
  readonly #written: ReadonlySet<string>;
  readonly #ends = new Map<string, ReadonlyMap<number, number>>();
  /** Ids of all tasks of the application; the process with the first one waits. */
  readonly #all: readonly string[];
  #checking = false;
  /** The tasks at hand when the first of them ended. */
  #ending: ReadonlySet<Task> | undefined;
  /** How many tasks it had when it started to wait for others. */
  #waitsWith: number | undefined;

  constructor({ now, topology }: Pick<AppTopics, 'now' | 'topology'>, transport: Transport, options: AppOptions) {
    this.#transport = transport;
    this.#options = options;
    this.#order = byFlow(topology.stages);
    this.#all = this.#order.flatMap((stage) => taskSpecs(stage, now)).map(({ id }) => id);
    this.#written = new Set(topology.stages.flatMap(({ outputs }) => outputs.map(({ name }) => name)));
  }

  /** Notes the ends of the topics that others write. */
  async mark(): Promise<void> {
    for (const name of this.#inputs()) {
      if (!this.#written.has(name)) this.#ends.set(name, await this.#transport.offsets(name, 'latest'));
    }
  }

  /**
   * Called when the engine has nothing to do. Ends the next stage that has read everything.
   *
   * @returns Whether the run goes on, is over, or has to be done anew, because a task that has ended has more to do.
   */
  async check(engine: Engine): Promise<'on' | 'over' | 'anew'> {
    if (this.#checking) return 'on';
    this.#checking = true;
    try {
      for (const name of this.#inputs()) {
        if (this.#written.has(name)) this.#ends.set(name, await this.#transport.offsets(name, 'latest'));
      }
      const tasks = [...engine.tasks.values()];
      // Tasks that are not built yet may have unread records.
      if (tasks.length === 0 || engine.isIncomplete()) return 'on';
      const shared = tasks.length < this.#all.length;
      for (const task of tasks) {
        if (task.readTo((topic) => this.#ends.get(topic)?.get(task.partition))) continue;
        if (task.reach.completed && this.#othersWrote(tasks)) return shared ? this.#leavesToOthers(engine) : 'anew';
        engine.schedule();
        return 'on';
      }
      // Skipping empty batches may have advanced positions, and records may have arrived while the ends were requested.
      if (tasks.some((task) => task.dirty)) {
        engine.schedule();
        return 'on';
      }
      if (this.#options.openWindows === 'close' && shared) return this.#leavesToOthers(engine);
      // What they write, or have read to the end, wakes the tasks here.
      if (shared && tasks.some(({ reach }) => !reach.atEnd)) {
        this.#waitsWith = tasks.length;
        return 'on';
      }
      const open = tasks.filter((task) => !task.reach.completed);
      const stage = this.#order.find((candidate) => open.some((task) => task.stage === candidate));
      if (stage === undefined) {
        this.#tellOfOpenWindows(tasks);
        return 'over';
      }
      this.#ending ??= new Set(tasks);
      for (const task of open.filter((each) => each.stage === stage)) {
        task.end(this.#options.openWindows ?? 'keep');
        task.complete();
      }
      engine.schedule();
      return 'on';
    } finally {
      this.#checking = false;
    }
  }

  /** Describes what it waits for. */
  waitingFor({ tasks: { size } }: Engine): string | undefined {
    if (size !== this.#waitsWith) return undefined;
    const others = counted(this.#all.length - size, 'task');
    return `other processes of the application, which have ${others}: the run ends when everything has been read`;
  }

  /** Whether what ended tasks have not read may come from others. In a circle, tasks that end may write more for each other. */
  #othersWrote(tasks: readonly Task[]): boolean {
    const ending = this.#ending ?? new Set();
    return ending.size < this.#all.length || tasks.some((task) => !ending.has(task));
  }

  #leavesToOthers({ tasks }: Engine): 'on' | 'over' {
    if (tasks.has(this.#all[0] as string)) {
      this.#waitsWith = tasks.size;
      return 'on';
    }
    const { applicationId, logger = noLogger } = this.#options;
    logger.info(
      { applicationId, tasks: tasks.size },
      'the input has ended: other processes of the application go on to its end',
    );
    return 'over';
  }

  /** Missing rows of open windows are a common surprise; a program that sets `openWindows` knows about them. */
  #tellOfOpenWindows(tasks: readonly Task[]): void {
    const { applicationId, logger = noLogger, openWindows } = this.#options;
    for (const stage of this.#order) {
      const stores = tasks.filter((task) => task.stage === stage).flatMap((task) => task.stores);
      for (const { name } of stage.stores) {
        const open = stores
          .filter((store) => store.name === name)
          .reduce((sum, store) => sum + (store.describe().openWindows ?? 0), 0);
        if (open === 0) continue;
        logger[openWindows === undefined ? 'warn' : 'info'](
          { applicationId, stage: stage.name, store: name, windows: open },
          `the input has ended, and ${counted(open, 'window')} of ${name} ${open === 1 ? 'is' : 'are'} still open: ` +
            `${open === 1 ? 'it stays in the store, and its row on close comes' : 'they stay in the store, and rows on close come'} ` +
            "with later records. Run with openWindows: 'close' to close them now, or with 'keep' to say that this is meant",
        );
      }
    }
  }

  #inputs(): ReadonlySet<string> {
    return new Set(this.#order.flatMap(({ inputs }) => inputs.map(({ name }) => name)));
  }
}

/** Sorts stages so that those that write a topic come before those that read it, unless there are cycles. */
export function byFlow(stages: readonly Stage[]): readonly Stage[] {
  const order: Stage[] = [];
  const seen = new Set<Stage>();
  const visit = (stage: Stage): void => {
    if (seen.has(stage)) return;
    seen.add(stage);
    for (const { name } of stage.inputs) {
      for (const writer of stages) if (writer.outputs.some((output) => output.name === name)) visit(writer);
    }
    order.push(stage);
  };
  for (const stage of stages) visit(stage);
  return order;
}

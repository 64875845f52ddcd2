import { type Awaitable, inSteps, quietly, type Steps, until } from '../../log/awaitable.ts';
import type { CommittedOffset, TaskLog, TaskSession } from '../../log/transport.ts';
import { taskSpecs } from '../../plan/assignment.ts';
import type { TaskProgress } from '../task/task-host.ts';
import type { Committer } from './committer.ts';
import type { TaskFactory } from './task-factory.ts';
import type { AssignedTask, TaskStart, TaskStarts } from './task-starts.ts';

/** A task that is about to be built. */
export interface OpenedTask {
  readonly task: AssignedTask;
  readonly start: TaskStart;
}

/** Prepares tasks between their assignment and their first record. */
export class TaskOpening {
  /** Settles when the start positions of tasks have been found and committed; never rejects. */
  settling: Awaitable<void> | undefined;
  readonly #log: TaskLog;
  readonly #factory: TaskFactory;
  readonly #starts: TaskStarts;
  readonly #committer: Committer;

  constructor(log: TaskLog, starts: TaskStarts, factory: TaskFactory, committer: Committer) {
    this.#log = log;
    this.#factory = factory;
    this.#starts = starts;
    this.#committer = committer;
  }

  /** Reads the committed offsets of assigned tasks now, while nothing is about to change them. */
  *assigned(ids: readonly string[]): Steps<AssignedTask[]> {
    const { applicationId, stages, topics } = this.#starts.options;
    const given = new Set(ids);
    const tasks = stages.flatMap((stage) =>
      taskSpecs(stage, topics)
        .filter(({ id }) => given.has(id))
        .map((spec) => ({ stage, spec })),
    );
    const partitions = tasks.flatMap(({ spec }) => spec.partitions);
    const committed = new Map<string, CommittedOffset>();
    for (const each of yield* until(this.#log.committed(applicationId, partitions))) {
      committed.set(`${each.topic}/${each.partition}`, each);
    }
    return tasks.map(({ spec, stage }) => {
      const own = spec.partitions.flatMap(({ partition, topic }) => committed.get(`${topic}/${partition}`) ?? []);
      return { stage, spec, committed: new Map(own.map((each) => [each.topic, each])) };
    });
  }

  /**
   * Updates the stores of tasks, determines their start positions, and commits those.
   *
   * @param owned - Whether this member still owns a task under the same assignment.
   */
  *open(
    session: TaskSession,
    assigned: readonly AssignedTask[],
    owned: (task: AssignedTask) => boolean,
  ): Steps<readonly OpenedTask[]> {
    yield* until(this.#factory.restore(session, assigned));
    const settled = inSteps(this.#settle(session, assigned.filter(owned), owned));
    this.settling = quietly(() => settled);
    return yield* until(settled);
  }

  *#settle(
    session: TaskSession,
    tasks: readonly AssignedTask[],
    owned: (task: AssignedTask) => boolean,
  ): Steps<readonly OpenedTask[]> {
    const starts = yield* this.#starts.find(tasks, session.stores);
    const opened = tasks.map((task, at) => ({ task, start: starts[at] as TaskStart }));
    let kept: readonly OpenedTask[] = [];
    const due = (): readonly TaskProgress[] => {
      kept = opened.filter(({ start, task }) => start.progress !== undefined && owned(task));
      return kept.flatMap(({ start }) => start.progress ?? []);
    };
    if (due().length > 0) yield* until(this.#committer.settle(due, () => kept.every(({ task }) => owned(task))));
    return opened;
  }
}

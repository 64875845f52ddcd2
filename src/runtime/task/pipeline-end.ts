import type { Observable, Observer } from 'rxjs';
import type { TaskContext } from '../../dataflow/task-context.ts';
import type { Logger } from '../../log/logger.ts';
import type { Topology } from '../../plan/topology.ts';
import { watchOpenEnd } from './open-ends.ts';

const END = 'the end of the pipeline';

/** Handles the output at the end of a task's pipeline. */
export function endOf(
  root: Observable<unknown>,
  task: Pick<TaskContext, 'applicationId' | 'chainFailed' | 'emittedOutsideTurn' | 'inTurn'>,
  topology: Topology,
  logger: Logger,
): Partial<Observer<unknown>> {
  const look = watchOpenEnd(root, topology, logger, task.applicationId);
  return {
    next(result) {
      if (!task.inTurn) task.emittedOutsideTurn(END);
      look?.(result);
    },
    error: (error) => task.chainFailed(error, END),
  };
}

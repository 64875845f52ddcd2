import type { ConfigError } from '../../errors.ts';
import type { TopicDescription } from '../../log/transport.ts';
import { needsKeys } from '../../plan/found-topics.ts';
import { keysWouldMove } from '../../plan/keys-would-move.ts';
import type { Stage } from '../../plan/stages.ts';
import type { StoreBackend } from '../../state/byte-store.ts';
import type { StatePositions } from '../task/state-positions.ts';

type Topics = ReadonlyMap<string, TopicDescription>;

/**
 * Refuses state that was built with a different number of partitions, even if it was built from other topics: the
 * partition of a key depends on the number of partitions, and its state does not move along. Topics that are still read
 * are compared individually when they start.
 *
 * @param states - The input positions recorded in the stores of a task.
 * @throws ConfigError `ERR_PARTITION_COUNT`
 */
export function checkSpread(
  stage: Stage,
  states: readonly { readonly positions: StatePositions | undefined }[],
  topics: Topics,
): void {
  const now = tasksOf(stage, topics);
  if (now === undefined) return;
  for (const { positions: state } of states) {
    if (state === undefined || stage.inputs.some(({ name }) => state.has(name))) continue;
    const counts = [...state.values()].flatMap(({ partitions }) => partitions ?? []);
    const before = Math.max(...counts);
    if (counts.length > 0 && before !== now) throw built(stage, before, now);
  }
}

/**
 * Refuses state in partitions that no longer have a task.
 *
 * @throws ConfigError `ERR_PARTITION_COUNT`
 */
export function checkLeftOver(
  { applicationId, topics }: { readonly applicationId: string; readonly topics: Topics },
  stages: Iterable<Stage>,
  stores: StoreBackend,
): void {
  const kept = stores.list(applicationId);
  for (const stage of stages) {
    const now = tasksOf(stage, topics);
    if (now === undefined) continue;
    const names = new Set(stage.stores.map(({ name }) => name));
    const last = Math.max(-1, ...kept.filter(({ store }) => names.has(store)).map(({ partition }) => partition));
    if (last >= now) throw built(stage, last + 1, now);
  }
}

/** `undefined` if the stage keeps no state by key. */
function tasksOf(stage: Stage, topics: Topics): number | undefined {
  const counts = stage.inputs.flatMap(({ name }) => topics.get(name)?.partitions ?? []);
  return stage.stores.length === 0 || counts.length === 0 || !needsKeys(stage) ? undefined : Math.max(...counts);
}

function built(stage: Stage, before: number, now: number): ConfigError {
  const topics = stage.inputs.map(({ name }) => name).join(', ');
  return keysWouldMove(stage, before, now, {
    hint:
      `the pipeline has changed: give ${topics} as many partitions as the state has, or run under a new applicationId, so that the ` +
      'state is built from scratch',
  });
}

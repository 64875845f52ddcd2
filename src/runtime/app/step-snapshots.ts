import type { StepMeter, StepMeters, TopicMeter } from '../../metrics/step-meters.ts';
import { stepIds } from '../../plan/graph.ts';
import type { PlannedNode } from '../../plan/plan.ts';
import type { Topology } from '../../plan/topology.ts';

/** The records that reached a step through one of its inputs. @public */
export interface StepInputSnapshot {
  /** Id of the step above, as in the graph; `undefined` if it is not a step of the pipeline. */
  readonly from: number | undefined;
  readonly records: number;
}

/**
 * A snapshot of a step: counts of this process since the application was started, including tasks that were rebuilt.
 * @public
 */
export interface StepSnapshot {
  /** As in the graph of the application. */
  readonly id: number;
  readonly stage: string;
  /** Such as `windowBy(clicks-per-minute)`. */
  readonly step: string;
  /** `undefined` for plain RxJS operators, whose records are not counted. */
  readonly recordsIn: number | undefined;
  /** Records that the steps below received, or that a sink wrote; `undefined` if they are not counted. */
  readonly recordsOut: number | undefined;
  /** Number of late (record, window) pairs. */
  readonly late: number;
  /** Records dropped for a null key or value, and for similar reasons. */
  readonly dropped: number;
  /** Records that failed in the step. */
  readonly failed: number;
  /** Failed records that were sent to a dead-letter topic. */
  readonly deadLettered: number;
  readonly inputs: readonly StepInputSnapshot[];
}

/** The steps of a pipeline with the values of their meters, in the order of the graph. */
export function snapshotSteps({ stages }: Pick<Topology, 'stages'>, meters: StepMeters): StepSnapshot[] {
  const ids = stepIds(stages);
  const byStream = new Map<object, number>();
  for (const [node, id] of ids) byStream.set(node.stream, id);
  /** The largest number of records that any step below has received, by the step above. */
  const below = new Map<object, number>();
  for (const node of ids.keys()) {
    for (const { from, records } of meters.of(node.stream).inputs) {
      if (from !== undefined) below.set(from, Math.max(below.get(from) ?? 0, records));
    }
  }
  return stages.flatMap(({ name, nodes }) =>
    nodes.map((node): StepSnapshot => {
      const meter = meters.of(node.stream);
      const read = isSource(node) ? readOf(node, meters) : undefined;
      const recordsIn = cameIn(node, meters);
      return {
        id: ids.get(node) as number,
        stage: name,
        step: node.step,
        recordsIn,
        recordsOut:
          wentOut(node, meter, below) ?? (isSource(node) || node.spec.kind === 'through' ? recordsIn : undefined),
        late: meter.late,
        dropped: meter.dropped,
        failed: meter.failed + (read?.failed ?? 0),
        deadLettered: meter.deadLettered + (read?.deadLettered ?? 0),
        inputs: meter.inputs.map(({ from, records }) => ({ from: from && byStream.get(from), records })),
      };
    }),
  );
}

function isSource({ spec }: PlannedNode): boolean {
  return spec.kind === 'source' || spec.kind === 'table';
}

function cameIn(node: PlannedNode, meters: StepMeters): number | undefined {
  if (isSource(node)) return readOf(node, meters).records;
  const { inputs } = meters.of(node.stream);
  if (inputs.length > 0) return inputs.reduce((sum, { records }) => sum + records, 0);
  // A node between two stages only passes on what is read, and so does a secondary output of a step.
  const [above] = node.upstream;
  return node.spec.kind === 'through' && above !== undefined ? cameIn(above, meters) : undefined;
}

function wentOut(
  { spec, stream }: PlannedNode,
  { written }: StepMeter,
  below: ReadonlyMap<object, number>,
): number | undefined {
  return spec.kind === 'sink' ? written : below.get(stream);
}

/** Counts of the records read from the topics of a source, or from all matching topics for a pattern. */
function readOf({ spec }: PlannedNode, meters: StepMeters): Pick<TopicMeter, 'records' | 'failed' | 'deadLettered'> {
  const sum = { records: 0, failed: 0, deadLettered: 0 };
  for (const [name, meter] of meters.topics()) {
    if (spec.topics?.some((use) => use.name === name || use.takes?.(name) === true) !== true) continue;
    sum.records += meter.records;
    sum.failed += meter.failed;
    sum.deadLettered += meter.deadLettered;
  }
  return sum;
}

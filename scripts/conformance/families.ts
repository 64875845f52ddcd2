import type { Case, Input, Params } from './format.ts';
import { NotImplemented } from './format.ts';
import { aggregateModel } from './models/aggregate.ts';
import { asOfJoinModel } from './models/as-of-join.ts';
import { chainModel } from './models/chain.ts';
import { cogroupModel } from './models/cogroup.ts';
import type { Expected } from './models/expected.ts';
import { foreignJoinModel } from './models/foreign-key-join.ts';
import { globalJoinModel } from './models/global-join.ts';
import { joinModel } from './models/join.ts';
import { statelessModel } from './models/stateless.ts';
import { selfJoinModel, streamJoinModel } from './models/stream-join.ts';
import { suppressModel } from './models/suppress.ts';
import { tableAggregateModel } from './models/table-aggregate.ts';
import { tableOpsModel } from './models/table-ops.ts';
import { tableJoinModel } from './models/table-table-join.ts';
import { windowedModel } from './models/windowed.ts';
import { unwindowed } from './pipelines/aggregate.ts';
import { cogrouped } from './pipelines/cogroup.ts';
import { foreignKeyJoin } from './pipelines/foreign-key-join.ts';
import type { CasePipeline } from './pipelines/pipeline.ts';
import { repartitionChain } from './pipelines/repartition-chain.ts';
import { stateless } from './pipelines/stateless.ts';
import { streamGlobalJoin } from './pipelines/stream-global-join.ts';
import { selfJoin, streamJoin } from './pipelines/stream-join.ts';
import { streamTableJoin } from './pipelines/stream-table-join.ts';
import { suppressed } from './pipelines/suppress.ts';
import { tableAggregate } from './pipelines/table-aggregate.ts';
import { tableOps } from './pipelines/table-ops.ts';
import { tableTableJoin } from './pipelines/table-table-join.ts';
import { windowed } from './pipelines/windowed.ts';

/** An operator of the vectors: a pipeline of real operators, and what our contract says in plain code. */
interface Subject {
  readonly pipeline: (params: Params) => CasePipeline;
  readonly model: (params: Params, inputs: readonly Input[]) => Expected;
  /** Rows of different keys that come at once have no order. */
  readonly keysInAnyOrder?: boolean;
}

const subjects: Readonly<Record<string, Readonly<Record<string, Subject>>>> = {
  stateless: { stateless: { pipeline: stateless, model: statelessModel } },
  aggregate: { aggregate: { pipeline: unwindowed, model: aggregateModel } },
  tumbling: { windowedAggregate: { pipeline: windowed, model: windowedModel } },
  hopping: { windowedAggregate: { pipeline: windowed, model: windowedModel } },
  sliding: { windowedAggregate: { pipeline: windowed, model: windowedModel } },
  session: { windowedAggregate: { pipeline: windowed, model: windowedModel } },
  unlimited: { windowedAggregate: { pipeline: windowed, model: windowedModel } },
  cogroup: { cogroup: { pipeline: cogrouped, model: cogroupModel } },
  'window-final': { windowedAggregate: { pipeline: windowed, model: windowedModel } },
  'stream-table-join': { streamTableJoin: { pipeline: streamTableJoin, model: joinModel } },
  'stream-table-asof': { streamTableJoin: { pipeline: streamTableJoin, model: asOfJoinModel } },
  'stream-global-join': { streamGlobalTableJoin: { pipeline: streamGlobalJoin, model: globalJoinModel } },
  'stream-stream-join': { streamStreamJoin: { pipeline: streamJoin, model: streamJoinModel } },
  'self-join': { streamStreamSelfJoin: { pipeline: selfJoin, model: selfJoinModel } },
  suppress: { suppress: { pipeline: suppressed, model: suppressModel } },
  'table-ops': { tableOps: { pipeline: tableOps, model: tableOpsModel } },
  'table-aggregate': {
    tableAggregate: { pipeline: tableAggregate, model: tableAggregateModel, keysInAnyOrder: true },
  },
  'foreign-key-join': { foreignKeyJoin: { pipeline: foreignKeyJoin, model: foreignJoinModel, keysInAnyOrder: true } },
  'table-table-join': { tableTableJoin: { pipeline: tableTableJoin, model: tableJoinModel } },
  'repartition-chain': { repartitionChain: { pipeline: repartitionChain, model: chainModel } },
};

/** @throws NotImplemented */
export function subjectOf(family: string, { operator }: Case): Subject {
  const subject = subjects[family]?.[operator];
  if (subject === undefined)
    throw new NotImplemented(subjects[family] === undefined ? `the family ${family}` : `the operator ${operator}`);
  return subject;
}

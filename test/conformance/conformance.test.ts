import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { difference } from '../../scripts/conformance/compare.ts';
import { type DiskStores, openDiskStores } from '../../scripts/conformance/disk-stores.ts';
import type { Input, Json, Params } from '../../scripts/conformance/format.ts';
import { aggregateModel } from '../../scripts/conformance/models/aggregate.ts';
import { aggregateTableModel } from '../../scripts/conformance/models/aggregate-table.ts';
import { asOfJoinModel } from '../../scripts/conformance/models/as-of-join.ts';
import { chainModel } from '../../scripts/conformance/models/chain.ts';
import { cogroupModel } from '../../scripts/conformance/models/cogroup.ts';
import type { Expected } from '../../scripts/conformance/models/expected.ts';
import { foreignJoinModel } from '../../scripts/conformance/models/foreign-key-join.ts';
import { globalJoinModel } from '../../scripts/conformance/models/global-join.ts';
import { joinModel } from '../../scripts/conformance/models/join.ts';
import { statelessModel } from '../../scripts/conformance/models/stateless.ts';
import { selfJoinModel, streamJoinModel } from '../../scripts/conformance/models/stream-join.ts';
import { suppressModel } from '../../scripts/conformance/models/suppress.ts';
import { tableAggregateModel } from '../../scripts/conformance/models/table-aggregate.ts';
import { tableOpsModel, viewJoinModel } from '../../scripts/conformance/models/table-ops.ts';
import { tableJoinModel } from '../../scripts/conformance/models/table-table-join.ts';
import { windowedModel } from '../../scripts/conformance/models/windowed.ts';
import { unwindowed } from '../../scripts/conformance/pipelines/aggregate.ts';
import { aggregateTable } from '../../scripts/conformance/pipelines/aggregate-table.ts';
import { cogrouped } from '../../scripts/conformance/pipelines/cogroup.ts';
import { foreignKeyJoin } from '../../scripts/conformance/pipelines/foreign-key-join.ts';
import type { CasePipeline } from '../../scripts/conformance/pipelines/pipeline.ts';
import { repartitionChain } from '../../scripts/conformance/pipelines/repartition-chain.ts';
import { stateless } from '../../scripts/conformance/pipelines/stateless.ts';
import { streamGlobalJoin } from '../../scripts/conformance/pipelines/stream-global-join.ts';
import { selfJoin, streamJoin } from '../../scripts/conformance/pipelines/stream-join.ts';
import { streamTableJoin } from '../../scripts/conformance/pipelines/stream-table-join.ts';
import { streamViewJoin } from '../../scripts/conformance/pipelines/stream-view-join.ts';
import { suppressed } from '../../scripts/conformance/pipelines/suppress.ts';
import { tableAggregate } from '../../scripts/conformance/pipelines/table-aggregate.ts';
import { tableOps } from '../../scripts/conformance/pipelines/table-ops.ts';
import { tableTableJoin } from '../../scripts/conformance/pipelines/table-table-join.ts';
import { windowed } from '../../scripts/conformance/pipelines/windowed.ts';
import { runCase } from '../../scripts/conformance/run-case.ts';
import {
  asOfParams,
  chainParams,
  cogroupParams,
  type Disturbance,
  disturbances,
  globalJoinParams,
  inputsOf,
  numbers,
  optionsOf,
  references,
  statelessParams,
  streamJoinParams,
  suppressParams,
  tableAggregateParams,
  tableJoinParams,
  tableParams,
  texts,
  userEvents,
  versionedParams,
  windowParams,
} from './arbitraries.ts';

interface Law {
  readonly name: string;
  readonly pipeline: (params: Params) => CasePipeline;
  readonly model: (params: Params, inputs: readonly Input[]) => Expected;
  readonly input: fc.Arbitrary<readonly [Params, readonly Input[]]>;
  readonly runs: number;
  /** Rows of different keys that come at once have no order. */
  readonly keysInAnyOrder?: boolean;
}

/** Sums need numbers; every other function takes texts. */
const valuesOf = ({ aggregate }: Params): fc.Arbitrary<Json> => (aggregate === 'sum' ? numbers : texts);
const withInputs = (
  params: fc.Arbitrary<Params>,
  topics: (params: Params) => Readonly<Record<string, fc.Arbitrary<Json>>>,
): Law['input'] => params.chain((made) => fc.tuple(fc.constant(made), inputsOf(topics(made))));

const aggregates = fc.record({ aggregate: fc.constantFrom('count', 'sum', 'concat', 'concatDelete', 'reduce') });
const joinTypes = fc.record({ type: fc.constantFrom('inner', 'left') });

const laws: readonly Law[] = [
  {
    name: 'windowBy, tumbling and hopping, on close and on update',
    pipeline: windowed,
    model: windowedModel,
    input: withInputs(windowParams, (params) => ({ in: valuesOf(params) })),
    runs: 1000,
  },
  {
    name: 'aggregate',
    pipeline: unwindowed,
    model: aggregateModel,
    input: withInputs(aggregates, (params) => ({ in: valuesOf(params) })),
    runs: 1000,
  },
  {
    name: 'cogroup, without windows and in windows',
    pipeline: cogrouped,
    model: cogroupModel,
    // Only without windows does a value delete.
    input: withInputs(cogroupParams, ({ window }) => {
      const values = window === undefined ? texts : numbers;
      return { t1: values, t2: values, t3: values };
    }),
    runs: 1000,
  },
  {
    name: 'asTable of an aggregate',
    pipeline: aggregateTable,
    model: aggregateTableModel,
    input: withInputs(aggregates, (params) => ({ in: valuesOf(params) })),
    runs: 1000,
  },
  {
    name: 'table and asTable, views and toStream',
    pipeline: tableOps,
    model: tableOpsModel,
    input: withInputs(tableParams, () => ({ in: numbers })),
    runs: 1000,
  },
  {
    name: 'table and asTable with history, views and toStream',
    pipeline: tableOps,
    model: tableOpsModel,
    input: withInputs(versionedParams, () => ({ in: numbers })),
    runs: 1000,
  },
  {
    name: 'joinRows, of tables with and without history',
    pipeline: tableTableJoin,
    model: tableJoinModel,
    input: withInputs(tableJoinParams, () => ({ left: texts, right: texts })),
    runs: 1000,
  },
  {
    name: 'regroup, of tables with and without history',
    pipeline: tableAggregate,
    model: tableAggregateModel,
    input: withInputs(tableAggregateParams, () => ({ in: userEvents })),
    runs: 1000,
  },
  {
    name: 'joinRows by a foreign key',
    pipeline: foreignKeyJoin,
    model: foreignJoinModel,
    input: withInputs(joinTypes, () => ({ left: references, right: texts })),
    runs: 1000,
    keysInAnyOrder: true,
  },
  {
    name: 'joinTable with a view',
    pipeline: streamViewJoin,
    model: viewJoinModel,
    input: withInputs(tableParams, () => ({ stream: numbers, table: numbers })),
    runs: 1000,
  },
  {
    name: 'joinTable',
    pipeline: streamTableJoin,
    model: joinModel,
    input: withInputs(joinTypes, () => ({ stream: texts, table: texts })),
    runs: 1000,
  },
  {
    name: 'joinTable with a global table',
    pipeline: streamGlobalJoin,
    model: globalJoinModel,
    input: withInputs(globalJoinParams, () => ({ stream: references, table: texts })),
    runs: 1000,
  },
  {
    name: 'joinTable with a table that has a history, with grace and without',
    pipeline: streamTableJoin,
    model: asOfJoinModel,
    input: withInputs(asOfParams, () => ({ stream: texts, table: texts })),
    runs: 1000,
  },
  {
    name: 'suppress',
    pipeline: suppressed,
    model: suppressModel,
    input: withInputs(suppressParams, () => ({ in: texts })),
    runs: 1000,
  },
  {
    name: 'joinStream',
    pipeline: streamJoin,
    model: streamJoinModel,
    input: withInputs(streamJoinParams, () => ({ left: texts, right: texts })),
    runs: 1500,
  },
  {
    name: 'joinStream of a stream with itself',
    pipeline: selfJoin,
    model: selfJoinModel,
    input: withInputs(streamJoinParams, () => ({ in: texts })),
    runs: 1000,
  },
  {
    name: 'keyBy, through, windowBy, joinTable',
    pipeline: repartitionChain,
    model: chainModel,
    input: withInputs(chainParams, () => ({ events: userEvents, names: texts })),
    runs: 1000,
  },
  {
    name: 'operators without state, merge and branch',
    pipeline: stateless,
    model: statelessModel,
    input: withInputs(statelessParams, () => ({ left: numbers, right: numbers })),
    runs: 1000,
  },
];

let disk: DiskStores;
beforeAll(async () => {
  disk = await openDiskStores();
});
afterAll(() => disk[Symbol.asyncDispose]());

describe.each(laws)('$name', ({ input, keysInAnyOrder, model, pipeline, runs }) => {
  test('agrees with its model, however much is forgotten, committed at once, and restarted', () => {
    fc.assert(
      fc.property(input, disturbances, ([params, inputs], disturbance: Disturbance) => {
        const steps = inputs.map((made) => ({ in: made, out: [] }));
        const outcome = runCase(pipeline(params), steps, optionsOf(disturbance, disk.stores));
        expect(difference(model(params, inputs), outcome, keysInAnyOrder)?.join('\n')).toBeUndefined();
      }),
      { numRuns: runs },
    );
  });
});

export { CheckFailed } from '../assertion-error.ts';
export type { SidedRecord } from '../models/join-stream.ts';
export { drive, type Operation } from '../operations.ts';
export type { CommonLaws } from './common-laws.ts';
export { valuesOf } from './from-schema.ts';
export {
  expectJoinLaws,
  type JoinLawsOptions,
  type KeyOf,
  type LawsInput,
  type LawsSide,
  type LawsTopic,
  type ValueOf,
} from './join-laws.ts';
export { expectLaws, type LawsOptions } from './laws.ts';
export { type OperationsOptions, operations } from './operation-sequences.ts';
export type { ModelRow, ModelSteps, RecordLaws } from './record-laws.ts';
export { type RecordsOptions, records } from './records.ts';

export { CheckFailed } from '../assertion-error.ts';
export { drive, type Operation } from '../operations.ts';
export type { CommonLaws } from './common-laws.ts';
export { valuesOf } from './from-schema.ts';
export { expectJoinLaws, type JoinLawsOptions, type LawsInput, type LawsSide, type SideRecord } from './join-laws.ts';
export { expectLaws, type LawsOptions } from './laws.ts';
export { type OperationsOptions, operations } from './operation-sequences.ts';
export type { ModelRow, RecordLaws } from './record-laws.ts';
export { type RecordsOptions, records } from './records.ts';

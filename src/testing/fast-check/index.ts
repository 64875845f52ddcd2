export { CheckFailed } from '../assertion-error.ts';
export { drive, type Operation } from '../operations.ts';
export { valuesOf } from './from-schema.ts';
export { expectLaws, type LawsOptions, type ModelRow } from './laws.ts';
export { type OperationsOptions, operations } from './operation-sequences.ts';
export { type RecordsOptions, records } from './records.ts';

export { aggregateModel } from './aggregate.ts';
export { type JoinStreamModelOptions, joinStreamModel, type SidedRecord } from './join-stream.ts';
export { joinTableModel } from './join-table.ts';
export { joinWindowModel } from './join-window.ts';
export type { ModelFold, ModelOutcome, ModelOutput } from './model.ts';
export { windowByModel } from './window-by.ts';

export type { TestDeadLetter } from './dead-letters.ts';
export type { DriverFault } from './failing-log.ts';
export { checkHistory } from './history/check-history.ts';
export type {
  Anomaly,
  AnomalyKind,
  AssignedEvent,
  HistoryEvent,
  HistoryId,
  Outcome,
  ProcessedEvent,
  PublishedEvent,
  ReadEvent,
} from './history/events.ts';
export { expectMarbles, type MarbleOptions, type MarbleTopic, playMarbles } from './marbles/marbles.ts';
export { TestDriver, type TestDriverOptions, type TestRecord, type TestTopic } from './test-driver.ts';
export { VirtualClock } from './virtual-clock.ts';

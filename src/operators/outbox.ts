import type { Step } from '../dataflow/step.ts';
import type { Emit } from '../dataflow/stream.ts';
import { ConfigError } from '../errors.ts';
import { settled } from '../options/promises.ts';
import { type Headers, type Lateness, makeRecord, NO_HEADERS, type StreamRecord } from '../record.ts';
import { checkTimestamp } from './derive.ts';
import type { EmitOptions } from './process-types.ts';

type Row = StreamRecord<unknown, unknown>;
/** The place that rows name as their origin. */
type Origin = Pick<Row, 'topic' | 'partition' | 'offset'>;

/** The origin of rows that no record caused. */
const NOWHERE: Origin = { topic: '', partition: 0, offset: -1 };

/** The output of one call of a step's function. It is emitted when the call has returned. */
export class Outbox {
  /** The current key, if there is one. */
  key: unknown;
  /** Event time of the current record or timer. */
  timestamp = -1;
  readonly #step: Step<Row>;
  #headers: Headers = NO_HEADERS;
  #origin: Origin = NOWHERE;
  /** The current record, if there is one. */
  #record: Row | undefined;
  readonly #targets: Emit<Row>[] = [];
  readonly #rows: Row[] = [];
  readonly #drops: string[] = [];
  readonly #late: Lateness[] = [];

  constructor(step: Step<Row>) {
    this.#step = step;
  }

  /** Begins a call for a record. */
  ofRecord(record: Row): void {
    this.#record = record;
    this.#origin = record;
    this.key = record.key;
    this.timestamp = record.timestamp;
    this.#headers = record.headers;
  }

  /** Begins a call for a timer. @param cause - The record that advanced time, if one did. */
  ofTimer(key: unknown, timestamp: number, cause: Row | undefined): void {
    this.#record = undefined;
    this.#origin = cause ?? NOWHERE;
    this.key = key;
    this.timestamp = timestamp;
    this.#headers = NO_HEADERS;
  }

  emit(target: Emit<Row>, value: unknown, options: (EmitOptions & { readonly key?: unknown }) | undefined): void {
    const key = this.#record === undefined ? (options?.key ?? this.key) : this.key;
    if (key === undefined || key === null) throw keyless(this.#step.name);
    const timestamp = options?.timestamp ?? this.timestamp;
    checkTimestamp(timestamp);
    const { offset, partition, topic } = this.#origin;
    const headers = options?.headers ?? this.#headers;
    this.#rows.push(makeRecord(key, settled(value), timestamp, headers, topic, partition, offset));
    this.#targets.push(target);
  }

  drop(reason: string): void {
    this.#drops.push(reason);
  }

  late(lateness: Lateness): void {
    this.#late.push(lateness);
  }

  discard(): void {
    this.#targets.length = 0;
    this.#rows.length = 0;
    this.#drops.length = 0;
    this.#late.length = 0;
  }

  /** Emits the collected output. @param applied - Whether the current record has changed the state of the step. */
  deliver(applied: boolean): void {
    for (let at = 0; at < this.#drops.length; at += 1) this.#step.drop(this.#drops[at] as string);
    const record = this.#record;
    for (let at = 0; at < this.#late.length; at += 1) this.#step.late(record as Row, this.#late[at] as Lateness);
    try {
      for (let at = 0; at < this.#rows.length; at += 1) {
        const row = this.#rows[at] as Row;
        const target = this.#targets[at] as Emit<Row>;
        if (record === undefined) this.#step.emitRow(row.key as NonNullable<unknown>, row, target);
        else if (applied) this.#step.emitUpdate(row, target);
        else target.next(row);
      }
    } finally {
      this.discard();
    }
  }
}

function keyless(step: string): ConfigError {
  return new ConfigError('ERR_NO_KEY', `${step}: an interval has no key, and none was given`, {
    hint: 'give the row a key: emit(value, { key })',
  });
}

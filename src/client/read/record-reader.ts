import { MillraceError, RecordError } from '../../errors.ts';
import { decodeKey, decodeValue } from '../../log/decode.ts';
import type { FetchedBatch, Fetcher } from '../../log/transport.ts';
import { type Headers, makeRecord, type StreamRecord } from '../../record.ts';
import type { ReadInput } from './read-input.ts';

/** What to do with records that cannot be delivered. */
export interface ReaderRules {
  /** Polling failed; the partition pauses. */
  readonly fetchFailed: (input: ReadInput, error: MillraceError) => void;
  /** The record at the head cannot be decoded. @returns whether to skip it now; otherwise its partition pauses. */
  readonly recordFailed: (input: ReadInput, batch: FetchedBatch, at: number, error: unknown) => boolean;
  /** Records were processed that could be committed. */
  readonly progressed: () => void;
  /** Makes the record to deliver. */
  readonly make:
    | ((record: StreamRecord<unknown, unknown>, input: ReadInput) => StreamRecord<unknown, unknown>)
    | undefined;
}

/** Delivers the records of some partitions one by one on request, in order within each partition. */
export class RecordReader {
  readonly #fetcher: Fetcher;
  readonly #rules: ReaderRules;
  readonly #inputs: ReadInput[] = [];
  #turn = 0;
  /** The origin of the last delivered record while it is not processed yet. */
  #last: ReadInput | undefined;

  constructor(fetcher: Fetcher, rules: ReaderRules) {
    this.#fetcher = fetcher;
    this.#rules = rules;
  }

  get inputs(): readonly ReadInput[] {
    return this.#inputs;
  }

  add(input: ReadInput): void {
    this.#inputs.push(input);
    if (!input.done) this.#fetcher.assign(input.topic, input.partition, input.position, input);
  }

  remove(input: ReadInput): void {
    const index = this.#inputs.indexOf(input);
    if (index < 0) return;
    this.#inputs.splice(index, 1);
    this.#fetcher.unassign(input.topic, input.partition);
    if (this.#last === input) this.#last = undefined;
  }

  /** Stops delivering for now. */
  pause(): void {
    for (const input of this.#inputs) input.paused = true;
  }

  clear(): void {
    for (const { topic, partition } of this.#inputs.splice(0)) this.#fetcher.unassign(topic, partition);
    this.#last = undefined;
  }

  /** Continues at another offset of a partition. */
  seek(input: ReadInput, offset: number): void {
    input.seek(offset);
    if (!input.done) this.#fetcher.assign(input.topic, input.partition, offset, input);
  }

  /** The next record; `undefined` if there is none yet or no more. */
  next(): StreamRecord<unknown, unknown> | undefined {
    for (;;) {
      const input = this.#pick();
      if (input === undefined) return undefined;
      const batch = input.batch as FetchedBatch;
      const at = input.at;
      const { key: keySerde, name, value: valueSerde } = input.use;
      let key: unknown;
      let value: unknown;
      let headers: Headers;
      const timestamp = batch.timestamp[at] as number;
      try {
        if (timestamp > Number.MAX_SAFE_INTEGER || timestamp < Number.MIN_SAFE_INTEGER) throw unsafe(timestamp);
        key = decodeKey(keySerde, batch, at, name, false);
        value = decodeValue(valueSerde, batch, at, name, false);
        headers = batch.headers(at);
      } catch (error) {
        if (this.#rules.recordFailed(input, batch, at, error)) this.pass(input);
        else input.paused = true;
        continue;
      }
      const offset = batch.baseOffset + (batch.offsetDelta[at] as number);
      const record = makeRecord(key, value, timestamp, headers, name, input.partition, offset);
      input.advance();
      this.#last = input;
      return this.#rules.make === undefined ? record : this.#rules.make(record, input);
    }
  }

  /** The last delivered record has been processed. */
  processed(): void {
    const input = this.#last;
    if (input === undefined) return;
    this.#last = undefined;
    this.#settle(input);
  }

  /** Skips the record at the head, or everything before an offset. */
  pass(input: ReadInput, offset?: number): void {
    if (offset === undefined) input.advance();
    else this.seek(input, Math.min(offset, input.end));
    this.#settle(input);
  }

  #settle(input: ReadInput): void {
    input.processed = input.position;
    this.#rules.progressed();
    if (input.done) this.#fetcher.unassign(input.topic, input.partition);
  }

  /** A partition with a record at its head: the same one until its batch is used up, then the next one. */
  #pick(): ReadInput | undefined {
    // Polls every partition once, starting after the last one that had records.
    for (let asked = 0; asked < this.#inputs.length; asked += 1) {
      if (this.#turn >= this.#inputs.length) this.#turn = 0;
      const input = this.#inputs[this.#turn] as ReadInput;
      if (this.#ready(input)) return input;
      this.#turn += 1;
    }
    return undefined;
  }

  #ready(input: ReadInput): boolean {
    if (input.paused) return false;
    while (input.batch === undefined && !input.done) {
      let batch: FetchedBatch | undefined;
      try {
        batch = this.#fetcher.poll(input.topic, input.partition);
      } catch (error) {
        input.paused = true;
        this.#rules.fetchFailed(input, error instanceof MillraceError ? error : fetchError(error));
        return false;
      }
      if (batch === undefined) return false;
      input.leaderEpoch = this.#fetcher.origin(input.topic, input.partition).leaderEpoch;
      input.push(batch);
      // Offsets without records count as progress too.
      if (input.batch === undefined) this.#settle(input);
    }
    return input.batch !== undefined;
  }
}

function unsafe(timestamp: number): RecordError {
  return new RecordError('ERR_TIMESTAMP', `the record has the timestamp ${timestamp}`, {
    hint: 'timestamps are milliseconds within ±(2^53 − 1): its producer may use another unit',
  });
}

function fetchError(error: unknown): MillraceError {
  return new MillraceError('fatal', 'ERR_FETCH', 'reading failed', { cause: error });
}

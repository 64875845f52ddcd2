import { noLogger } from '../../log/logger.ts';
import { offsetMark } from '../../log/offset-mark.ts';
import type { FetchedBatch, Fetcher, TaskLog, TopicDescription } from '../../log/transport.ts';
import { RecordBatchBuilder } from '../../protocol/batch-builder.ts';
import { decodeBatch } from '../../protocol/batch-decoder.ts';
import type { Headers } from '../../record.ts';
import type { StoreBackend, StoreWrites } from '../../state/byte-store.ts';
import { memoryStores } from '../../state/memory-backend.ts';
import { emptyFetch } from '../../transports/local/fetched-rows.ts';
import { FINGERPRINT_STORE } from '../task/fingerprints.ts';
import { INPUTS_STORE, statePositions } from '../task/state-positions.ts';
import { Changelog, changelogTopic } from './changelog.ts';

export const STORES = ['rows', 'index', 'sums'] as const;
type StoreName = (typeof STORES)[number];

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (value: Uint8Array): string => new TextDecoder().decode(value);
const idOf = (store: string) => ({ applicationId: 'app', store, partition: 0 });

interface Row {
  readonly offset: number;
  readonly key: Uint8Array;
  readonly value: Uint8Array | null;
  readonly timestamp: number;
  readonly headers: Headers;
}

/** Changelogs whose batches a test delivers as it likes. */
class Disk {
  readonly #rows = new Map<string, Row[]>();
  readonly #ends = new Map<string, number>();
  /** How many records a fetch returns. */
  fetches = 3;

  of(topic: string): Row[] {
    let rows = this.#rows.get(topic);
    if (rows === undefined) this.#rows.set(topic, (rows = []));
    return rows;
  }

  append(topic: string, rows: readonly Omit<Row, 'offset'>[]): void {
    for (const row of rows) {
      const offset = this.#ends.get(topic) ?? 0;
      this.of(topic).push({ ...row, offset });
      this.#ends.set(topic, offset + 1);
    }
  }

  /** Keeps the last record of each key. */
  compact(topic: string): void {
    const rows = this.of(topic);
    const name = ({ key }: Row): string => Buffer.from(key).toString('hex');
    const last = new Map(rows.map((row) => [name(row), row]));
    this.#rows.set(
      topic,
      rows.filter((row) => last.get(name(row)) === row),
    );
  }

  log(): TaskLog {
    const fetcher = (): Fetcher => {
      const at = new Map<string, number>();
      return {
        assign: (topic, _partition, offset) => void at.set(topic, offset),
        unassign: (topic) => void at.delete(topic),
        poll: (topic) => this.#read(topic, at),
        origin: () => ({}),
        endOffset: (topic) => this.#ends.get(topic),
        writtenEnd: (topic) => this.#ends.get(topic),
        waitingFor: () => undefined,
        close: () => undefined,
      };
    };
    const offsets: TaskLog['offsets'] = async (topic, query) =>
      new Map([[0, query === 'earliest' ? 0 : (this.#ends.get(topic) ?? 0)]]);
    const capabilities = { atomicCommit: false, stateWithLog: false };
    return { capabilities, fetcher, offsets } as Partial<TaskLog> as TaskLog;
  }

  #read(topic: string, at: Map<string, number>): FetchedBatch | undefined {
    const from = at.get(topic) ?? 0;
    const end = this.#ends.get(topic) ?? 0;
    if (from >= end) return undefined;
    const [first] = this.of(topic).filter(({ offset }) => offset >= from);
    if (first === undefined) {
      at.set(topic, end);
      return emptyFetch(from, end, end);
    }
    const builder = new RecordBatchBuilder();
    let next = first.offset;
    for (const { headers, key, offset, timestamp, value } of this.of(topic)) {
      if (offset !== next || builder.count === this.fetches) continue;
      builder.append(timestamp, key, value, headers);
      next += 1;
    }
    at.set(topic, next);
    return Object.assign(builder.columns(first.offset), { endOffset: end });
  }
}

/** One process after the other that owns the task, and what its complete commits have made of the stores. */
export class World {
  readonly disk = new Disk();
  /** Whether the next commits are those of a version that does not number them. */
  isOld = false;
  /** The stores of the task. */
  stores: readonly StoreName[] = STORES;
  /** Those that had them in the last complete commit. */
  #known: readonly StoreName[] = [];
  readonly #topics: ReadonlyMap<string, TopicDescription>;
  #local: StoreBackend = memoryStores();
  #changelog!: Changelog;
  #generation = 1;
  #model = new Map<StoreName, ReadonlyMap<string, string>>(STORES.map((name) => [name, new Map()]));
  #position = 0;
  #committed = 0;
  /** Batches of an incomplete commit that are still on their way. */
  #late: (() => void)[] = [];
  /** Those that take even longer. */
  #slow: (() => void)[] = [];

  constructor() {
    const config = { maxMessageBytes: 1_000_000 };
    const topics = STORES.map((name) => [changelogTopic('app', name), { partitions: 1, config }] as const);
    this.#topics = new Map(topics) as unknown as ReadonlyMap<string, TopicDescription>;
  }

  /**
   * @param isBack - Whether a static member comes back, in the generation that it had.
   * @returns What a restore finds in the stores, and what complete commits have made of them.
   */
  async start(local: 'kept' | 'lost', isBack = false): Promise<{ readonly found: unknown; readonly wanted: unknown }> {
    if (local === 'lost') this.#local = memoryStores();
    this.#changelog = new Changelog(this.disk.log(), this.#local, 'app', this.#topics, () => 1, noLogger);
    const metadata = offsetMark(this.#known);
    const committed = new Map(
      this.#committed > 0 ? [['input', { topic: 'input', partition: 0, offset: this.#committed, metadata }]] : [],
    );
    await this.#changelog.restore([{ stores: this.stores.map(idOf), committed }], () => undefined);
    const found = new Map(
      STORES.map((name) => {
        const entries = [...this.#local.open(idOf(name)).range()];
        return [name, new Map(entries.map(([key, value]) => [text(key), text(value)]))];
      }),
    );
    // A new store begins where the others are, whether that has been written yet or not.
    const known = this.stores.filter((name) => this.#known.includes(name));
    const positions = known.map((name) => statePositions(this.#local, idOf(name))?.get('input')?.offset ?? 0);
    if (!isBack) this.#generation += 1;
    // What is still on its way arrives after the new owner has read the changelogs.
    for (const arrive of this.#late.splice(0)) arrive();
    return {
      found: { entries: found, positions },
      wanted: { entries: this.#model, positions: known.map(() => this.#position) },
    };
  }

  #write(changes: Changes, moves: boolean) {
    const after = new Map(STORES.map((name) => [name, new Map(this.#model.get(name))]));
    const state: StoreWrites[] = [];
    const prints = this.#local.open(idOf(FINGERPRINT_STORE));
    const unknown = this.stores.map(bytes).filter((name) => prints.get(name) === undefined);
    if (unknown.length > 0) {
      state.push({ id: idOf(FINGERPRINT_STORE), keys: unknown, values: unknown.map(() => bytes('print')) });
    }
    for (const name of this.stores) {
      const changed = Object.entries(changes[name]);
      if (changed.length === 0) continue;
      const values = changed.map(([, value]) => (value === null ? null : bytes(value)));
      state.push({ id: idOf(name), keys: changed.map(([key]) => bytes(key)), values });
      for (const [key, value] of changed) {
        if (value === null) after.get(name)?.delete(key);
        else after.get(name)?.set(key, value);
      }
    }
    const position = this.#position + (moves ? 1 : 0);
    const value = bytes(JSON.stringify({ input: [position, 1] }));
    state.push({ id: idOf(INPUTS_STORE), keys: this.stores.map(bytes), values: this.stores.map(() => value) });
    const pieces = this.#changelog.batches(state, this.#generation).map(({ records, topic }) => {
      const columns = decodeBatch(records.finish(), 0);
      const cut = (start: number, length: number) => (length < 0 ? null : columns.bytes.slice(start, start + length));
      const rows = Array.from({ length: columns.count }, (_, at) => ({
        key: cut(columns.keyStart[at]!, columns.keyLength[at]!)!,
        value: cut(columns.valueStart[at]!, columns.valueLength[at]!),
        timestamp: columns.timestamp[at]!,
        headers: this.isOld ? [] : columns.headers(at),
      }));
      return { topic, rows };
    });
    return { after, pieces, position, state };
  }

  /** The group is deleted: its generations are counted from 1 again, and it has no offsets. */
  forgetGroup(): void {
    this.#generation = 1;
    this.#committed = 0;
  }

  /** Whether something of earlier commits is still to come. */
  get awaits(): boolean {
    return this.#slow.length > 0;
  }

  commit({ changes, moves, offsets }: Commit): void {
    const { after, pieces, position, state } = this.#write(changes, moves);
    for (const { rows, topic } of pieces) this.disk.append(topic, rows);
    for (const arrive of this.#slow.splice(0)) arrive();
    this.#model = after;
    this.#known = this.stores;
    this.#position = position;
    if (!offsets) return;
    this.#committed = position;
    this.#changelog.committed(state);
  }

  /** A commit that reaches only some of the changelogs, or only in part; the rest may arrive later. */
  tear({ changes, late, moves, never, parts, slow }: Torn): void {
    const { pieces } = this.#write(changes, moves);
    for (const [at, { rows, topic }] of pieces.entries()) {
      const count = at === never % pieces.length ? 0 : Math.floor((parts[at % parts.length] ?? 0) * (rows.length + 1));
      const arrive = (): void => this.disk.append(topic, rows.slice(0, count));
      if (late[at % late.length] === true) (slow ? this.#slow : this.#late).push(arrive);
      else arrive();
    }
  }
}

export type Changes = Record<StoreName, Record<string, string | null>>;
export interface Commit {
  readonly changes: Changes;
  readonly moves: boolean;
  readonly offsets: boolean;
}
export interface Torn {
  readonly changes: Changes;
  readonly moves: boolean;
  /** How much of it each changelog gets. */
  readonly parts: readonly number[];
  /** The one that never gets anything. */
  readonly never: number;
  /** Which of them get it only after the next owner has read them. */
  readonly late: readonly boolean[];
  /** Whether that is after the next complete commit. */
  readonly slow: boolean;
}

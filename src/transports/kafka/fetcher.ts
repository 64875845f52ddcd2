import type { Cancel, Clock } from '../../dataflow/clock.ts';
import type { MillraceError } from '../../errors.ts';
import type { FetchedBatch, Fetcher, FetcherOptions, OffsetOrigin } from '../../log/transport.ts';
import { ensureCodec } from '../../protocol/compression.ts';
import { closed, outOfRange, topicRecreated, unknownPartition, unknownTopic } from '../local/errors.ts';
import type { UnpackBudget } from '../local/unpack-budget.ts';
import type { Cluster, Lane } from './cluster.ts';
import { Complaints } from './complaints.ts';
import { Code } from './error-codes.ts';
import { fetchFailed, kafkaError } from './errors.ts';
import { FetchPosition, openTransaction, survey } from './fetch-position.ts';
import type { Offsets } from './offsets.ts';
import { pauseMs } from './retry.ts';
import { Throttles } from './throttles.ts';
import type { Topics } from './topics.ts';
import { type FetchedPartition, fetchApi } from './wire/fetch.ts';

/** How long a broker may hold a request until records arrive, in ms. */
const LONG_POLL_MS = 500;
/** How long empty partitions wait for a request in flight to return, to share the next one, in ms. */
const MERGE_MS = 20;
/**
 * The most requests in flight to one broker: more than one, because a due partition must not wait for a held request.
 */
const LANES = 3;
const MAX_RESPONSE_BYTES = 50 * 1024 * 1024;
const DEFAULT_MAX_BYTES = 1024 * 1024;
/** The total buffer of a fetcher: with many partitions, each buffers less. */
const MAX_TOTAL_BYTES = 64 * 1024 * 1024;
const MIN_HALF_BYTES = 64 * 1024;

/** Reads partitions from their leaders and buffers a bounded amount for each. */
export class KafkaFetcher implements Fetcher {
  readonly #cluster: Cluster;
  readonly #topics: Topics;
  readonly #offsets: Offsets;
  readonly #options: FetcherOptions;
  readonly #maxHalfBytes: number;
  readonly #lanes: readonly Lane[];
  readonly #positions = new Map<string, FetchPosition>();
  /** The latest response times of requests in flight, by broker and lane. */
  readonly #due = new Map<string, number>();
  readonly #complaints: Complaints;
  readonly #throttles: Throttles;
  readonly #clock: Clock;
  readonly #unpacked: UnpackBudget;
  #trouble: MillraceError | undefined;
  #pumping = false;
  #readyDue = false;
  #cancel: Cancel | undefined;
  #cancelRoom: Cancel | undefined;
  readonly #roomFree = (): void => this.#ready();
  #closed = false;

  constructor(cluster: Cluster, topics: Topics, offsets: Offsets, options: FetcherOptions) {
    this.#cluster = cluster;
    this.#topics = topics;
    this.#offsets = offsets;
    this.#options = options;
    const { machine, settings } = cluster;
    this.#clock = machine.clock;
    this.#unpacked = machine.unpacked;
    this.#complaints = new Complaints(settings.logger, machine.clock);
    this.#throttles = new Throttles(machine.clock);
    this.#maxHalfBytes = Math.max(1024, Math.floor((options.maxBytes ?? DEFAULT_MAX_BYTES) / 2));
    this.#lanes = Array.from({ length: LANES }, () => cluster.newLane('fetch'));
  }

  assign(topic: string, partition: number, offset: number, origin?: OffsetOrigin): void {
    if (this.#closed) throw closed('fetcher');
    const committed = this.#options.isolation !== 'uncommitted';
    const { maxUnpackedBytes } = this.#cluster.settings;
    const unpack = { budget: this.#unpacked, maxUnpackedBytes };
    this.unassign(topic, partition);
    this.#positions.set(
      `${topic}/${partition}`,
      new FetchPosition(topic, partition, offset, committed, origin, unpack),
    );
    this.#pump();
  }

  unassign(topic: string, partition: number): void {
    const key = `${topic}/${partition}`;
    this.#positions.get(key)?.close();
    this.#positions.delete(key);
  }

  poll(topic: string, partition: number): FetchedBatch | undefined {
    const position = this.#positions.get(`${topic}/${partition}`);
    if (this.#closed || position === undefined) return undefined;
    const batch = position.poll();
    if (position.waits) this.#awaitRoom(position.patienceMs);
    if (batch !== undefined && position.wants(this.#halfBytes, this.#clock.monotonic())) this.#pump();
    return batch;
  }

  origin(topic: string, partition: number): OffsetOrigin {
    return this.#positions.get(`${topic}/${partition}`)?.origin ?? {};
  }

  endOffset(topic: string, partition: number): number | undefined {
    return this.#positions.get(`${topic}/${partition}`)?.endOffset;
  }

  writtenEnd(topic: string, partition: number): number | undefined {
    return this.#positions.get(`${topic}/${partition}`)?.writtenEnd;
  }

  waitingFor(): string | undefined {
    if (this.#positions.size === 0) return undefined;
    if (this.#trouble !== undefined) return `a broker to read from: ${this.#trouble.message}`;
    return this.#throttles.waitingFor('read from') ?? this.#held() ?? this.#room();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#cancel?.();
    this.#cancelRoom?.();
    this.#unpacked.forget(this.#roomFree);
    for (const position of this.#positions.values()) position.close();
    this.#positions.clear();
    for (const lane of this.#lanes) this.#cluster.closeLane(lane);
  }

  /** A partition with at most this much buffered is fetched, and the same amount is requested. */
  get #halfBytes(): number {
    const share = Math.floor(MAX_TOTAL_BYTES / 2 / this.#positions.size);
    return Math.min(this.#maxHalfBytes, Math.max(share, MIN_HALF_BYTES));
  }

  #held(): string | undefined {
    return openTransaction(this.#positions.values(), this.#clock.monotonic());
  }

  #room(): string | undefined {
    for (const { patienceMs, topic, partition } of this.#positions.values()) {
      if (patienceMs === undefined) continue;
      const { maxUnpackedBytes } = this.#cluster.settings;
      return `memory to unpack "${topic}/${partition}": ${this.#unpacked.used} of ${maxUnpackedBytes} bytes are in use`;
    }
    return undefined;
  }

  /** Polls again when memory is released, or when a partition has waited long enough. */
  #awaitRoom(patienceMs: number | undefined): void {
    this.#unpacked.onFree(this.#roomFree);
    if (patienceMs === undefined) return;
    this.#cancelRoom ??= this.#clock.after(patienceMs + 1, () => {
      this.#cancelRoom = undefined;
      this.#ready();
    });
  }

  #pump(): void {
    if (this.#pumping || this.#closed) return;
    this.#pumping = true;
    queueMicrotask(() => {
      this.#pumping = false;
      if (!this.#closed) this.#round();
    });
  }

  /** Requests due partitions from each leader, if another request is allowed. */
  #round(): void {
    const now = this.#clock.monotonic();
    const halfBytes = this.#halfBytes;
    const byLeader = new Map<number, FetchPosition[]>();
    let next = Number.POSITIVE_INFINITY;
    for (const position of this.#positions.values()) {
      if (position.pausedUntil > now) next = Math.min(next, position.pausedUntil);
      if (!position.wants(halfBytes, now)) continue;
      const { topic, partition } = position;
      const leader = this.#topics.peekLeader(topic, partition);
      position.topicId ??= this.#topics.peekId(topic);
      if (leader === undefined || position.topicId !== this.#topics.peekId(topic)) {
        void this.#locate(position);
        continue;
      }
      const positions = byLeader.get(leader);
      if (positions === undefined) byLeader.set(leader, [position]);
      // Only the first partition of a request is guaranteed a batch of any size.
      else if (position.hungry) positions.unshift(position);
      else positions.push(position);
    }
    for (const [leader, positions] of byLeader) {
      const throttled = this.#throttles.until(leader);
      if (throttled > now) next = Math.min(next, throttled);
      else this.#request(leader, positions, now);
    }
    this.#cancel?.();
    if (next !== Number.POSITIVE_INFINITY)
      this.#cancel = this.#clock.after(Math.max(next - now, 1), () => this.#pump());
  }

  /** All requests to a broker should return at the same time, so that their partitions can then be combined. */
  #request(leader: number, positions: readonly FetchPosition[], now: number): void {
    const lane = this.#lanes.find((each) => !this.#due.has(`${leader}/${each}`));
    if (lane === undefined) return;
    const dues = this.#lanes.map((each) => this.#due.get(`${leader}/${each}`)).filter((due) => due !== undefined);
    const waitMs = dues.length === 0 ? LONG_POLL_MS : Math.max(Math.floor(Math.min(...dues) - now), 0);
    if (waitMs < MERGE_MS && positions.every(({ empty }) => empty)) return;
    this.#due.set(`${leader}/${lane}`, now + waitMs);
    void this.#fetch(leader, lane, positions, waitMs);
  }

  async #fetch(leader: number, lane: Lane, positions: readonly FetchPosition[], maxWaitMs: number): Promise<void> {
    for (const position of positions) position.fetching = true;
    const halfBytes = this.#halfBytes;
    const partitions = positions.map(({ topic, topicId, partition, fetchEpoch, fetchOffset, needsBytes }) => ({
      topic,
      topicId,
      partition,
      leaderEpoch: this.#topics.peekEpoch(topic, partition),
      lastEpoch: fetchEpoch,
      offset: fetchOffset,
      maxBytes: Math.min(Math.max(halfBytes, needsBytes), MAX_RESPONSE_BYTES),
    }));
    const [began, { committed }] = [this.#options.timing?.begin() ?? 0, positions[0] as FetchPosition];
    try {
      const query = { maxWaitMs, maxBytes: MAX_RESPONSE_BYTES, committed, partitions };
      const answer = await this.#cluster.request(leader, lane, fetchApi(partitions), query);
      const { errorCode, partitions: answers, throttleMs } = answer;
      this.#throttles.heard(leader, throttleMs);
      if (errorCode !== 0) throw kafkaError(errorCode, 'fetch');
      this.#trouble = undefined;
      const filled = answers.filter(({ records }) => records.length > 0).length;
      if (filled > 0) this.#options.timing?.came(began);
      const found = new Map(answers.map((each) => [`${each.topicId ?? each.topic}/${each.partition}`, each]));
      for (const position of positions) {
        const { partition, topic, topicId } = position;
        const answer = found.get(`${topicId}/${partition}`) ?? found.get(`${topic}/${partition}`);
        if (answer === undefined) continue;
        // A partition must not keep the data of others alive.
        const records = filled > 1 ? new Uint8Array(answer.records) : answer.records;
        await this.#take(position, { ...answer, records }, position === positions[0]);
      }
    } catch (error) {
      for (const position of positions) this.#failed(position, error);
    } finally {
      this.#due.delete(`${leader}/${lane}`);
      for (const position of positions) position.fetching = false;
      this.#pump();
    }
  }

  /** A partition that received data comes last next time. */
  #toTheEnd(position: FetchPosition): void {
    const key = `${position.topic}/${position.partition}`;
    if (this.#positions.get(key) !== position) return;
    this.#positions.delete(key);
    this.#positions.set(key, position);
  }

  async #take(position: FetchPosition, answer: FetchedPartition, first: boolean): Promise<void> {
    try {
      if (answer.errorCode === Code.OFFSET_OUT_OF_RANGE) await this.#outOfRange(position);
      if (answer.errorCode !== 0) {
        const { topic, partition } = position;
        throw kafkaError(answer.errorCode, 'fetch', topic, { topic, partition });
      }
      if (answer.diverging !== undefined) {
        position.diverged(answer.diverging);
        return;
      }
      const found = survey(answer.records, position.topic, position.partition);
      for (const compression of found.compressions) if (compression !== 'none') await ensureCodec(compression);
      if (answer.records.length > 0) this.#toTheEnd(position);
      if (position.add(answer, found, first)) this.#ready();
    } catch (error) {
      this.#failed(position, error);
    }
  }

  /** @throws `ERR_OFFSET_OUT_OF_RANGE` unless the offset does exist */
  async #outOfRange(position: FetchPosition): Promise<void> {
    const { topic, partition, fetchOffset } = position;
    const [starts, ends] = await Promise.all([
      this.#offsets.find(topic, 'earliest', [partition]),
      this.#offsets.find(topic, 'latest', [partition], false),
    ]);
    const [start = 0, end = 0] = [starts.get(partition), ends.get(partition)];
    if (fetchOffset < start || fetchOffset > end) throw outOfRange(position, fetchOffset, start, end);
    // The leader does not know the epoch: it has lost its history but has the offset.
    if (position.fetchEpoch >= 0) {
      position.fetchEpoch = -1;
      const fields = { topic, partition, offset: fetchOffset };
      this.#cluster.settings.logger.warn(
        fields,
        'it cannot be checked whether records that were read have been replaced',
      );
    }
    throw kafkaError(78, 'fetch', topic, { topic, partition });
  }

  /** Finds the leader of a partition. */
  async #locate(position: FetchPosition): Promise<void> {
    const { topic, partition } = position;
    position.fetching = true;
    try {
      // Look twice, because a newly created topic is not known everywhere at once.
      const known = (await this.#topics.refresh(topic)) ?? (await this.#topics.refresh(topic));
      if (known === undefined) throw unknownTopic(topic);
      position.topicId ??= known.id;
      if (position.topicId !== known.id && known.id !== undefined) throw topicRecreated(position);
      if (known.leaders[partition] === undefined) throw unknownPartition(position, known.leaders.length);
      if (known.leaders[partition] === -1)
        throw kafkaError(5, 'find the leader of a partition', topic, { topic, partition });
    } catch (error) {
      this.#failed(position, error);
    } finally {
      position.fetching = false;
      this.#pump();
    }
  }

  #failed(position: FetchPosition, error: unknown): void {
    if (this.#closed) return;
    const failure = fetchFailed(position, error);
    if (failure.retriable) {
      this.#complaints.warn(failure, { topic: position.topic, partition: position.partition });
      this.#trouble = failure;
      this.#topics.forget(position.topic);
      position.pausedUntil = this.#clock.monotonic() + pauseMs(this.#cluster.machine, position.attempts++);
      return;
    }
    position.error = failure;
    this.#ready();
  }

  #ready(): void {
    if (this.#readyDue) return;
    this.#readyDue = true;
    queueMicrotask(() => {
      this.#readyDue = false;
      if (!this.#closed) this.#options.onReady();
    });
  }
}

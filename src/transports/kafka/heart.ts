import type { Cancel } from '../../dataflow/clock.ts';
import { MillraceError } from '../../errors.ts';
import type { Cluster } from './cluster.ts';
import { Code } from './error-codes.ts';
import { kafkaError } from './errors.ts';
import type { GroupCoordinator } from './group-coordinator.ts';
import { Lease, type Moment } from './lease.ts';
import { SecondHeart } from './second-heart.ts';

/** News from the group: the member must rejoin, or it has been expelled. */
export type GroupNews = 'rebalance' | 'lost';

/** Sends heartbeats to the coordinator and detects changes of the group. */
export class Heart {
  readonly lease: Lease;
  readonly #second: SecondHeart | undefined;
  readonly #cluster: Cluster;
  readonly #coordinator: GroupCoordinator;
  #cancel: Cancel | undefined;
  #beating: Promise<void> | undefined;
  #running = false;
  #news: GroupNews | undefined;
  #failure: MillraceError | undefined;
  #wake: () => void = () => undefined;
  /** Why the coordinator cannot be reached. */
  trouble: MillraceError | undefined;
  /** How long there was no response before the member learned that it was expelled, in ms. */
  silenceMs = 0;

  constructor(cluster: Cluster, coordinator: GroupCoordinator) {
    this.#cluster = cluster;
    this.#coordinator = coordinator;
    this.lease = new Lease(cluster.machine.moment);
    this.#second = cluster.machine.threads ? SecondHeart.of(cluster.settings, this.lease) : undefined;
  }

  /** Starts after a join. @param since - When the join request was sent. */
  beat(since: Moment): void {
    this.#running = true;
    this.#news = undefined;
    const spell = this.lease.begin(since);
    this.lease.joining = false;
    this.#second?.joined(spell, this.#coordinator.identity);
    this.#schedule(this.#cluster.settings.heartbeatIntervalMs);
  }

  /** Pauses while the member joins, because joining counts as a heartbeat. */
  pause(): void {
    this.#running = false;
    this.lease.joining = true;
    this.#cancel?.();
  }

  stop(): void {
    this.pause();
    this.#second?.close();
    this.#wake();
  }

  /** Resolves when the member must act or heartbeats were stopped. @throws MillraceError that is not retriable */
  async changed(): Promise<GroupNews> {
    while (this.#news === undefined && this.#failure === undefined && this.#running) {
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    if (this.#failure !== undefined) throw this.#failure;
    return this.#news ?? 'rebalance';
  }

  /** Another request has shown that the member was expelled. */
  lost(): void {
    if (this.#news !== 'lost') this.silenceMs = this.lease.silenceMs;
    this.#news = 'lost';
    this.#wake();
  }

  /** Whether the member was expelled and has not reacted yet. */
  get isLost(): boolean {
    return this.#news === 'lost' || this.lease.fate !== 'held';
  }

  /** How long this thread was blocked when the other thread ended the membership; 0 if it did not. */
  get blockedMs(): number {
    return this.lease.fate === 'left' ? this.lease.blockedMs : 0;
  }

  /**
   * Whether the member is certainly still one. After a silence as long as a session, such as after the process was
   * suspended, it may have been expelled; during a rebalance even sooner.
   */
  get holds(): boolean {
    const { sessionTimeoutMs, heartbeatIntervalMs } = this.#cluster.settings;
    const limitMs = this.lease.unsure
      ? Math.min(2 * heartbeatIntervalMs, sessionTimeoutMs)
      : sessionTimeoutMs - heartbeatIntervalMs;
    return !this.isLost && this.lease.silenceMs < limitMs;
  }

  /** Asks now. @throws MillraceError if the member can no longer be in the group */
  async ask(): Promise<void> {
    // A heartbeat in flight may have been answered before it happened.
    await this.#beating;
    await this.#beat();
    if (this.#failure !== undefined) throw this.#failure;
  }

  #schedule(ms: number): void {
    this.#cancel?.();
    if (this.#running) this.#cancel = this.#cluster.machine.clock.after(ms, () => void this.#beat());
  }

  #beat(): Promise<void> {
    this.#beating ??= this.#once().finally(() => (this.#beating = undefined));
    return this.#beating;
  }

  async #once(): Promise<void> {
    const { machine, settings } = this.#cluster;
    const { heartbeatIntervalMs } = settings;
    const { generation } = this.#coordinator.identity;
    const sent = machine.moment();
    this.lease.live();
    try {
      // While it joins, the join request blocks its connection.
      const code = await this.#coordinator.heartbeat(!this.#running);
      if (generation !== this.#coordinator.identity.generation) return;
      this.trouble = undefined;
      this.#heard(code, sent);
      this.#schedule(heartbeatIntervalMs);
    } catch (error) {
      if (error instanceof MillraceError && error.retriable) this.trouble = error;
      else if (error instanceof MillraceError && this.#running) this.#fail(error);
      this.#schedule(Math.min(heartbeatIntervalMs, 200));
    }
  }

  #heard(code: number, sent: Moment): void {
    if (code === 0 || code === Code.REBALANCE_IN_PROGRESS) this.lease.renew(sent, code !== 0);
    if (code === 0) return;
    if (code === Code.REBALANCE_IN_PROGRESS) this.#news ??= 'rebalance';
    // The response to the join is on its way.
    else if (code === Code.ILLEGAL_GENERATION && !this.#running) return;
    else if (code === Code.UNKNOWN_MEMBER_ID || code === Code.ILLEGAL_GENERATION) this.lost();
    else this.#fail(kafkaError(code, 'stay in the group', this.#coordinator.identity.groupId));
    this.#wake();
  }

  #fail(error: MillraceError): void {
    this.#failure = error;
    this.#wake();
  }
}

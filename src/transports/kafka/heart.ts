import type { Cancel } from '../../dataflow/clock.ts';
import { MillraceError } from '../../errors.ts';
import type { Cluster } from './cluster.ts';
import { Code } from './error-codes.ts';
import { kafkaError } from './errors.ts';
import type { GroupCoordinator } from './group-coordinator.ts';
import { Lease, type Moment } from './lease.ts';
import { SecondHeart } from './second-heart.ts';

/** What a member learns of its group: it is to join again, or it has been given up. */
export type GroupNews = 'rebalance' | 'lost';

/** Tells the coordinator in time that the member is there, and hears from it whether the group changes. */
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
  /** For how long it had heard nothing when it heard that the member was given up, in milliseconds. */
  silenceMs = 0;

  constructor(cluster: Cluster, coordinator: GroupCoordinator) {
    this.#cluster = cluster;
    this.#coordinator = coordinator;
    this.lease = new Lease(cluster.machine.moment);
    this.#second = cluster.machine.threads ? SecondHeart.of(cluster.settings, this.lease) : undefined;
  }

  /** Begins, after the member has joined with a request that was sent then. */
  beat(since: Moment): void {
    this.#running = true;
    this.#news = undefined;
    const spell = this.lease.begin(since);
    this.lease.joining = false;
    this.#second?.joined(spell, this.#coordinator.identity);
    this.#schedule(this.#cluster.settings.heartbeatIntervalMs);
  }

  /** Nothing is said while the member joins: joining says it. */
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

  /** Resolves when the member has to do something, or the heart was stopped. @throws MillraceError that is not retriable */
  async changed(): Promise<GroupNews> {
    while (this.#news === undefined && this.#failure === undefined && this.#running) {
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    if (this.#failure !== undefined) throw this.#failure;
    return this.#news ?? 'rebalance';
  }

  /** Somebody else has heard that the member was given up. */
  lost(): void {
    if (this.#news !== 'lost') this.silenceMs = this.lease.silenceMs;
    this.#news = 'lost';
    this.#wake();
  }

  /** Whether it has heard that the member was given up, and nothing was done about it yet. */
  get isLost(): boolean {
    return this.#news === 'lost' || this.lease.fate !== 'held';
  }

  /** For how long this thread was blocked when the other one ended the membership for it; 0 when it did not. */
  get blockedMs(): number {
    return this.lease.fate === 'left' ? this.lease.blockedMs : 0;
  }

  /**
   * Whether the member certainly is one still. After a silence as long as a session it may have been given up, as after
   * the process was stopped; while the group is being shared out, also sooner.
   */
  get holds(): boolean {
    const { sessionTimeoutMs, heartbeatIntervalMs } = this.#cluster.settings;
    const limitMs = this.lease.unsure
      ? Math.min(2 * heartbeatIntervalMs, sessionTimeoutMs)
      : sessionTimeoutMs - heartbeatIntervalMs;
    return !this.isLost && this.lease.silenceMs < limitMs;
  }

  /** Asks now. @throws MillraceError when the member has no business in the group any more */
  async ask(): Promise<void> {
    // What is under way may have been answered before it happened.
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
      // While it joins, that request keeps what comes after it on its connection waiting.
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
    // The answer to joining is on its way.
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

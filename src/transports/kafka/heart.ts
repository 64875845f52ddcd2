import { MillraceError } from '../../errors.ts';
import type { Cluster } from './cluster.ts';
import { Code } from './error-codes.ts';
import { kafkaError } from './errors.ts';
import type { GroupCoordinator } from './group-coordinator.ts';

/** What a member learns of its group: it is to join anew, or it has been given up. */
export type GroupNews = 'rebalance' | 'lost';

/** Tells the coordinator in time that the member is there, and hears from it whether the group changes. */
export class Heart {
  readonly #cluster: Cluster;
  readonly #coordinator: GroupCoordinator;
  #timer: NodeJS.Timeout | undefined;
  #beating: Promise<void> | undefined;
  #running = false;
  #news: GroupNews | undefined;
  #failure: MillraceError | undefined;
  #wake: () => void = () => undefined;
  #heardAt = 0;
  /** Why the coordinator cannot be reached. */
  trouble: MillraceError | undefined;

  constructor(cluster: Cluster, coordinator: GroupCoordinator) {
    this.#cluster = cluster;
    this.#coordinator = coordinator;
  }

  /** Begins, right after the member has joined. */
  beat(): void {
    this.#running = true;
    this.#news = undefined;
    this.#heardAt = performance.now();
    this.#schedule(this.#cluster.settings.heartbeatIntervalMs);
  }

  /** Nothing is said while the member joins: joining says it. */
  pause(): void {
    this.#running = false;
    clearTimeout(this.#timer);
  }

  stop(): void {
    this.pause();
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
    this.#news = 'lost';
    this.#wake();
  }

  /** Asks first when nothing was heard for as long as a session may be silent, as after the process was stopped. */
  async confirm(): Promise<void> {
    const { sessionTimeoutMs, heartbeatIntervalMs } = this.#cluster.settings;
    if (performance.now() - this.#heardAt < sessionTimeoutMs - heartbeatIntervalMs) return;
    await this.#beat();
  }

  /** Asks now. @throws MillraceError when the member has no business in the group any more */
  async ask(): Promise<void> {
    // What is under way may have been answered before it happened.
    await this.#beating;
    await this.#beat();
    if (this.#failure !== undefined) throw this.#failure;
  }

  #schedule(ms: number): void {
    clearTimeout(this.#timer);
    if (this.#running) this.#timer = setTimeout(() => void this.#beat(), ms);
  }

  #beat(): Promise<void> {
    this.#beating ??= this.#once().finally(() => (this.#beating = undefined));
    return this.#beating;
  }

  async #once(): Promise<void> {
    const { heartbeatIntervalMs } = this.#cluster.settings;
    const { generation } = this.#coordinator.identity;
    try {
      const code = await this.#coordinator.heartbeat();
      if (generation !== this.#coordinator.identity.generation) return;
      this.#heardAt = performance.now();
      this.trouble = undefined;
      this.#heard(code);
      this.#schedule(heartbeatIntervalMs);
    } catch (error) {
      if (error instanceof MillraceError && error.retriable) this.trouble = error;
      else if (error instanceof MillraceError && this.#running) this.#fail(error);
      this.#schedule(Math.min(heartbeatIntervalMs, 200));
    }
  }

  #heard(code: number): void {
    if (code === 0) return;
    if (code === Code.REBALANCE_IN_PROGRESS) this.#news ??= 'rebalance';
    else if (code === Code.UNKNOWN_MEMBER_ID || code === Code.ILLEGAL_GENERATION) this.#news = 'lost';
    else this.#fail(kafkaError(code, 'stay in the group', this.#coordinator.identity.groupId));
    this.#wake();
  }

  #fail(error: MillraceError): void {
    this.#failure = error;
    this.#wake();
  }
}

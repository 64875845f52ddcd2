import { isMainThread, type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { type Cancel, every } from '../../dataflow/clock.ts';
import { Cluster } from './cluster.ts';
import { Code } from './error-codes.ts';
import { loadKafkajs } from './kafkajs-internals.ts';
import { Lease, momentNow } from './lease.ts';
import { noLogger } from './logger.ts';
import { thisMachine } from './machine.ts';
import type { KafkaSettings } from './options.ts';
import { heartbeatApi, leaveGroupApi } from './wire/membership.ts';
import type { GroupIdentity } from './wire/offset-commit.ts';

/** The URL of this file, to start it as a worker. */
export const heartWorker: string = import.meta.url;

/** Distinguishes the worker from other threads that load this file. */
export const HEART_WORKER = 'millrace heart';

/** The settings that can be sent to a thread: those without functions. */
export type PortableSettings = Omit<KafkaSettings, 'logger' | 'stores'>;

export type HeartMessage =
  | {
      readonly kind: 'open';
      readonly id: number;
      readonly settings: PortableSettings;
      readonly memory: SharedArrayBuffer;
    }
  | { readonly kind: 'joined'; readonly id: number; readonly spell: number; readonly identity: GroupIdentity }
  | { readonly kind: 'close'; readonly id: number };

/** How long an unused connection is kept, in ms. */
const KEEP_MS = 30_000;

/** Stands in for the heart of a member whose thread is blocked. */
class StandIn {
  readonly #settings: KafkaSettings;
  readonly #lease: Lease;
  readonly #stop: Cancel;
  #joined: { readonly spell: number; readonly identity: GroupIdentity } | undefined;
  #cluster: Cluster | undefined;
  #neededAt = 0;
  #busy = false;
  #tickedAt = momentNow().monotonicMs;
  /** Since when this thread has been running without a pause. */
  #runningSince = this.#tickedAt;

  constructor(settings: PortableSettings, memory: SharedArrayBuffer) {
    this.#settings = { ...settings, logger: noLogger, stores: undefined };
    this.#lease = new Lease(momentNow, memory);
    // Load it now: when it is needed, there is no time.
    loadKafkajs();
    this.#stop = every(thisMachine.clock, settings.heartbeatIntervalMs, () => this.#tick());
  }

  joined(spell: number, identity: GroupIdentity): void {
    this.#joined = { spell, identity };
  }

  close(): void {
    this.#stop();
    this.#cluster?.close();
  }

  #tick(): void {
    const { heartbeatIntervalMs, maxPollIntervalMs, sessionTimeoutMs } = this.#settings;
    const now = momentNow().monotonicMs;
    // The whole process was suspended: the silence of the other thread means nothing.
    if (now - this.#tickedAt > Math.max(sessionTimeoutMs / 2, 2 * heartbeatIntervalMs)) this.#runningSince = now;
    this.#tickedAt = now;
    if (this.#joined === undefined || this.#lease.fate !== 'held') return;
    const quietMs = now - Math.max(this.#lease.aliveAt, this.#runningSince);
    if (quietMs < Math.max(2 * heartbeatIntervalMs, sessionTimeoutMs / 4)) {
      if (now - this.#neededAt > KEEP_MS) this.#disconnect();
      return;
    }
    this.#neededAt = now;
    if (this.#busy) return;
    this.#busy = true;
    const work = quietMs > maxPollIntervalMs ? this.#leave(quietMs) : this.#beat();
    work.catch(() => undefined).finally(() => (this.#busy = false));
  }

  async #beat(): Promise<void> {
    const { identity, spell } = this.#joined!;
    let sent = momentNow();
    let code = await this.#say(identity);
    if (code === Code.ILLEGAL_GENERATION && this.#lease.joining) {
      // The response with the next generation is still waiting for the other thread.
      sent = momentNow();
      code = await this.#say({ ...identity, generation: identity.generation + 1 });
    }
    if (code === 0 || code === Code.REBALANCE_IN_PROGRESS) this.#lease.renew(sent, code !== 0);
    else if (code === Code.UNKNOWN_MEMBER_ID || code === Code.ILLEGAL_GENERATION) this.#lease.end(spell, 'lost', 0);
  }

  async #leave(quietMs: number): Promise<void> {
    const { identity, spell } = this.#joined!;
    this.#lease.end(spell, 'left', quietMs);
    const { groupId, instanceId, memberId } = identity;
    // A static member keeps its tasks until its session is over.
    if (instanceId !== null) return;
    const { cluster, node } = await this.#coordinator(groupId);
    await cluster.request(node, 'main', leaveGroupApi, { groupId, memberId });
  }

  async #say(identity: GroupIdentity): Promise<number> {
    const { cluster, node } = await this.#coordinator(identity.groupId);
    try {
      const timeoutMs = Math.ceil(this.#settings.sessionTimeoutMs / 2);
      const code = await cluster.request(node, 'main', heartbeatApi, identity, timeoutMs);
      if (code === Code.NOT_COORDINATOR || code === 15) this.#disconnect();
      return code;
    } catch (error) {
      this.#disconnect();
      throw error;
    }
  }

  async #coordinator(groupId: string): Promise<{ readonly cluster: Cluster; readonly node: number }> {
    const cluster = (this.#cluster ??= new Cluster(this.#settings));
    return { cluster, node: await cluster.coordinator('group', groupId) };
  }

  #disconnect(): void {
    this.#cluster?.close();
    this.#cluster = undefined;
  }
}

function serve(port: MessagePort): void {
  const standIns = new Map<number, StandIn>();
  port.on('message', (message: HeartMessage) => {
    const { id } = message;
    if (message.kind === 'open') standIns.set(id, new StandIn(message.settings, message.memory));
    else if (message.kind === 'joined') standIns.get(id)?.joined(message.spell, message.identity);
    else {
      standIns.get(id)?.close();
      standIns.delete(id);
    }
  });
  port.postMessage('ready', []);
}

if (!isMainThread && parentPort !== null && workerData === HEART_WORKER) serve(parentPort);

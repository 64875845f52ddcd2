import { type App, memoryTransport, type Pipeline, type RunOptions, run } from 'millrace';
import type { GroupOptions, GroupSession, TaskSession, TaskSpec, Transport } from '../../src/log/transport.ts';
import type { MemoryLog } from '../../src/transports/memory/memory-log.ts';
import { gate } from './support.ts';

export interface InstanceOptions extends Partial<RunOptions> {
  /** Before it hears where topics end or begin. */
  readonly onOffsets?: () => Promise<unknown>;
}

/** One of several processes of an application, on a log in memory. */
export class Instance {
  readonly app: App;
  /** Its process is gone. */
  killed = false;
  readonly #gate: ReturnType<typeof gate>;
  #transport: Transport | undefined;

  /**
   * @param slow - Whether its tasks wait for {@link restored} before they begin, as they do while their stores are brought up to
   * date.
   */
  constructor(log: MemoryLog, pipeline: Pipeline, slow: boolean, { onOffsets, ...options }: InstanceOptions = {}) {
    this.#gate = gate();
    if (!slow) this.#gate.open();
    const transport = async (): Promise<Transport> => {
      this.#transport = shared(await memoryTransport(log)(), this.#gate.wait, onOffsets);
      return this.#transport;
    };
    this.app = run(pipeline, {
      applicationId: 'app',
      commitInterval: '0ms',
      batch: { count: 50 },
      logger: false,
      ...options,
      transport,
    });
    this.app.done.catch(() => undefined);
  }

  /** Its tasks may begin. */
  restored(): void {
    this.#gate.open();
  }

  async stop(): Promise<void> {
    if (this.killed) return;
    this.#gate.open();
    await this.app.stop();
  }

  /** Takes the log away from it, as the end of its process does: what is not committed is lost. */
  async kill(): Promise<void> {
    if (this.killed) return;
    this.killed = true;
    this.#gate.open();
    await this.#transport?.close();
    await this.app.stop().catch(() => undefined);
  }
}

/**
 * A log in memory whose groups have several members, and keep the state of all of them. A member is told of its tasks when they are
 * restored.
 */
export function shared(
  transport: Transport,
  restored: Promise<void> = Promise.resolve(),
  onOffsets: () => Promise<unknown> = () => Promise.resolve(),
): Transport {
  const offsets: Transport['offsets'] = async (...query) => {
    await onOffsets();
    return transport.offsets(...query);
  };
  const group = async (options: GroupOptions): Promise<GroupSession> => {
    let waiting: string[] | undefined = [];
    let told: readonly [generation: number, session: TaskSession] | undefined;
    void restored
      .then(async () => {
        const ids = waiting ?? [];
        waiting = undefined;
        if (told !== undefined) await options.onAssigned(ids, ...told);
      })
      .catch(options.onError);
    return transport.group({
      ...options,
      exclusive: false,
      onAssigned: (ids, generation, session) => {
        told = [generation, session];
        if (waiting === undefined) return options.onAssigned(ids, generation, session);
        waiting.push(...ids);
      },
      onRevoked: (ids, lost) => {
        const known = ids.filter((id) => waiting?.includes(id) !== true);
        waiting = waiting?.filter((id) => !ids.includes(id));
        return known.length === 0 ? undefined : options.onRevoked(known, lost);
      },
    });
  };
  return new Proxy(transport, {
    get(target, property) {
      if (property === 'group') return group;
      if (property === 'offsets') return offsets;
      const found: unknown = Reflect.get(target, property, target);
      return typeof found === 'function' ? (found as () => unknown).bind(target) : found;
    },
  });
}

/** Tasks that an application has at the moment, by what it says. */
export function tasksOf({ app }: Instance): readonly TaskSpec['id'][] {
  return app.snapshot().tasks.map(({ id }) => id);
}

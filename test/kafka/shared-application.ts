import { type App, type Client, connect, run } from 'millrace';
import type { GroupOptions, Transport } from '../../src/log/transport.ts';
import { type KafkaOptions, kafkaTransport } from '../../src/transports/kafka/index.ts';
import { unique } from '../contract/support.ts';
import { shared } from '../runtime/several-instances.ts';
import { backlog, expected, program, rowsOf, type Shape } from '../runtime/shuffle-time.ts';
import { gate } from '../runtime/support.ts';

/** How the instances of an application run. */
export interface Spread extends Shape {
  readonly guarantee: NonNullable<KafkaOptions['guarantee']>;
  readonly commitInterval: '0ms' | '50ms' | '400ms';
  readonly batch: number;
}

/** One of several instances. */
export interface KafkaInstance {
  readonly app: App;
  /** Whether its group has given it tasks. */
  readonly assigned: boolean;
  /** Its tasks may begin. */
  restored(): void;
  /** Takes the log away from it: what is not committed is lost. */
  kill(): Promise<void>;
}

/** An application on Kafka of which several instances run in this process, each with members, stores and connections of its own. */
export class KafkaApplication {
  readonly #spread: Spread;
  readonly #brokers: readonly string[];
  readonly #client: Client;
  readonly #name: string;
  readonly #parts: ReturnType<typeof program>;
  readonly #instances: KafkaInstance[] = [];
  #published = 0;
  #late = 0;

  private constructor(spread: Spread, brokers: readonly string[], client: Client) {
    this.#spread = spread;
    this.#brokers = brokers;
    this.#client = client;
    this.#name = unique('spread');
    this.#parts = program(spread, `${this.#name}-`);
  }

  static async open(spread: Spread, brokers: readonly string[]): Promise<KafkaApplication> {
    const application = new KafkaApplication(spread, brokers, await connect({ brokers }));
    for (const [topic, partitions] of application.#parts.sizes) {
      await application.#client.topics.create(topic.name, { partitions });
    }
    return application;
  }

  /** More records come, newer than all before. */
  async publish(count: number): Promise<void> {
    const from = this.#published;
    this.#published += count;
    await this.#client.publishAll(this.#parts.source, backlog(this.#published).slice(from));
  }

  /**
   * @param slow - Whether its tasks wait for `restored`, as they do while their stores are brought up to date.
   * @param openWindows - With `until`: what becomes of the windows that are open at the end.
   */
  start(slow = false, until?: 'end', openWindows: 'close' | 'keep' = 'close'): KafkaInstance {
    const { batch, commitInterval, guarantee } = this.#spread;
    const { open: restored, wait } = gate();
    if (!slow) restored();
    let opened: Transport | undefined;
    let assigned = false;
    const open = kafkaTransport({
      brokers: this.#brokers,
      guarantee,
      sessionTimeoutMs: 6000,
      heartbeatIntervalMs: 100,
      transactionTimeoutMs: 6000,
    });
    const app = run(this.#parts.pipeline, {
      applicationId: this.#name,
      transport: async () => {
        opened = await open();
        const group = opened.group.bind(opened);
        opened.group = (options: GroupOptions) => {
          const onAssigned: GroupOptions['onAssigned'] = (...given) => {
            assigned ||= given[0].length > 0;
            return options.onAssigned(...given);
          };
          return group({ ...options, onAssigned });
        };
        return shared(opened, wait);
      },
      commitInterval,
      batch: { count: batch },
      logger: false,
      ...(until === undefined ? {} : { until, openWindows }),
    });
    app.done.catch(() => undefined);
    const instance: KafkaInstance = {
      app,
      get assigned() {
        return assigned;
      },
      restored,
      kill: async () => {
        restored();
        await opened?.close();
        await app.stop().catch(() => undefined);
      },
    };
    this.#instances.push(instance);
    return instance;
  }

  get instances(): readonly KafkaInstance[] {
    return this.#instances;
  }

  /** Ends all instances, or the newest one. */
  async end(how: 'stop' | 'kill', newest = false): Promise<void> {
    const ended = newest ? this.#instances.splice(-1) : this.#instances.splice(0);
    for (const { restored } of ended) restored();
    await Promise.all(ended.map(({ app, kill }) => (how === 'stop' ? app.stop() : kill())));
    for (const { app } of ended) this.#late += app.snapshot().late;
  }

  /** Does what is left, and closes what is open. @returns The rows, and how many records were late. */
  async finish(): Promise<{ readonly late: number; readonly rows: ReadonlyMap<string, number> }> {
    await this.start(false, 'end').app.done;
    await this.end('stop');
    const records: { key: string; timestamp: number; value: number | null }[] = [];
    await this.#client.records(this.#parts.out, { from: 'earliest', until: 'end' }).forEach((row) => {
      records.push(row);
    });
    return { late: this.#late, rows: rowsOf(records) };
  }

  wanted(): { readonly late: number; readonly rows: ReadonlyMap<string, number> } {
    return { late: 0, rows: expected(this.#published, this.#spread) };
  }

  async close(): Promise<void> {
    await this.end('kill');
    await this.#client.close();
  }
}

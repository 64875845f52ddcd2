import { type App, type Client, connect, json, mapValues, run, to, topic } from 'millrace';
import { unique, until } from '../contract/support.ts';

/** A record of the topic that changes: the life of the topic that it was written in, and its number. */
interface Mark {
  readonly life: number;
  readonly n: number;
}

/** What has become of the records of a topic that changed. */
export interface Marks {
  readonly published: number;
  /** Acknowledged in a topic that was not deleted afterwards, and not copied. */
  readonly missing: readonly string[];
  readonly lives: number;
  readonly partitions: number;
  /** Codes with which the application ended by itself, and how often; it was started again each time. */
  readonly ends: ReadonlyMap<string, number>;
}

/** An application that copies a topic while the topic gets partitions, and is deleted and made again under its name. */
export class ChangingTopic {
  readonly #client: Client;
  readonly #brokers: readonly string[];
  readonly #applicationId = unique('copy');
  readonly #from;
  readonly #to;
  readonly #ends = new Map<string, number>();
  /** Records of the present life that are acknowledged. */
  #acknowledged: string[] = [];
  readonly #copied = new Set<string>();
  #app: App | undefined;
  #life = 0;
  #partitions = 1;
  #published = 0;
  #closing = false;

  private constructor(client: Client, brokers: readonly string[]) {
    this.#client = client;
    this.#brokers = brokers;
    this.#from = topic(unique('changing'), { value: json<Mark>() });
    this.#to = topic(unique('copies'), { value: json<Mark>() });
  }

  static async start(brokers: readonly string[]): Promise<ChangingTopic> {
    const client = await connect({ brokers });
    const changing = new ChangingTopic(client, brokers);
    await client.topics.create(changing.#from.name);
    await client.topics.create(changing.#to.name);
    changing.#app = changing.#start();
    client.records(changing.#to, { from: 'earliest' }).subscribe({
      next: ({ value: { life, n } }) => changing.#copied.add(`${life}-${n}`),
    });
    return changing;
  }

  #start(): App {
    const pipeline = this.#from.pipe(
      mapValues((mark) => mark),
      to(this.#to),
    );
    const app = run(pipeline, { applicationId: this.#applicationId, brokers: this.#brokers, commitInterval: '500ms' });
    app.done.catch((error: { readonly code?: string; readonly message: string }) => {
      if (this.#closing) return;
      const why = error.code ?? error.message;
      this.#ends.set(why, (this.#ends.get(why) ?? 0) + 1);
      setTimeout(() => {
        if (!this.#closing) this.#app = this.#start();
      }, 200);
    });
    return app;
  }

  /** Publishes some records to any partitions. Those that were refused are not counted. */
  async publish(count: number): Promise<void> {
    const life = this.#life;
    const written = await Promise.allSettled(
      Array.from({ length: count }, async () => {
        const mark = { life, n: this.#published++ };
        await this.#client.publish(this.#from, { value: mark });
        return `${life}-${mark.n}`;
      }),
    );
    for (const one of written) if (one.status === 'fulfilled') this.#acknowledged.push(one.value);
  }

  async addPartition(): Promise<void> {
    this.#partitions += 1;
    await this.#client.topics.addPartitions(this.#from, this.#partitions);
  }

  /** Deletes the topic and makes it again; what it held is gone, so it no longer counts. */
  async recreate(): Promise<void> {
    await this.#client.topics.delete(this.#from);
    this.#acknowledged = [];
    this.#life += 1;
    this.#partitions = 1 + (this.#life % 3);
    while ((await this.#client.topics.describe(this.#from)) !== undefined) await pause(50);
    await this.#client.topics.create(this.#from, { partitions: this.#partitions });
  }

  get missing(): string[] {
    return this.#acknowledged.filter((mark) => !this.#copied.has(mark));
  }

  /** Waits until everything that is acknowledged is copied. */
  async copied(timeoutMs: number): Promise<void> {
    await until('what was acknowledged to be copied', () => this.missing.length === 0, timeoutMs).catch(
      async (error) => {
        const { state, waitingFor, error: failure, tasks } = this.#app?.snapshot() ?? {};
        const read = tasks?.map(({ id, inputs }) => [id, inputs[0]?.position, inputs[0]?.end]);
        const ends = [...(await this.#client.offsets(this.#from, 'latest'))];
        const copies = [...(await this.#client.offsets(this.#to, 'latest'))];
        const found = { state, waitingFor, failure, read, ends, copies, copied: this.#copied.size };
        throw new Error(`${error}: ${this.missing.length} records, ${JSON.stringify(found)}`);
      },
    );
  }

  marks(): Marks {
    const { missing } = this;
    return {
      published: this.#published,
      missing,
      lives: this.#life + 1,
      partitions: this.#partitions,
      ends: this.#ends,
    };
  }

  async close(): Promise<void> {
    this.#closing = true;
    await this.#app?.stop().catch(() => undefined);
    await this.#client.close();
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
